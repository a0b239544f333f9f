import { describe, expect, it } from 'vitest';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { experimentLines } from '../../src/console/experiments/experimentLines.ts';
import { reduce } from '../../src/console/reduce.ts';
import { lineText, lineWidth } from '../../src/console/views/line.ts';
import type { ListedExperiment } from '../../src/model/listedExperiment.ts';
import { noon, sampleState } from './sampleConsole.ts';

const experiment = (root: string, over: Partial<ListedExperiment> = {}): ListedExperiment => ({
  root,
  kind: 'experiment',
  state: 'stopped',
  started: new Date(noon - 3_600_000).toISOString(),
  heartbeat: new Date(noon - 1_800_000).toISOString(),
  pid: null,
  frames: 12,
  alarms: 0,
  configFile: '/home/pi/my.toml',
  cwd: '/home/pi',
  ...over,
});

const shown = sampleState().root;
const list = [
  experiment('/data/run7', { state: 'running', pid: 77, alarms: 2 }),
  experiment(shown),
  experiment('/media/usb/run3', { state: 'gone', heartbeat: null, frames: null }),
];
const page = (over: Partial<ConsoleState> = {}): ConsoleState =>
  reduce(sampleState({ page: 'experiments', ...over }), { kind: 'experiments', list }).state;
const key = (state: ConsoleState, name: string) => reduce(state, { kind: 'key', key: name, text: '' });
const text = (state: ConsoleState, width = 100, height = 20): string =>
  experimentLines(state, width, height).map(lineText).join('\n');

describe('the page of the experiments of this machine', () => {
  it('lists each with how it is, since when, and where, with the pointer on the one that is shown', () => {
    expect(text(page())).toMatch(/ running \(process 77\), 2 alarms +experiment +up 1 h.* \/data\/run7/);
    expect(text(page())).toMatch(new RegExp(`stopped +experiment +30 min ago +12 +${shown} \\(shown\\)`));
    expect(text(page())).toContain(' gone ');
    expect(text(sampleState({ page: 'experiments' }))).toContain('looking');
  });

  it('drops what matters less on 60 columns, and keeps the folder', () => {
    expect(text(page(), 60)).toMatch(/running \(process 77\), 2 alarms +\/data\/run7/);
    expect(text(page(), 60)).not.toContain('frames');
  });

  it('keeps to its rectangle at every size, with many experiments and long folders', () => {
    const many = Array.from({ length: 60 }, (_, i) => experiment(`/data/${'deep/'.repeat(i % 30)}run${i}`));
    for (const [width, height] of [
      [60, 13],
      [80, 19],
      [120, 35],
      [200, 55],
    ] as const) {
      const state = { ...page(), experiments: { list: many, chosen: many[45]!.root } };
      const lines = experimentLines(state, width, height);
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width);
      expect(lines.map(lineText).join('\n')).toContain('run45');
    }
  });

  it('shows another on Enter, and goes back', () => {
    expect(key(key(page(), 'up').state, 'enter').actions).toEqual([{ do: 'attach', root: '/data/run7' }]);
    expect(key(page({ cameFrom: '/data/run1' }), 'b').actions).toEqual([{ do: 'attach', root: '/data/run1' }]);
    expect(key(page(), 'b').actions).toEqual([]);
  });

  it('says why it shows nothing else: this one is shown already, that one is gone', () => {
    const same = key(page(), 'enter');
    expect(same.actions).toEqual([]);
    expect(same.state.messages.at(-1)?.text).toContain('shown already');
    const gone = key(key(page(), 'down').state, 'enter');
    expect(gone.actions).toEqual([]);
    expect(gone.state.messages.at(-1)?.text).toContain('not plugged in');
  });

  it('forgets after asking, but not what runs', () => {
    const asked = key(key(page(), 'down').state, 'd').state;
    expect(asked.overlay).toMatchObject({ kind: 'question' });
    expect(key(asked, 'y').actions).toMatchObject([{ do: 'command', words: ['forget', '/media/usb/run3'] }]);
    expect(key(key(page(), 'up').state, 'd').state.overlay).toBeNull();
  });

  it('is chosen from by mouse: one click moves the pointer, one more shows it', () => {
    const press = (state: ConsoleState) => reduce(state, { kind: 'mouse', what: 'press', x: 20, y: 3 + 2 });
    const once = press(page());
    expect(once.actions).toEqual([]);
    expect(once.state.experiments.chosen).toBe('/data/run7');
    expect(press(once.state).actions).toEqual([{ do: 'attach', root: '/data/run7' }]);
  });
});

describe('leaving the console of a pipeline that runs in the same process', () => {
  const own = sampleState({ mode: 'own' });

  it.each(['q', 'C-z'])('asks on %s whether to stop it, leave it in the background, or stay', name => {
    const asked = key(own, name).state;
    expect(asked.overlay).toMatchObject({ kind: 'question', background: { do: 'handOver' } });
    expect(key(asked, 'b')).toMatchObject({ actions: [{ do: 'handOver' }], state: { overlay: null, stopAsked: true } });
    expect(key(asked, 'y').actions).toEqual([{ do: 'stopOwn' }]);
    expect(key(asked, 'escape').actions).toEqual([]);
  });

  it('suspends with Ctrl-Z only where the pipeline runs elsewhere', () => {
    expect(key(sampleState(), 'C-z').actions).toEqual([{ do: 'suspend' }]);
  });
});
