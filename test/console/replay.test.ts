import { from, lastValueFrom, type Observable, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { CommandOutput } from '../../src/console/consoleHost.ts';
import { type ConsoleState, initialState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { useMouse } from '../../src/console/mouseActions.ts';
import { reduce } from '../../src/console/reduce.ts';
import { beginReplay } from '../../src/console/replay/beginReplay.ts';
import { shownMessage } from '../../src/console/shownMessage.ts';
import { footerLine } from '../../src/console/views/footerLine.ts';
import { lineText } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { ReplayStatus } from '../../src/model/replay.ts';
import type { Connection } from '../../src/model/status.ts';
import { press } from './press.ts';
import { noon, sampleStage, sampleState, sampleStatus, unicode } from './sampleConsole.ts';

const goOn = ['replay', '/old/Pos0', '--out', '/replays/Pos0-fano'];

const sampleReplay = (over: Partial<ReplayStatus> = {}): ReplayStatus => ({
  folder: '/old/Pos0',
  frame: 120,
  count: 480,
  read: 84,
  skipped: 36,
  recorded: '2025-08-12T13:45:01.749708',
  speed: 10,
  speed_now: 9.96,
  paused: false,
  left_seconds: 754,
  seek: null,
  ended: false,
  ...over,
});

function replaying(
  over: Partial<ReplayStatus> = {},
  { columns = 80, rows = 24, connection = 'running' as Connection, seq = 1 } = {},
): ConsoleState {
  const host = {
    root: '/replays/Pos0-fano',
    mode: 'attached' as const,
    tools: [],
    configFile: '/replays/Pos0-fano/configs/Phorest_config.toml',
    replay: {
      results: '/replays/Pos0-fano/results',
      resultLines: () => [],
      goOn,
      roiManifest: '/old/ROI_manifest.json',
      steer: async () => 1,
      complete: async () => ({ field: 'folder' as const, text: '', items: [], said: '' }),
      show: async () => undefined,
    },
  };
  const initial = initialState({ host, drawing: unicode, now: noon, columns, rows });
  const { collector } = sampleStatus().stages;
  const stages = { collector: collector!, processor: sampleStage({ queued: 0 }) };
  const status = sampleStatus({ replay: sampleReplay(over), control: { seq, paused: [] }, stages });
  return { ...initial, reading: { connection, status } };
}

function shown(state: ConsoleState): string[] {
  const rect = layoutOf(state)!.replay!;
  return panelViews.replay.content(state, rect).lines.map(lineText);
}

describe('the replay on the overview', () => {
  it('says which ROI manifest it has, where there is room beside the folder', () => {
    expect(shown(replaying({}, { columns: 140 }))[1]).toMatch(/ \/old\/Pos0 · ROIs of \/old\/ROI_manifest\.json $/);
    expect(shown(replaying())[1]).not.toContain('ROIs');
  });

  it('shows state, bar, place, recorded time and time left', () => {
    const [bar, details] = shown(replaying());
    expect(bar).toMatch(/^ Replay ● ×10 █+[▏▎▍▌▋▊▉]?░+ frame 120 of 480 {2}25 % $/);
    expect(bar).toHaveLength(80);
    const [, whole, filled] = /((█+)[▏▎▍▌▋▊▉]?░+)/.exec(bar!)!;
    expect(filled!.length / whole!.length).toBeCloseTo(0.25, 1);
    expect(details).toMatch(/^ recorded 2025-08-12 13:45:01 · 13 min left · 36 skipped +\/old\/Pos0 $/);
  });

  it.each([
    [{ speed: null, speed_now: 3.14 }, 'maximum speed now ×3.1'],
    [{ speed: 100, speed_now: 12.1 }, '×100 now ×12'],
    [{ speed: 0.1, speed_now: 0.1 }, '● ×0.1 █'],
    [{ paused: true }, '‖ paused (×10) █'],
    [{ ended: true, frame: 480 }, 'all read ██'],
    [{ count: null, frame: 1234 }, 'frame 1,234 '],
  ])('says of %o: %s', (over, words) => {
    expect(shown(replaying(over))[0]).toContain(words);
  });

  it('leaves out the folder before it cuts what it says', () => {
    const folder = '/a/folder/of/a/rather/long/name/in/which/all/images/are';
    const details = shown(replaying({ folder }, { columns: 60, rows: 18 }))[1]!;
    expect(details).toContain('36 skipped');
    expect(details).not.toContain('folder');
  });

  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])('has two rows of its own at %i×%i, and nothing lies over another', (columns, rows) => {
    const places = Object.values(layoutOf(replaying({}, { columns, rows }))!).filter(({ height }) => height > 0);
    const cells = new Set<number>();
    let taken = 0;
    for (const { left, top, width, height } of places) {
      taken += width * height;
      for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) cells.add(y * columns + x);
    }
    expect(cells.size).toBe(taken);
    expect(Math.max(...cells)).toBeLessThan(columns * rows);
  });

  it('is not there where nothing is replayed', () => {
    expect(layoutOf(sampleState())!.replay).toBeUndefined();
    expect(lineText(footerLine(sampleState(), 120))).not.toContain('Space');
    expect(press(sampleState(), '<space>.<>g').actions).toEqual([]);
  });

  it('names its keys first', () => {
    expect(lineText(footerLine(replaying(), 80))).toContain('Space pause/go on  . step  < slower  > faster  g go to');
  });
});

describe('the keys of a replay', () => {
  it('pause and go on, and show that at once', () => {
    const paused = press(replaying(), '<space>');
    expect(paused.actions).toEqual([{ do: 'steer', wish: { kind: 'pause' } }]);
    expect(shown(paused.state)[0]).toContain('paused');
    const again = press(paused.state, '<space>');
    expect(again.actions).toEqual([{ do: 'steer', wish: { kind: 'resume' } }]);
    expect(shown(again.state)[0]).toContain('● ×10');
  });

  it('step a frame, and pause with it', () => {
    const { state, actions } = press(replaying(), '..');
    expect(actions).toEqual([
      { do: 'steer', wish: { kind: 'step', frames: 1 } },
      { do: 'steer', wish: { kind: 'step', frames: 1 } },
    ]);
    expect(shown(state)[0]).toContain('paused');
  });

  it.each([
    [10, null, '>', 20],
    [10, null, '<', 5],
    [0.2, null, '<', 0.1],
    [0.1, null, '<', 0.1],
    [1000, null, '>', 'max'],
    [3, null, '>', 5],
    // As fast as it goes was 31 times the pace.
    [null, 31, '<', 20],
    [null, null, '<', 1000],
    [null, 31, '>', 'max'],
  ])('from ×%s (really ×%s) %s goes to ×%s', (speed, speedNow, key, next) => {
    const { actions } = press(replaying({ speed, speed_now: speedNow }), key === '<' ? ',' : key);
    expect(actions).toEqual([{ do: 'steer', wish: { kind: 'speed', speed: next } }]);
  });

  it('pressed twice go two speeds on, before the replay has answered', () => {
    expect(press(replaying(), '>>').actions.at(-1)).toEqual({ do: 'steer', wish: { kind: 'speed', speed: 50 } });
  });

  it('show what the replay says as soon as it has seen the wish, and what it was when the wish could not be written', () => {
    const { state } = press(replaying(), '<space>');
    const written = reduce(state, { kind: 'steered', seq: 2 }).state;
    const older = reduce(written, { kind: 'status', reading: replaying().reading! }).state;
    expect(shown(older)[0]).toContain('paused');
    // Somebody else has let it go on since.
    const newer = reduce(older, { kind: 'status', reading: replaying({}, { seq: 3 }).reading! }).state;
    expect(shown(newer)[0]).toContain('● ×10');
    expect(shown(reduce(state, { kind: 'steered', seq: null }).state)[0]).toContain('● ×10');
  });

  it('count on from the last wish while earlier ones are being written and seen', () => {
    let { state } = press(replaying({ speed: 2 }), '>>>');
    state = reduce(state, { kind: 'steered', seq: 2 }).state;
    // The replay has seen the first of three.
    state = reduce(state, { kind: 'status', reading: replaying({ speed: 5 }, { seq: 2 }).reading! }).state;
    expect(shown(state)[0]).toContain('×20');
    expect(press(state, '>').actions).toEqual([{ do: 'steer', wish: { kind: 'speed', speed: 50 } }]);
    for (const seq of [3, 4]) state = reduce(state, { kind: 'steered', seq }).state;
    state = reduce(state, { kind: 'status', reading: replaying({ speed: 10 }, { seq: 3 }).reading! }).state;
    expect(shown(state)[0]).toContain('×20');
    state = reduce(state, { kind: 'status', reading: replaying({ speed: 20 }, { seq: 4 }).reading! }).state;
    expect(state.replay.asked).toBeNull();
  });

  it('go to what is typed', () => {
    expect(press(replaying(), 'g12:30<enter>').actions).toEqual([{ do: 'steer', wish: { kind: 'seek', to: '12:30' } }]);
    expect(press(replaying(), 'g<enter>').actions).toEqual([]);
    expect(press(replaying(), 'g<escape>').state.overlay).toBeNull();
    const wrong = press(replaying(), 'gsoon<enter>');
    expect(wrong.actions).toEqual([]);
    expect(wrong.state.overlay).toMatchObject({ kind: 'goTo', text: 'soon' });
  });

  it('do nothing once the folder is read, or the replay has ended', () => {
    expect(press(replaying({ ended: true }), '<space>.>g').actions).toEqual([]);
    expect(press(replaying({}, { connection: 'stopped' }), '<space>.>g').actions).toEqual([]);
  });

  it('are answered with what became of a seek', () => {
    const seek = { number: 1, said: 'frame 200 of 480; 80 frames are skipped' };
    const { state } = reduce(replaying(), { kind: 'status', reading: replaying({ seek }).reading! });
    expect(shownMessage(state).text).toBe(seek.said);
  });
});

describe('a click on the bar', () => {
  it('goes there', () => {
    const state = replaying();
    const { top } = layoutOf(state)!.replay!;
    const bar = shown(state)[0]!;
    const middle = Math.floor((bar.indexOf('█') + bar.lastIndexOf('░')) / 2);
    const { actions } = useMouse(state, { kind: 'mouse', what: 'press', x: middle, y: top });
    expect(actions).toHaveLength(1);
    const { wish } = actions[0] as { wish: { to: string } };
    expect(Number.parseFloat(wish.to)).toBeGreaterThan(48);
    expect(Number.parseFloat(wish.to)).toBeLessThan(52);
    expect(useMouse(state, { kind: 'mouse', what: 'press', x: 2, y: top }).actions).toEqual([]);
    expect(useMouse(state, { kind: 'mouse', what: 'press', x: middle, y: top + 1 }).actions).toEqual([]);
  });
});

describe('a replay that does not run any more', () => {
  it('says where its results are when it is finished, and offers no start', () => {
    const state = replaying({ ended: true, frame: 480 }, { connection: 'stopped' });
    expect(shownMessage(state).text).toBe('The replay is finished. Results are in /replays/Pos0-fano/results');
    expect(shown(state)[0]).toContain('finished');
    expect(press(state, 's').actions).toEqual([]);
  });

  it('goes on with one key, at its speed, when it was ended before', () => {
    const state = replaying({ speed: 0.5 }, { connection: 'stopped' });
    expect(shownMessage(state).text).toContain('Press s to go on');
    expect(press(state, 's').actions).toMatchObject([
      { do: 'command', words: [...goOn, '--speed', '0.5', '--background'] },
    ]);
    expect(press(replaying({ speed: null }, { connection: 'crashed' }), 's').actions).toMatchObject([
      { words: [...goOn, '--speed', 'max', '--background'] },
    ]);
  });

  it('is not restarted as a pipeline, and ending one asks', () => {
    expect(press(replaying(), 'Ry').actions).toEqual([]);
    const { state } = press(replaying(), 'x');
    expect(state.overlay).toMatchObject({ kind: 'question', text: expect.stringContaining('End the replay?') });
  });
});

describe('the form of a replay', () => {
  const tools = sampleState().tools;
  const opened = (keys = ''): ReturnType<typeof press> => press({ ...replaying(), tools }, `m<enter>${keys}`);
  const lines = (state: ConsoleState): string[] => overlayView(state)!.lines.map(lineText);
  const known = (state: ConsoleState, text: string, items: string[], said = ''): ConsoleState =>
    reduce(state, { kind: 'completed', completed: { field: 'folder', text, items, said } }).state;

  it('begins with a folder alone: its ROIs, the configured method, as fast as it goes', () => {
    expect(opened('/old/Pos0<enter>').actions).toEqual([
      { do: 'replay', words: ['replay', '/old/Pos0', '--speed', 'max'] },
    ]);
  });

  it('takes folder, ROIs, method and speed; what is typed takes the place of a word that is offered', () => {
    const { actions, state } = opened('/old/my run<down>/old/rois.json<down><right><right><down>2.5<enter>');
    expect(actions).toEqual([
      {
        do: 'replay',
        words: ['replay', '/old/my run', '--speed', '2.5', '--rois', '/old/rois.json', '--method', 'centre'],
      },
    ]);
    expect(state.overlay).toBeNull();
    expect(shownMessage(state).text).toBe('the replay begins');
  });

  it('chooses words there and back, and fields up and down, round the ends', () => {
    expect(opened('x<up><right><left><left><enter>').actions).toMatchObject([
      { words: expect.arrayContaining(['100']) },
    ]);
    expect(opened('x<down><down><down><down>y<enter>').actions).toMatchObject([
      { words: ['replay', 'xy', '--speed', 'max'] },
    ]);
  });

  it.each([
    ['', 'no folder of images yet'],
    ['/old<up>fast', '"fast" is no speed'],
    ['/old<up>-1', '"-1" is no speed'],
    ['/old<down><down>magic', '"magic" is no method'],
  ])('does not begin with %j, and says why while one types', (keys, why) => {
    const { state, actions } = opened(`${keys}<enter>`);
    expect(actions).toEqual([]);
    expect(lines(state).join('\n')).toContain(why);
  });

  it('completes a path as far as it can be meant in one way only, and goes to the next field where it can not', () => {
    const { state } = opened('/old/r');
    const two = known(state, '/old/r', ['/old/run_1/', '/old/run_2/']);
    expect(lines(two).join('\n')).toContain('run_1/  run_2/');
    const completed = press(two, '<tab>').state;
    expect(completed.overlay).toMatchObject({ field: 0, text: '/old/run_' });
    // What is known of another text counts no more.
    expect(press(known(press(completed, '1').state, '/old/run_1', []), '<tab>').state.overlay).toMatchObject({
      field: 1,
    });
    expect(press(known(completed, '/old/run_', ['/old/run_2/']), '<tab>').state.overlay).toMatchObject({
      text: '/old/run_2/',
    });
  });

  it('says how many images a folder holds', () => {
    const { state } = opened('/old/run/');
    expect(lines(known(state, '/old/run/', [], '240 images')).join('\n')).toContain('240 images');
  });

  it('comes again as it was filled in when the replay could not begin, with the reason', () => {
    const { state } = opened('/old/nix<enter>');
    const again = reduce(state, { kind: 'noReplay', why: 'the replay could not begin: no such folder' }).state;
    expect(again.overlay).toMatchObject({ kind: 'replayForm', text: '/old/nix' });
    expect(shownMessage(again).text).toContain('no such folder');
  });

  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])('has room at %i×%i', (columns, rows) => {
    const { state } = press(
      { ...replaying({}, { columns, rows }), tools },
      'm<enter>/old/a/rather/long/path/to/a/folder/of/images',
    );
    const view = overlayView(state)!;
    expect(view.lines.length).toBeLessThanOrEqual(rows - 4);
    expect(view.lines.every(each => lineText(each).length === view.rect.width)).toBe(true);
    expect(lines(state).join('\n')).toMatch(/Folder.*ROIs.*Method.*Speed/s);
  });
});

describe('a replay that is begun from the console', () => {
  const outputOf = (lines: string[], code: number): Observable<CommandOutput> =>
    from([...lines.map(text => ({ kind: 'line' as const, text })), { kind: 'ended' as const, code }]);

  it('is shown as soon as it runs, until it is left', async () => {
    const shownRoots: string[] = [];
    const inputs = await lastValueFrom(
      beginReplay(outputOf(['{"pid":7,"out":"/replays/run"}'], 0), async root => {
        shownRoots.push(root);
      }).pipe(toArray()),
    );
    expect(shownRoots).toEqual(['/replays/run']);
    expect(inputs).toEqual([{ kind: 'said', level: 'info', text: 'the replay is in /replays/run' }]);
  });

  it.each([
    [['/old/nix: no such folder'], 2, 'the replay could not begin: /old/nix: no such folder'],
    [[], 1, 'the replay could not begin: it said nothing'],
    [['no JSON'], 0, 'the replay could not begin: no JSON'],
  ])('that prints %j and ends with %i says why it did not begin', async (lines, code, why) => {
    const inputs = await lastValueFrom(
      beginReplay(outputOf(lines, code), () => Promise.reject(new Error('not shown'))).pipe(toArray()),
    );
    expect(inputs).toEqual([{ kind: 'noReplay', why }]);
  });
});

describe('a replay that goes on after it was interrupted', () => {
  it('counts what was done before', () => {
    const state = replaying({ read: 84, count: 115, left_seconds: 31 }, { columns: 120, rows: 40 });
    const { stages, throughput, ...status } = state.reading!.status!;
    const shown = {
      ...state,
      reading: {
        connection: 'running' as const,
        status: {
          ...status,
          stages: { ...stages, collector: { ...stages.collector!, done: 24, expected: 115 } },
          throughput: { ...throughput!, finished: 24, expected: 115, waiting: 1 },
        },
      },
    };
    const text = (panel: 'throughput' | 'stages'): string =>
      panelViews[panel].content(shown, layoutOf(shown)![panel]!).lines.map(lineText).join('\n');
    expect(text('throughput')).toMatch(/83 of 115 done, 31 s left/);
    expect(text('throughput')).toMatch(/folder .* 72 %/);
    expect(text('stages')).toMatch(/collector .* 84\/115/);
  });

  it('says the same share and the same time left in the bar and in the panel', () => {
    const state = replaying({ read: 12, frame: 12, count: 18, left_seconds: 89 }, { columns: 120, rows: 40 });
    const { throughput, ...status } = state.reading!.status!;
    const reading = {
      connection: 'running' as const,
      status: { ...status, throughput: { ...throughput!, finished: 12, expected: 18, waiting: 0 } },
    };
    const shown = { ...state, reading };
    const text = (panel: 'throughput' | 'replay'): string =>
      panelViews[panel].content(shown, layoutOf(shown)![panel]!).lines.map(lineText).join('\n');
    for (const panel of ['replay', 'throughput'] as const) {
      expect(text(panel)).toContain('67 %');
      expect(text(panel)).toContain('1 min 29 s left');
    }
  });
});

describe('throughput of a replay that is paused', () => {
  it.each([
    [80, 24],
    [120, 40],
  ])('is told as paused in %i × %i, not as a stall', (columns, rows) => {
    const of = (over: Partial<ReplayStatus>): string => {
      const state = replaying(over, { columns, rows });
      const status = state.reading!.status!;
      const throughput = { ...status.throughput!, per_second: 0, target_per_minute: null };
      const reading = { connection: 'running' as const, status: { ...status, throughput } };
      return panelViews.throughput
        .content({ ...state, reading, now: noon + 44_000 }, layoutOf(state)!.throughput!)
        .lines.map(lineText)
        .join('\n');
    };
    expect(of({ paused: true })).toMatch(/now +paused/);
    expect(of({ paused: true, ended: true })).toMatch(/now +nothing for 45 s/);
    expect(of({})).toMatch(/now +nothing for 45 s/);
  });
});

it('Tab in the form waits for what the path may go on with, and does not leave the field meanwhile', () => {
  const state = { ...replaying(), overlay: null };
  const form = { kind: 'replayForm' as const, field: 0, values: state.replay.form, text: '/old/P', isOffered: false };
  const typed = { ...state, overlay: form };
  expect(press(typed, '<tab>').state.overlay).toMatchObject({ field: 0, text: '/old/P' });
  const completed = { field: 'folder' as const, text: '/old/P', items: ['/old/Pos0/'], said: '' };
  const known = { ...typed, replay: { ...typed.replay, completed } };
  expect(press(known, '<tab>').state.overlay).toMatchObject({ field: 0, text: '/old/Pos0/' });
});

it('Ctrl-U empties the line that is typed; what was wrong with the form before counts no more once it is tried again', () => {
  const state = { ...replaying(), overlay: null };
  const form = { kind: 'replayForm' as const, field: 0, values: state.replay.form, text: '/old/P', isOffered: false };
  expect(press({ ...state, overlay: form }, '<C-u>').state.overlay).toMatchObject({ field: 0, text: '' });
  const refused = (before: ConsoleState, why: string): ConsoleState =>
    reduce(before, { kind: 'noReplay', why: `the replay could not begin: ${why}` }).state;
  const twice = refused(refused({ ...state, overlay: form }, '/a: no such folder'), '/b: no such folder');
  expect(twice.messages.map(({ text }) => text)).toEqual(['the replay could not begin: /b: no such folder']);
});
