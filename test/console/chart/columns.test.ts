import { describe, expect, it } from 'vitest';
import { chartData } from '../../../src/console/chart/chartData.ts';
import { chartTime } from '../../../src/console/chart/chartTime.ts';
import { type Column, columnsOf, spansOf } from '../../../src/console/chart/columns.ts';
import { robustScale } from '../../../src/console/chart/valueScale.ts';
import { medianOf } from '../../../src/model/median.ts';
import type { RoiHistory, RoiSample } from '../../../src/model/roiHistory.ts';
import { noon, sampleOf, sampleState } from '../sampleConsole.ts';

interface Frame {
  at: number;
  shift: number;
}

const one = ({ at, shift }: Frame): RoiSample =>
  sampleOf({ at, positions: Float32Array.of(100 + shift), shifts: Float32Array.of(shift) });

/** As a level of the series has several frames. */
function several(frames: readonly Frame[]): RoiSample {
  const shifts = frames.map(({ shift }) => shift);
  const [low, median, high] = [Math.min(...shifts), medianOf(shifts), Math.max(...shifts)];
  return {
    ...one({ at: frames[0]!.at, shift: median }),
    frames: frames.length,
    lasted: frames.at(-1)!.at - frames[0]!.at,
    spread: { lows: Float32Array.of(low), highs: Float32Array.of(high), all: Float32Array.of(low, median, high) },
  };
}

/** As a console that was attached later has them: single ones at the end, then 4, 16, 64 together. */
function attachedLater(frames: readonly Frame[], ofEach: number): RoiSample[] {
  const samples: RoiSample[] = [];
  let end = frames.length;
  for (let size = 1; end > 0; size *= 4) {
    for (let k = 0; k < ofEach && end > 0; k++) {
      const begin = Math.max(0, Math.ceil(end / size) * size - size);
      samples.unshift(size === 1 ? one(frames[begin]!) : several(frames.slice(begin, end)));
      end = begin;
    }
  }
  return samples;
}

const historyOf = (samples: readonly RoiSample[]): RoiHistory => ({
  labels: ['a'],
  baseline: Float64Array.of(100),
  samples,
  flagNames: ['low_signal', 'saturated'],
});

/** Frames that end at noon; the value is high in every second half period. */
function squareWave(framesPerSecond: number, seconds: number, period: number, noise: number): Frame[] {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5;
  return Array.from({ length: Math.round(seconds * framesPerSecond) }, (_, i) => {
    const at = noon - seconds * 1000 + (i * 1000) / framesPerSecond;
    return { at, shift: (isHigh(at, period) ? 0.5 : 0) + noise * random() };
  });
}
const isHigh = (at: number, period: number): boolean => Math.floor((2 * at) / (period * 1000)) % 2 === 1;

describe.each([
  [0.2, 600, 200],
  [2, 600, 200],
  [40, 600, 60],
])('a square wave at %f frames a second', (framesPerSecond, seconds, period) => {
  const frames = squareWave(framesPerSecond, seconds, period, 0.01);
  it.each([
    { how: 'live', samples: frames.map(one) },
    { how: 'attached later', samples: attachedLater(frames, 100) },
  ])('has its edges within one column and its heights within 2 %: $how', ({ samples }) => {
    const history = historyOf(samples);
    const state = sampleState({ history, now: noon, chart: { ...sampleState().chart, zoom: 3 } });
    const time = chartTime(state, history, 100);
    const { columns } = chartData(history, state.chart, time).shifts[0]!;
    for (const [k, column] of columns.entries()) {
      if (!column) continue;
      const [from, to] = [time.low + (k - 1) * time.columnMs, time.low + (k + 2) * time.columnMs];
      if (isHigh(from, period) !== isHigh(to, period)) continue;
      const truth = isHigh(from, period) ? 0.5 : 0;
      expect(Math.abs(column.median - truth), `column ${k} of ${column.frames} frames`).toBeLessThan(0.02 * 0.5);
      expect([column.low, column.high].every(value => Math.abs(value - truth) <= 0.006)).toBe(true);
    }
    // Every frame of the time is counted once.
    const counted = columns.reduce((sum, column) => sum + (column?.frames ?? 0), 0);
    const inTime = frames.filter(({ at }) => at >= time.low).length;
    expect(Math.abs(counted - inTime)).toBeLessThanOrEqual(Math.max(...samples.map(each => each.frames)));
    // Frames went on to the end: nothing is a gap.
    expect(columns.filter(column => column && !column.joined)).toHaveLength(1);
  });
});

describe('the columns of a curve', () => {
  const time = { low: 0, columnMs: 1_000, columns: 20 };
  const value = ({ shifts, flags }: RoiSample) => {
    const [shift] = shifts as unknown as [number];
    return { low: shift, median: shift, high: shift, flags: flags[0] ?? 0, uncertainty: 0.1 };
  };
  const drawn = (samples: readonly RoiSample[]): (Column | null)[] => columnsOf(samples, spansOf(samples), time, value);
  const each = (from: number, to: number, ms: number, shift: (i: number) => number): RoiSample[] =>
    Array.from({ length: Math.round((to - from) / ms) }, (_, i) => one({ at: from + i * ms, shift: shift(i) }));

  it('have the median, the lowest and the highest of their frames, and how many these are', () => {
    const [column] = drawn(each(0, 1_000, 200, i => [3, 1, 50, 2, 4][i]!));
    expect(column).toMatchObject({ frames: 5, low: 1, median: 3, high: 50, uncertainty: 0.1 });
    expect(drawn(each(0, 800, 200, i => i))[0]).toMatchObject({ frames: 4, median: 1.5 });
  });

  it('are joined over columns without a frame where frames are rare, and not over a gap', () => {
    const rare = drawn(each(0, 20_000, 5_000, i => i));
    expect(rare.map(column => column?.joined ?? null).filter(joined => joined !== null)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    const stalled = drawn([...each(0, 5_000, 100, () => 1), ...each(12_000, 20_000, 100, () => 2)]);
    expect(stalled.map(column => (column === null ? '.' : column.joined ? '-' : '|')).join('')).toBe(
      '|----.......|-------',
    );
  });

  it('do not fill the gap that a sample of several frames has within', () => {
    const frames = [...each(0, 16_000, 1_000, () => 1), ...each(16_000, 20_000, 1_000, () => 1)];
    const halves = [1_000, 1_500, 12_000, 12_500].map(at => ({ at, shift: 1 }));
    const samples = [
      ...Array.from({ length: 4 }, (_, k) => several([0, 100, 200, 300].map(ms => ({ at: k * 200 + ms, shift: 1 })))),
      several(halves),
      ...Array.from({ length: 6 }, (_, k) =>
        several([0, 500, 1_000, 1_500].map(ms => ({ at: 13_000 + k * 2_000 + ms, shift: 1 }))),
      ),
    ];
    const shown = drawn(samples).map(column => (column === null ? '.' : column.joined ? '-' : '|'));
    expect(shown.join('')).toMatch(/^\|-\.{10}\|-+$/);
    expect(frames.length).toBeGreaterThan(0);
  });

  it('know the flags of any frame, and leave out what has no value', () => {
    const samples = each(0, 2_000, 250, i => (i < 4 ? i : Number.NaN));
    samples[2] = { ...samples[2]!, flags: Uint16Array.of(2) };
    const [first, second] = drawn(samples);
    expect([first!.flags, second]).toEqual([2, null]);
  });
});

describe('the scale of values', () => {
  const columns = (values: readonly number[]): (Column | null)[] =>
    values.map(of => ({
      frames: 1,
      low: of,
      median: of,
      high: of,
      flags: 0,
      uncertainty: 0,
      first: 0,
      last: 0,
      joined: true,
    }));
  const flat = Array.from({ length: 100 }, (_, i) => (i % 2) / 100);

  it('leaves out what a few outliers would make of it, and says how many points it cuts', () => {
    const values = flat.map((of, i) => ([10, 30, 50].includes(i) ? 7 : i === 70 ? -3 : of));
    const scale = robustScale([columns(values)], 0.002)!;
    expect(scale).toMatchObject({ above: 3, below: 1 });
    expect([scale.low, scale.high].map(of => Math.abs(of) < 0.05)).toEqual([true, true]);
    expect(robustScale([columns(values)], 0.002, true)).toMatchObject({ above: 0, below: 0 });
  });

  it('shows a step that has just come: it is no outlier', () => {
    const scale = robustScale([columns([...flat, 5, 5])], 0.002)!;
    expect(scale.high).toBeGreaterThan(5);
    expect(scale.above).toBe(0);
  });

  it('has room, also where all is one value, and is none without a value', () => {
    expect(robustScale([columns([2])], 0.5)).toEqual({ low: 1.75, high: 2.25, above: 0, below: 0 });
    expect(robustScale([[null], []], 1)).toBeNull();
  });
});
