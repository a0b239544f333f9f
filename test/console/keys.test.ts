import { describe, expect, it } from 'vitest';
import { keyHandlers } from '../../src/console/keyActions.ts';
import type { Place } from '../../src/console/keyBinding.ts';
import { keyBindings, keysPage, worksIn } from '../../src/console/keys.ts';
import { pageNames } from '../../src/console/pages.ts';
import { footerLine } from '../../src/console/views/footerLine.ts';
import { helpLines } from '../../src/console/views/helpLines.ts';
import { lineText, lineWidth } from '../../src/console/views/line.ts';
import { sampleFrame, sampleHistory, sampleState, unicode } from './sampleConsole.ts';

const places: Place[] = [
  ...pageNames,
  'ROI',
  ...([
    'help',
    'question',
    'rois',
    'tools',
    'arguments',
    'output',
    'search',
    'roiFilter',
    'sources',
    'line',
    'setting',
  ] as const),
];

describe('the key table', () => {
  it.each(places)('has no key twice in %s, but that a page may have its own meaning of a key of every page', place => {
    const here = keyBindings.filter(binding => worksIn(binding, place));
    for (const bindings of [
      here.filter(({ places: of }) => typeof of === 'string'),
      here.filter(({ places: of }) => typeof of !== 'string'),
    ]) {
      const keys = bindings.flatMap(binding => binding.keys);
      expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
    }
  });

  it('has a key for every action, and an action for every key', () => {
    expect([...new Set(keyBindings.map(({ action }) => action))].sort()).toEqual(Object.keys(keyHandlers).sort());
  });

  it('says that it asks exactly where it does', () => {
    const stopped = { kind: 'experiment', state: 'stopped', started: null, heartbeat: null, pid: null } as const;
    const listed = { ...stopped, root: '/data/run7', frames: null, alarms: 0, configFile: null, cwd: null };
    const asking = sampleState({ experiments: { list: [listed], chosen: null } });
    for (const { action, asks } of keyBindings) {
      if (action === 'quit' || action === 'interrupt') continue;
      const isQuestion = keyHandlers[action](asking).state.overlay?.kind === 'question';
      expect(isQuestion, action).toBe(asks ?? false);
    }
  });

  it('has a way out of everything', () => {
    for (const place of places) {
      const ways = keyBindings.filter(binding => worksIn(binding, place) && binding.keys.some(key => key === 'escape'));
      expect(ways.length, place).toBeGreaterThan(0);
      expect(
        keyBindings.some(binding => worksIn(binding, place) && binding.keys.includes('C-c')),
        place,
      ).toBe(true);
    }
  });

  it('makes the documentation page, the help and the footer', () => {
    const page = keysPage();
    const help = helpLines(100, unicode).map(lineText).join('\n');
    for (const { shown, help: text } of keyBindings) {
      expect(page).toContain(`| \`${shown}\` |`);
      expect(page).toContain(text);
      expect(help).toContain(shown);
    }
    expect(help).not.toMatch(/asks first\.\s+Asks first/);
    expect(page).not.toMatch(/\|\s*\|\s*\|\s*$/m);
  });
});

describe('footer', () => {
  it('shows what can be done now, the most important first', () => {
    expect(lineText(footerLine(sampleState(), 80))).toMatch(/^ \? help {2}q quit {2}x stop {2}p pause\/resume/);
    const stopped = sampleState({ reading: { connection: 'none', status: null } });
    expect(lineText(footerLine(stopped, 80))).toMatch(/^ \? help {2}q quit {2}s start/);
    expect(lineText(footerLine(stopped, 80))).not.toContain('stop');
  });

  it('shows what a page has of its own before what every page has', () => {
    for (const page of pageNames.filter(name => name !== 'overview' && name !== 'alarms')) {
      const text = lineText(footerLine(sampleState({ page, history: sampleHistory(['a']), frame: sampleFrame() }), 80));
      expect(text, page).toMatch(/^ \? help {2}q quit {2}/);
      expect(text.slice(16), page).not.toMatch(/^(x stop|p pause|m tools|e edit)/);
    }
  });

  it('shows no key of what is not there yet', () => {
    const empty = { reading: { connection: 'none', status: null }, history: null, rois: null, frame: null } as const;
    for (const page of pageNames) {
      const text = lineText(footerLine(sampleState({ ...empty, page, columns: 200 }), 200));
      expect(text, page).not.toMatch(/zoom|fit|open|colour|filter|order|freeze|cursor|stop|restart/);
    }
  });

  it('shows the keys of what lies over the page', () => {
    const asked = sampleState({ overlay: { kind: 'question', text: '?', yes: { do: 'stopOwn' } } });
    expect(lineText(footerLine(asked, 80))).toBe(' y yes  n no');
  });

  it('is never wider than it may be', () => {
    for (let width = 20; width < 200; width++)
      expect(lineWidth(footerLine(sampleState(), width))).toBeLessThanOrEqual(width);
  });
});
