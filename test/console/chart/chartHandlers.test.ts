import { describe, expect, it } from 'vitest';
import { chartTime, timeEnd } from '../../../src/console/chart/chartTime.ts';
import type { ConsoleState } from '../../../src/console/consoleState.ts';
import { layoutOf } from '../../../src/console/layout.ts';
import { reduce } from '../../../src/console/reduce.ts';
import { lineText } from '../../../src/console/views/line.ts';
import { panelViews } from '../../../src/console/views/panels.ts';
import { ascii, noon, sampleOf, sampleState, sampleStatus } from '../sampleConsole.ts';

/** Two ROIs, an image a second for the last 20 minutes: shifts of 0.1 and 0.2 px, half a pixel more in the last 5 minutes. */
const samples = Array.from({ length: 1_200 }, (_, i) => {
  const step = i >= 900 ? 0.5 : 0;
  return sampleOf({
    at: noon - (1_200 - i) * 1_000,
    positions: Float32Array.of(100, 200),
    shifts: Float32Array.of(0.1 + step, 0.2 + step),
    shiftUncertainties: Float32Array.of(0.004, 0.004),
    flags: Uint16Array.of(i === 600 ? 2 : 0, 0),
  });
});
const history = {
  labels: ['a', 'b'],
  baseline: Float64Array.of(99, 199),
  samples,
  flagNames: ['low_signal', 'saturated'],
};
const at = (over: Partial<ConsoleState> = {}, zoom = 3): ConsoleState => {
  const state = sampleState({ page: 'chart', history, columns: 120, rows: 40, ...over });
  return { ...state, chart: { ...state.chart, zoom } };
};
const press = (state: ConsoleState, ...keys: string[]): ConsoleState =>
  keys.reduce((before, key) => reduce(before, { kind: 'key', key, text: '' }).state, state);
const mouse = (
  state: ConsoleState,
  what: 'press' | 'drag' | 'release' | 'wheelUp' | 'wheelDown',
  x: number,
): ConsoleState => reduce(state, { kind: 'mouse', what, x, y: 10 }).state;
const shown = (state: ConsoleState): string[] =>
  panelViews.chart.content(state, layoutOf(state)!.chart!).lines.map(lineText);
const timeOf = (state: ConsoleState) => chartTime(state, history, 109);
const readout = (state: ConsoleState): string => shown(state).find(line => /^ (?:at|last) /.test(line))!;

describe('the chart page', () => {
  it('says of how many frames a column is, how long it is, and in which zone times are', () => {
    expect(shown(at())[0]).toMatch(/Shift since the reference, px .* last 10 min · a column is 5.5 s, 6 frames · UTC/);
  });

  it('reads time, ROI, shift, its standard error, range, frames and flags at the cursor', () => {
    expect(readout(at())).toMatch(
      / last \d\d:\d\d:\d\d M median of all \+0\.650 px, \+0\.650 to \+0\.650 · median of \d frames/,
    );
    const cursor = press(at(), 'down', 'left');
    expect(readout(cursor)).toMatch(/ at \d\d:\d\d:\d\d a a \+0\.6000 ± 0\.0040 px/);
    const flagged = { ...cursor, chart: { ...cursor.chart, zoom: 0, end: noon - 595_000, cursor: noon - 600_000 } };
    expect(readout(flagged)).toMatch(/a a \+0\.1000 ± 0\.0040 px · 1 frame · saturated/);
    const stalled = { ...flagged, chart: { ...flagged.chart, cursor: noon - 599_500 } };
    expect(readout(stalled)).toContain('no frame');
    expect(press(cursor, 'c').chart.cursor).toBeNull();
  });

  it('marks flagged points', () => {
    const state = at();
    const lines = shown({ ...state, chart: { ...state.chart, end: noon - 300_000 } });
    expect(lines.filter(line => /│.*×/.test(line))).toHaveLength(1);
    const drawn = shown({ ...state, drawing: ascii, chart: { ...state.chart, end: noon - 300_000 } });
    expect(drawn.filter(line => /^ .*\|.*x/.test(line))).toHaveLength(1);
  });

  it('tells a jump of all ROIs, which is a step, from a fault: by sign and words', () => {
    const moved = (of: (i: number) => [number, number]): ConsoleState => {
      const flagged = samples.map((sample, i) => ({ ...sample, flags: Uint16Array.from(of(i)) }));
      const state = at({ history: { ...history, samples: flagged, flagNames: ['low_signal', 'moved'] } }, 0);
      const to = noon - 600_000;
      return press({ ...state, chart: { ...state.chart, end: to + 5_000, cursor: to } }, 'down');
    };
    const common = moved(i => (i === 600 ? [2, 2] : [0, 0]));
    expect(readout(common)).toMatch(/jump of 2 of 2 ROIs at once: a step of liquid or chip, no fault/);
    expect(shown(common).join('\n')).toContain('∆');
    expect(shown(common).join('\n')).not.toMatch(/×|moved/);
    expect(shown(common).at(-1)).toContain('∆ jump');
    expect(shown({ ...common, drawing: ascii }).at(-1)).toContain('~ jump');
    const alone = moved(i => (i === 600 ? [2, 0] : [0, 0]));
    expect(readout(alone)).toMatch(/jump since the frame before \(1 of 2 ROIs\)/);
    const fault = moved(i => (i === 600 ? [3, 2] : [0, 0]));
    expect(readout(fault)).toMatch(/low signal, jump of 2 of 2 ROIs/);
    expect(shown(fault).at(-1)).toContain('× flagged');
  });

  it('counts from the cursor, or from now, with 0, says so, and takes it back', () => {
    const now = press(at(), '0');
    expect(now.chart.zero).toMatchObject({ at: samples.at(-1)!.at });
    expect(readout(now)).toContain('median of all 0 px');
    expect(shown(now)[0]).toMatch(/Shift since \d\d:\d\d:\d\d, px/);
    const before = press({ ...now, chart: { ...now.chart, cursor: noon - 400_000 } }, '0', 'c');
    expect(readout(before)).toContain('median of all +0.500 px');
    expect(press(before, '0').chart.zero).toBeNull();
  });

  it('ends now, so that a stall is a gap that grows; and after the last frame where nothing runs', () => {
    const later = at({ now: noon + 120_000 });
    expect(timeEnd(timeOf(later))).toBeGreaterThan(noon + 120_000 - 6_000);
    const axis = shown(later).find(line => line.includes('└'))!;
    expect(axis).toMatch(/─ {20,23}$/);
    const stopped = at({ now: noon + 3_600_000, reading: { connection: 'stopped', status: sampleStatus() } });
    expect(timeEnd(timeOf(stopped))).toBeLessThan(noon + 6_000);
    // Frames of a replay are older than its process.
    const status = sampleStatus({ started: new Date(noon + 3_600_000).toISOString() });
    expect(timeEnd(timeOf(at({ now: noon + 4_000_000, reading: { connection: 'running', status } })))).toBeLessThan(
      noon + 6_000,
    );
  });

  it('goes back in time by keys and drags, holds there, and follows again', () => {
    const back = press(at(), '[');
    expect(timeEnd(timeOf(back))).toBeCloseTo(timeEnd(timeOf(at())) - 300_000, -4);
    expect(shown(back)[0]).toContain('held, End follows');
    expect(timeOf({ ...back, now: noon + 60_000 })).toEqual(timeOf(back));
    expect(press(back, 'end').chart.end).toBeNull();
    expect(press(back, ']', ']').chart.end).toBeNull();
    const dragged = mouse(mouse(mouse(at(), 'press', 40), 'drag', 60), 'release', 60);
    expect(Math.abs(timeEnd(timeOf(dragged)) - (timeEnd(timeOf(at())) - 20 * (600_000 / 109)))).toBeLessThan(6_000);
    expect(dragged.chart.drag).toBeNull();
    const { low, columnMs } = timeOf(press(at(), 'home'));
    expect(low).toBeLessThanOrEqual(samples[0]!.at);
    expect(low + columnMs).toBeGreaterThan(samples[0]!.at);
  });

  it('zooms around the pointer and around the cursor', () => {
    const x = 9 + 50;
    const under = (state: ConsoleState): number => timeOf(state).low + 50.5 * timeOf(state).columnMs;
    const closer = mouse(at(), 'wheelUp', x);
    expect(closer.chart.zoom).toBe(2);
    expect(Math.abs(under(closer) - under(at()))).toBeLessThan(timeOf(at()).columnMs);
    expect(mouse(closer, 'wheelDown', x).chart.zoom).toBe(3);
    const clicked = mouse(at(), 'press', x);
    expect(clicked.chart.cursor).toBe(under(at()));
    expect(Math.abs(under(press(clicked, '+')) - under(at()))).toBeLessThan(timeOf(at()).columnMs);
  });

  it('shows the whole of a young run until somebody zooms, and an hour of an old one', () => {
    const young = (seconds: number, over: Partial<ConsoleState> = {}): ConsoleState =>
      sampleState({
        ...{ page: 'chart', columns: 120, rows: 40, now: noon },
        history: { ...history, samples: samples.slice(-seconds) },
        ...over,
      });
    const span = (state: ConsoleState): string => /last (\S+ \S+)|\b(all)\b/.exec(shown(state)[0]!)![1]!;
    expect(span(young(2))).toBe('5 min');
    expect(span(young(45))).toBe('5 min');
    expect(span(young(310))).toBe('10 min');
    expect(span(young(1_200))).toBe('30 min');
    expect(span(young(45, { now: noon + 2_000_000 }))).toBe('1 h');
    const yesterday = sampleOf({ ...samples[0]!, at: noon - 86_400_000 });
    // The experiment went on after a night.
    const wentOn = { ...history, samples: [yesterday, ...samples.slice(-45)] };
    expect(span(young(0, { history: wentOn }))).toBe('5 min');
    // One frame a day.
    expect(span(young(0, { history: { ...history, samples: [yesterday, samples.at(-1)!] } }))).toBe('1 h');
    expect(span(press(young(45), '-'))).toBe('10 min');
    expect(span(press(young(45), '+'))).toBe('1 min');
    expect(press(young(310), '[').chart.zoom).toBe(3);
  });

  it('zooms and moves in value, and fits again', () => {
    const taller = press(at(), '}');
    const { low, high } = taller.chart.scale as { low: number; high: number };
    expect(high - low).toBeCloseTo((0.6 * 1.12) / 1.5, 2);
    expect(press(taller, 'pageup').chart.scale).toMatchObject({ low: low + (high - low) / 4 });
    expect(shown(taller)[0]).toMatch(/\d+ points above/);
    expect(press(taller, 'f').chart.scale).toBe('robust');
    expect(press(taller, 'f', 'f').chart.scale).toBe('all');
    expect(mouse(at(), 'wheelUp', 3).chart.scale).toMatchObject({ low: expect.any(Number) });
  });

  it('leaves the cursor in the time that is shown, and goes back with it', () => {
    let state = at();
    for (let i = 0; i < 130; i++) state = press(state, 'left');
    const time = timeOf(state);
    expect(state.chart.cursor).toBeGreaterThanOrEqual(time.low);
    expect(state.chart.cursor).toBeLessThan(timeEnd(time));
    expect(state.chart.end).not.toBeNull();
    // One that was left behind by a move in time begins anew in what is shown.
    const moved = press(at(), 'left', '[', '[', 'left');
    expect(timeEnd(timeOf(moved)) - moved.chart.cursor!).toBeLessThanOrEqual(timeOf(moved).columnMs);
  });

  it('has no shift where the results have none, and says so', () => {
    const none = samples.map(sample => ({ ...sample, shifts: Float32Array.of(Number.NaN, sample.shifts[1]!) }));
    const state = at({ history: { ...history, samples: none } });
    expect(shown(state).join('\n')).toMatch(/a a \(no shift: position\) \+1\.00 /);
    expect(readout(press(state, 'down'))).toContain('no shift: position');
    const neither = samples.map(sample => ({ ...sample, shifts: new Float32Array(2).fill(Number.NaN) }));
    expect(shown(at({ history: { ...history, samples: neither } }))[0]).toContain(
      'Shift: none yet; position since the first frame, px',
    );
  });

  it('has the values at the cursor in the legend, as in the line above it', () => {
    const before = { ...at(), chart: { ...at().chart, cursor: noon - 400_000 } };
    expect(readout(before)).toContain('median of all +0.150 px');
    expect(shown(before).at(-1)).toMatch(/median of all \+0\.150 .* a a \+0\.100 .* b b \+0\.200/);
    const sparse = history.samples.filter((_, i) => i % 60 === 0);
    const between = at({ history: { ...history, samples: sparse } });
    const gap = { ...between, chart: { ...between.chart, cursor: noon - 390_000 } };
    expect(readout(gap)).toContain('no frame');
    expect(shown(gap).at(-1)).toMatch(/median of all \+0\.150/);
    expect(shown(press(before, 'c')).at(-1)).toMatch(/median of all \+0\.650 .* a a \+0\.600/);
  });

  it('shows of a replay, whose axis is the recorded time, only what a person has marked', () => {
    const state = at();
    const marks = [
      { time: noon - 400_000, kind: 'start', text: '' },
      { time: noon - 200_000, kind: 'mark', text: 'water' },
    ] as const;
    const status = sampleStatus({ replay: {} as never });
    const lines = shown({ ...state, reading: { connection: 'running', status }, chart: { ...state.chart, marks } });
    expect(lines.find(line => line.includes('└'))).toMatch(/└[^S]*M[^S]*$/);
    expect(lines.join()).not.toMatch(/S \d\d:\d\d:\d\d start/);
  });

  it('shows marks on the time axis, and what they say', () => {
    const state = at();
    const marks = [
      { time: noon - 400_000, kind: 'edit', text: 'collector interval_seconds' },
      { time: noon - 200_000, kind: 'pause', text: 'processor' },
    ] as const;
    const lines = shown({ ...state, chart: { ...state.chart, marks } });
    expect(lines.find(line => line.includes('└'))).toMatch(/E─+P/);
    expect(lines.find(line => line.includes('pause processor'))).toMatch(
      /P \d\d:\d\d:\d\d pause processor .*E .* edit collector/,
    );
  });
});
