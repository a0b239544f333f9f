import { describe, expect, it } from 'vitest';
import type { ConsoleInput } from '../../src/console/consoleInput.ts';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { keptLines } from '../../src/console/log/logView.ts';
import { pageNames } from '../../src/console/pages.ts';
import { reduce } from '../../src/console/reduce.ts';
import { shownMessage } from '../../src/console/shownMessage.ts';
import { lineText } from '../../src/console/views/line.ts';
import { smallWindow } from '../../src/console/views/overlayView.ts';
import { press } from './press.ts';
import {
  noon,
  sampleAlarm,
  sampleHistory,
  sampleLines,
  sampleRois,
  sampleStage,
  sampleState,
  sampleStatus,
} from './sampleConsole.ts';

const following = (state: ConsoleState, ...inputs: ConsoleInput[]): ConsoleState =>
  inputs.reduce((now, input) => reduce(now, input).state, state);

const idle = (connection: 'none' | 'stopped' | 'crashed'): ConsoleState =>
  sampleState({ reading: { connection, status: connection === 'none' ? null : sampleStatus() } });
const labels = sampleRois().rois.map(({ label }) => label);

describe('starting and stopping', () => {
  it.each(['none', 'stopped', 'crashed'] as const)('starts with one key when it is %s', connection => {
    expect(press(idle(connection), 's').actions).toEqual([
      { do: 'command', id: 1, purpose: 'start', words: ['start'] },
    ]);
  });

  it('does not start what runs, nor stop what does not', () => {
    expect(press(sampleState(), 's').actions).toEqual([]);
    expect(press(idle('stopped'), 'xyRyp').actions).toEqual([]);
  });

  it('asks before it stops and before it restarts', () => {
    expect(press(sampleState(), 'x').actions).toEqual([]);
    expect(press(sampleState(), 'x').state.overlay).toMatchObject({ kind: 'question' });
    expect(press(sampleState(), 'xn').actions).toEqual([]);
    expect(press(sampleState(), 'xn').state.overlay).toBeNull();
    expect(press(sampleState(), 'xy').actions).toEqual([{ do: 'command', id: 1, purpose: 'stop', words: ['stop'] }]);
    expect(press(sampleState(), 'Ry').actions).toEqual([
      { do: 'command', id: 1, purpose: 'restart', words: ['restart'] },
    ]);
  });

  it('cuts short when it is asked to stop a second time, after asking again', () => {
    const { actions } = press(sampleState(), 'xyxy');
    expect(actions.at(-1)).toEqual({ do: 'command', id: 2, purpose: 'stop now', words: ['stop', '--now'] });
  });

  it('does not start a second time while it is starting', () => {
    const { actions, state } = press(idle('none'), 'ss');
    expect(actions).toHaveLength(1);
    expect(shownMessage(state).text).toContain('start');
  });

  it('pauses the selected stage, and resumes it', () => {
    expect(press(sampleState(), '<down>p').actions).toEqual([
      { do: 'command', id: 1, purpose: 'pause processor', words: ['pause', 'processor'] },
    ]);
    const paused = sampleState({
      reading: { connection: 'running', status: sampleStatus({ control: { seq: 2, paused: ['collector'] } }) },
    });
    expect(press(paused, 'p').actions).toMatchObject([{ words: ['resume', 'collector'] }]);
  });

  it('asks before it pauses what takes frames, by its key and by the palette, and not before it resumes', () => {
    const words = ['pause', 'collector'];
    for (const keys of ['p', ':pause collector<enter>']) {
      const asked = press(sampleState(), keys);
      expect(asked.actions).toEqual([]);
      expect(asked.state.overlay).toMatchObject({
        kind: 'question',
        text: expect.stringContaining('No frames are taken'),
      });
      expect(press(asked.state, 'n').actions).toEqual([]);
      expect(press(asked.state, 'y').actions).toMatchObject([
        { do: 'command', id: 1, purpose: 'pause collector', words },
      ]);
    }
  });

  it('says what a stage waits for that rests by itself: resuming would not help', () => {
    const status = sampleStatus({
      alarms: [sampleAlarm({ stage: 'collector', key: 'no_room', message: 'only 3 MB are free: free some space' })],
    });
    status.stages.collector = sampleStage({ state: 'paused' });
    const full = sampleState({ reading: { connection: 'running', status } });
    const { actions, state } = press(full, 'p');
    expect([actions, state.overlay]).toEqual([[], null]);
    expect(shownMessage(state).text).toContain('collector rests by itself');
    expect(shownMessage(state).text).toContain('free some space');
    status.control.paused = ['collector'];
    expect(press(full, 'p').actions).toMatchObject([{ words: ['resume', 'collector'] }]);
  });

  it('selects no stage beyond the first and the last', () => {
    expect(press(sampleState(), '<up><up>').state.selected).toBe('collector');
    expect(press(sampleState(), '<down><down><down><down>').state.selected).toBe('communicator');
  });
});

describe('leaving', () => {
  it('leaves at once where the pipeline goes on', () => {
    expect(press(sampleState(), 'q').actions).toEqual([{ do: 'quit' }]);
    expect(press(sampleState(), '<C-c>').actions).toEqual([{ do: 'quit' }]);
  });

  it('asks whether to stop the pipeline that would end with it', () => {
    const own = sampleState({ mode: 'own' });
    expect(press(own, 'q').actions).toEqual([]);
    expect(press(own, 'qn').actions).toEqual([]);
    expect(press(own, 'qy').actions).toEqual([{ do: 'stopOwn' }]);
  });

  it('stops the own pipeline on Ctrl-C, and again to cut it short', () => {
    const { actions, state } = press(sampleState({ mode: 'own' }), '<C-c><C-c>');
    expect(actions).toEqual([{ do: 'stopOwn' }, { do: 'stopOwn' }]);
    expect(shownMessage(state).text).toContain('cutting short');
  });

  it('leaves on Ctrl-C whatever lies over the page', () => {
    expect(press(sampleState(), 'm<C-c>').actions).toEqual([{ do: 'quit' }]);
    expect(press(sampleState(), '/abc<C-c>').actions).toEqual([{ do: 'quit' }]);
  });

  it('offers neither start nor restart to the own pipeline', () => {
    expect(press(sampleState({ mode: 'own' }), 'sRy').actions).toEqual([]);
  });
});

describe('messages', () => {
  const ended = (code: number): ConsoleInput[] => [
    { kind: 'command', id: 1, output: { kind: 'line', text: 'the collector is held by pid 77' } },
    { kind: 'command', id: 1, output: { kind: 'ended', code } },
  ];

  it('shows what a command says, and forgets its good news after a while', () => {
    const started = press(idle('none'), 's').state;
    expect(shownMessage(started).text).toBe('start: asked for');
    const done = following(started, ...ended(0));
    expect(done.commands).toEqual([]);
    expect(shownMessage(done)).toEqual({ text: 'start: the collector is held by pid 77', tone: 'accent' });
    expect(following(done, { kind: 'time', now: noon + 11_000 }).messages).toEqual([]);
  });

  it('shows of good news the fact, and not the commands that a terminal would be told of', () => {
    const lines = [
      'the replay goes on when this terminal is closed',
      '  phorest console   shows it',
      '  phorest stop   ends it',
    ];
    const done = following(
      press(idle('none'), 's').state,
      ...lines.map(line => ({ kind: 'command' as const, id: 1, output: { kind: 'line' as const, text: line } })),
      { kind: 'command', id: 1, output: { kind: 'ended', code: 0 } },
    );
    expect(shownMessage(done).text).toBe('start: the replay goes on when this terminal is closed');
  });

  it('drops news when the pipeline comes or goes: what to press then must be in sight', () => {
    const told = following(sampleState(), { kind: 'said', level: 'info', text: 'it goes on' });
    const crashed = following(told, { kind: 'status', reading: { connection: 'crashed', status: sampleStatus() } });
    expect(shownMessage(crashed).text).toContain('Press s to start it again');
  });

  it('keeps an error, with its reason and code, until it is acknowledged', () => {
    const failed = following(press(idle('none'), 's').state, ...ended(3));
    const later = following(failed, { kind: 'time', now: noon + 3_600_000 });
    expect(shownMessage(later).text).toContain('start failed (exit code 3): the collector is held by pid 77');
    expect(press(later, '<escape>').state.messages).toEqual([]);
  });

  it('makes room for a long error', () => {
    const failed = following(sampleState(), { kind: 'said', level: 'error', text: 'x'.repeat(170) });
    expect(layoutOf(failed)!.message!.height).toBe(3);
  });

  it('asks to write the shipped configuration where there is none, and never without asking', () => {
    expect(press(sampleState(), 'e').actions).toEqual([{ do: 'edit' }]);
    const asked = following(sampleState(), { kind: 'noConfiguration' });
    expect(asked.overlay).toMatchObject({ kind: 'question' });
    expect(press(asked, 'n').actions).toEqual([]);
    expect(press(asked, 'y').actions).toEqual([{ do: 'writeConfig' }]);
  });
});

describe('pages and the chart', () => {
  it('turns pages by number and in turn', () => {
    expect(press(sampleState(), '3').state.page).toBe('chip');
    expect(press(sampleState(), '<tab><tab>').state.page).toBe('chip');
    expect(press(sampleState(), '<S-tab>').state.page).toBe(pageNames.at(-1));
    expect(press(sampleState({ page: pageNames.at(-1)! }), '<tab>').state.page).toBe('overview');
  });

  const history = sampleHistory(['a']);

  it('zooms between ten seconds and all', () => {
    expect(press(sampleState({ page: 'chart', history }), '+'.repeat(20)).state.chart.zoom).toBe(0);
    expect(press(sampleState({ page: 'chart', history }), '-'.repeat(20)).state.chart.zoom).toBe(12);
  });

  it('does not zoom a chart that a small window has no room for', () => {
    expect(press(sampleState({ history, columns: 80, rows: 24 }), '+').state.chart.zoom).toBeNull();
    expect(press(sampleState({ history, columns: 120, rows: 40 }), '+').state.chart.zoom).not.toBeNull();
  });

  it('picks ROIs from a list, a handful at first', () => {
    const state = sampleState({ page: 'chart', history: sampleHistory(labels) });
    const off = press(state, 'r ').state;
    expect(off.chart.picked).toHaveLength(4);
    expect(off.chart.picked).not.toContain('G0_N');
    expect(press(off, '<down> <escape>').state.chart.picked).toContain('G1_N');
    expect(press(off, 'a').state.chart.picked).toEqual([]);
    expect(press(off, 'aa').state.chart.picked).toBeNull();
    expect(press(state, 'r<end>').state.overlay).toEqual({ kind: 'rois', cursor: 39 });
    expect(press(state, 'r<end><down><home><up>').state.overlay).toEqual({ kind: 'rois', cursor: 0 });
  });

  it('knows a baseline again that has not changed, so that medians need not be worked out anew', () => {
    const first = following(sampleState(), { kind: 'history', history: sampleHistory(labels) });
    const second = following(first, { kind: 'history', history: sampleHistory(labels) });
    expect(second.history!.baseline).toBe(first.history!.baseline);
    const moved = sampleHistory(labels);
    moved.baseline[3] = 7;
    expect(following(second, { kind: 'history', history: moved }).history!.baseline[3]).toBe(7);
  });

  it('has no ROI list before there is a result', () => {
    expect(press(sampleState({ page: 'chart' }), 'r').state.overlay).toBeNull();
  });
});

describe('log', () => {
  const log = (count: number): ConsoleState =>
    following(sampleState({ page: 'log' }), { kind: 'log', lines: sampleLines(count) });

  it('keeps the last lines only', () => {
    const state = following(log(1500), { kind: 'log', lines: sampleLines(1500) });
    expect(state.log.lines).toHaveLength(keptLines);
    expect(state.log.first).toBe(1000);
  });

  it('stays where it was scrolled to while lines come and old ones go, and follows again at the end', () => {
    const scrolled = press(log(1990), '<pageup>').state;
    const bottom = scrolled.log.bottom!;
    expect(bottom).toBe(1990 - 1 - 13);
    const more = following(scrolled, { kind: 'log', lines: sampleLines(500) });
    expect(more.log.bottom).toBe(bottom);
    expect(press(more, '<end>').state.log.bottom).toBeNull();
    expect(press(more, '<home>').state.log.bottom).toBe(more.log.first + 13);
  });

  it('goes round the levels', () => {
    const levels = ['f', 'ff', 'fff', 'ffff'].map(keys => press(log(1), keys).state.log.level);
    expect(levels).toEqual(['warning', 'error', 'debug', 'info']);
  });

  it('searches backwards from the end, then older and newer', () => {
    const found = press(log(100), '/LINE 3<enter>').state;
    expect(found.log.bottom).toBe(39);
    expect(press(found, 'n').state.log.bottom).toBe(38);
    expect(press(found, 'nnN').state.log.bottom).toBe(38);
    expect(shownMessage(press(found, 'N').state).text).toContain('no newer line');
  });

  it('says when nothing is found, and edits what is typed', () => {
    expect(shownMessage(press(log(10), '/xq<backspace>z<enter>').state).text).toBe('no line has "xz"');
    expect(press(log(10), '/q<escape>').state).toMatchObject({ overlay: null, log: { search: '' } });
  });

  it('scrolls with the wheel', () => {
    const up = reduce(log(100), { kind: 'mouse', what: 'wheelUp', x: 5, y: 10 }).state;
    expect(up.log.bottom).toBe(96);
    expect(reduce(up, { kind: 'mouse', what: 'wheelDown', x: 5, y: 10 }).state.log.bottom).toBeNull();
  });
});

describe('tools', () => {
  it('chooses one, takes its arguments apart without a shell, and shows its output', () => {
    const { state, actions } = press(sampleState(), 'm<enter>"/my data" --speed 10<enter>');
    expect(actions).toEqual([{ do: 'tool', words: ['replay', '/my data', '--speed', '10'] }]);
    const shown = following(
      state,
      { kind: 'tool', output: { kind: 'line', text: 'frame 1' } },
      { kind: 'tool', output: { kind: 'ended', code: 0 } },
    );
    expect(shown.overlay).toEqual({ kind: 'output', bottom: null });
    expect(shown.tool).toEqual({ title: 'replay "/my data" --speed 10', lines: ['frame 1'], dropped: 0, code: 0 });
  });

  it('says that a quote is open rather than run it', () => {
    const { state, actions } = press(sampleState(), 'm<down><enter>"x<enter>');
    expect(actions).toEqual([]);
    expect(shownMessage(state).text).toContain('a quote is not closed');
  });

  it('leaves a running tool with Esc, comes back to it with the same key, and cuts it', () => {
    const left = press(sampleState(), 'm<enter><enter><escape>').state;
    expect(left.overlay).toBeNull();
    const back = press(left, 'm').state;
    expect(back.overlay).toEqual({ kind: 'output', bottom: null });
    expect(press(back, 'c').actions).toEqual([{ do: 'cutTool' }]);
  });

  it('keeps a bounded output and its place in it', () => {
    let state = press(sampleState(), 'm<enter><enter>').state;
    for (let i = 0; i < keptLines + 10; i++)
      state = reduce(state, { kind: 'tool', output: { kind: 'line', text: `${i}` } }).state;
    expect(state.tool!.lines).toHaveLength(keptLines);
    expect(state.tool!.dropped).toBe(10);
    const up = press(state, '<pageup>').state;
    expect(up.overlay).toEqual({ kind: 'output', bottom: keptLines + 9 - 17 });
    expect(press(up, '<end>').state.overlay).toEqual({ kind: 'output', bottom: null });
  });

  it('types letters that are keys elsewhere', () => {
    expect(press(sampleState(), 'm<enter>q?sx').state.overlay).toMatchObject({ kind: 'arguments', text: 'q?sx' });
  });
});

describe('mouse', () => {
  it('chooses a page by its tab and a stage by its row', () => {
    expect(reduce(sampleState(), { kind: 'mouse', what: 'press', x: 15, y: 2 }).state.page).toBe('chart');
    expect(reduce(sampleState(), { kind: 'mouse', what: 'press', x: 10, y: 3 + 4 + 2 + 1 }).state.selected).toBe(
      'processor',
    );
    expect(reduce(sampleState(), { kind: 'mouse', what: 'press', x: 10, y: 3 + 4 + 2 + 9 }).state.selected).toBeNull();
  });

  it('does nothing while the window is too small', () => {
    const small = sampleState({ columns: 40, rows: 10 });
    expect(reduce(small, { kind: 'mouse', what: 'press', x: 15, y: 2 }).state).toEqual(small);
  });
});

describe('a window that is too small', () => {
  it('still leaves by its key', () => {
    expect(press(sampleState({ columns: 20, rows: 5 }), 'q').actions).toEqual([{ do: 'quit' }]);
  });

  const small = { columns: 40, rows: 10 } as const;
  const text = (state: ConsoleState) => smallWindow(state).map(lineText).join('\n');

  it.each([
    [59, 17],
    [40, 10],
    [20, 5],
    [12, 4],
  ])('draws the question that its key asks, with the answers, in %i × %i', (columns, rows) => {
    const own = sampleState({ columns, rows, mode: 'own' });
    expect(text(own)).toContain('q asks');
    const asked = press(own, 'q').state;
    for (const answer of [/^y stop/, /(^| {3})b in the b/m, /(^| {3})n stay/m]) expect(text(asked)).toMatch(answer);
    expect(smallWindow(asked).length).toBeLessThanOrEqual(rows);
    expect(text(press(asked, 'n').state)).toContain('q asks');
    expect(press(asked, 'y').actions).toMatchObject([{ do: 'stopOwn' }]);
    expect(text(sampleState({ columns, rows }))).toContain('q leaves');
  });

  it('does nothing that is not seen: no stop, no pause, no start, no typing', () => {
    for (const keys of ['xy', 'p', 'py', 's', 'Ry', 'm<enter>', ':pause collector<enter>', 'y', '2']) {
      const pressed = press(sampleState(small), keys);
      expect([keys, pressed.actions]).toEqual([keys, []]);
      expect(pressed.state).toEqual(sampleState(small));
    }
  });

  it('leaves also while a line is typed, and keeps what was typed until the window is larger', () => {
    const typing = { ...press(sampleState(), '5/abc').state, ...small };
    expect(press(typing, 'd').state).toEqual(typing);
    expect(press(typing, 'q').actions).toEqual([{ do: 'quit' }]);
  });
});
