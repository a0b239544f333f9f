import { describe, expect, it } from 'vitest';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { copySequence } from '../../src/console/log/copyText.ts';
import { logRows } from '../../src/console/log/logRows.ts';
import { selectedLine } from '../../src/console/log/logView.ts';
import { reduce } from '../../src/console/reduce.ts';
import { lineText } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { LogLine } from '../../src/model/logLine.ts';
import { press } from './press.ts';
import { sampleLines, sampleState } from './sampleConsole.ts';

const broken: LogLine = {
  ...sampleLines(1)[0]!,
  level: 'error',
  source: 'processor',
  text: 'the disk is full',
  fields: JSON.stringify({ stage: 'processor', kind: 'failed', entryId: '01ABC', detail: { free: 0, of: 'a b' } }),
};
const mixed: LogLine[] = [
  ...sampleLines(20),
  ...sampleLines(20, { source: 'processor', text: 'the disk is slow', level: 'warning' }),
  broken,
  ...sampleLines(20),
];
const log = (lines: readonly LogLine[]): ConsoleState =>
  reduce(sampleState({ page: 'log' }), { kind: 'log', lines }).state;
const shown = (state: ConsoleState): string[] =>
  panelViews.log.content(state, layoutOf(state)!.log!).lines.map(lineText);
const selected = (state: ConsoleState) => selectedLine(state.log, logRows(state));
const overlay = (state: ConsoleState): string => overlayView(state)!.lines.map(lineText).join('\n');

describe('selecting lines of the log', () => {
  it('goes line by line, takes the window along at its edges, and follows again at the end', () => {
    const up = press(log(sampleLines(100)), '<up><up>').state;
    expect(selected(up)?.text).toBe('line 97');
    expect(up.log.bottom).toBe(99);
    expect(shown(up).find(line => line.startsWith('▸'))).toContain('line 97');
    const far = press(up, '<up>'.repeat(20)).state;
    expect(selected(far)?.text).toBe('line 77');
    expect(shown(far)[1]).toContain('line 77');
    expect(press(far, '<end>').state.log).toMatchObject({ bottom: null, cursor: null });
    expect(selected(press(far, '<home>').state)?.text).toBe('line 0');
  });

  it('keeps the selected line while others come, and until it is too old to be kept', () => {
    const up = press(log(sampleLines(100)), '<up><up>').state;
    const more = reduce(up, { kind: 'log', lines: sampleLines(300) }).state;
    expect(selected(more)?.text).toBe('line 97');
    const gone = reduce(more, { kind: 'log', lines: sampleLines(2500) }).state;
    expect(selected(gone)).not.toBeNull();
  });

  it('takes a click, and opens the line at the second', () => {
    const state = log(sampleLines(100));
    const { top } = layoutOf(state)!.log!;
    const click = (of: ConsoleState): ConsoleState =>
      reduce(of, { kind: 'mouse', what: 'press', x: 8, y: top + 3 }).state;
    expect(selected(click(state))?.text).toBe('line 88');
    expect(click(click(state)).overlay).toMatchObject({ kind: 'line', line: { text: 'line 88' } });
  });

  it('has nothing to open or copy where no line is', () => {
    expect(press(sampleState({ page: 'log' }), '<enter>y').actions).toEqual([]);
    expect(press(log(mixed), '&nowhere<enter><enter>').state.overlay).toBeNull();
  });
});

describe('filters of the log', () => {
  it('count together, stand as chips in the title, and are gone with Esc', () => {
    const filtered = press(log(mixed), 'f&DISK<enter>').state;
    expect(shown(filtered)[0]).toMatch(/\[from warning on\] \[text: DISK\]/);
    const ofStage = press(filtered, 'F<down><enter>').state;
    expect(ofStage.log.source).toBe('collector');
    expect(shown(ofStage).join('\n')).toMatch(/no line passes the filters: Esc/);
    const processor = press(filtered, 'F<down><down><enter>').state;
    expect(shown(processor)[0]).toMatch(/\[stage: processor\] \[text: DISK\]/);
    const errors = press(processor, 'f').state;
    expect(shown(errors).filter(line => line.includes('processor:')).length).toBe(2);
    expect(selected(errors)).toBe(broken);
    const none = press(errors, '/disk<enter><escape>').state;
    expect(none.log).toMatchObject({ search: '', words: 'DISK', source: 'processor' });
    expect(press(none, '<escape>').state.log).toMatchObject({ words: '', source: null, level: 'info' });
  });

  it('are taken away by a click each, on the page and on the overview', () => {
    const filtered = press(log(mixed), 'f&DISK<enter>/slow<enter>').state;
    for (const page of ['log', 'overview'] as const) {
      const state = { ...filtered, page, columns: 120, rows: 40 };
      const { left, top } = layoutOf(state)!.log!;
      const title = lineText(panelViews.log.content(state, layoutOf(state)!.log!).lines[0]!);
      const click = (words: string): ConsoleState =>
        reduce(state, { kind: 'mouse', what: 'press', x: left + title.indexOf(words) + 2, y: top }).state;
      expect(click('[text').log).toMatchObject({ words: '', level: 'warning', search: 'slow' });
      expect(click('[from').log).toMatchObject({ words: 'DISK', level: 'info', search: 'slow' });
      expect(click('[search').log).toMatchObject({ words: 'DISK', level: 'warning', search: '' });
      expect(click('[search').page).toBe(page);
      expect(click('Log').log).toMatchObject({ words: 'DISK', level: 'warning', search: 'slow' });
    }
  });

  it('search within what they let through', () => {
    const found = press(log(mixed), '&disk<enter>/slow<enter>').state;
    expect(selected(found)?.text).toBe('the disk is slow');
    expect(press(found, 'N').state.messages.at(-1)?.text).toContain('no newer line has "slow"');
  });
});

describe('a line of the log in full', () => {
  it('has its words whole and all that the event has besides', () => {
    const opened = press(log([...mixed.slice(0, 40), broken]), '<enter>').state;
    const text = overlay(opened);
    expect(text).toMatch(/error processor/);
    expect(text).toMatch(/the disk is full/);
    expect(text).toMatch(/entryId +01ABC/);
    expect(text).toMatch(/detail\.free +0/);
    expect(press(opened, '<escape>').state.overlay).toBeNull();
  });

  it('scrolls where it is longer than the window', () => {
    const long = { ...broken, text: 'many words '.repeat(180) };
    const opened = press(log([long]), '<enter>').state;
    expect(overlay(opened)).not.toContain('01ABC');
    expect(overlay(press(opened, '<end>').state)).toContain('detail.of');
  });
});

describe('copying', () => {
  it('copies the line, and the opened one with all that it has', () => {
    const state = log([broken]);
    expect(press(state, 'y').actions).toEqual([
      {
        do: 'copy',
        text: expect.stringMatching(/^\d{4}-.* error processor: the disk is full$/),
        what: 'the line "the disk is full"',
      },
    ]);
    expect(press(state, '<enter>y').actions).toMatchObject([{ text: expect.stringContaining('\n  detail.of: a b') }]);
  });

  it('asks the terminal by OSC 52, through tmux and screen too, and not for what is too long', () => {
    const plain = '\u001b]52;c;wrVt\u0007';
    expect(copySequence('µm', {})).toBe(plain);
    expect(copySequence('µm', { TMUX: '/tmp/x' })).toBe(`${plain}\u001bPtmux;\u001b${plain}\u001b\\`);
    expect(copySequence('µm', { TERM: 'screen-256color' })).toBe(`\u001bP${plain}\u001b\\`);
    expect(copySequence('x'.repeat(60_000), {})).toBeNull();
  });
});
