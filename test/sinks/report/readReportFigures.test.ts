import { expect, test } from 'vitest';
import { RunTracker } from '../../../src/quantities/trackRun.ts';
import { type KeptFigures, readReportFigures } from '../../../src/sinks/report/readReportFigures.ts';
import type { ChosenFrames } from '../../../src/sinks/series/chosenFrames.ts';
import type { SeriesRow } from '../../../src/sinks/series/seriesRow.ts';

const settings = { windowFrames: 16, groups: [], sensor: '', zero: null, alarmSigmas: 0, key: '' };
const change = { kind: 'roi' as const, name: 'a', timeSigma: 2, heightSigma: 0.1, settled: true };

const minute = 60_000;
const noon = Date.UTC(2026, 0, 5, 12);
/** A run of 100 images that nobody may read. */
const frames: ChosenFrames = {
  ...{ count: 100, first: noon, last: noon + 99 * minute, superseded: 0, labels: ['a'], sensors: [], methods: [] },
  references: new Map(),
  intervals: () => new Float64Array(99).fill(minute),
  // biome-ignore lint/correctness/useYield: it is read, and that is all that matters
  read: async function* () {
    throw new Error('the images are read');
  },
};

const sampleRow: SeriesRow = {
  ...{ id: 'E', attempt: 1, frames: 1, local: noon, utc: noon, brightness: 900, spread: null },
  positions: Float64Array.of(100),
  uncertainties: Float32Array.of(0.1),
  shifts: Float32Array.of(0.5),
  shiftUncertainties: Float32Array.of(0.1),
  chipShift: new Float32Array(3),
  temperatures: new Float32Array(),
  flags: new Uint16Array(1),
};

/** What the pipeline has found in the images of that run. */
const kept: KeptFigures = {
  figures: new RunTracker(settings).figures(null),
  changes: [
    { ...change, time: noon, height: 0.5 },
    { ...change, time: noon + 60 * minute, height: -2 },
  ],
};

test('figures that the pipeline has kept are those of the whole run, with the largest change of each ROI', async () => {
  const { changes, largest, note } = await readReportFigures(frames, settings, { kept, isPart: false });
  expect(changes).toEqual(kept.changes);
  expect(largest.get('a')?.height).toBe(-2);
  expect(note).toBeNull();
  await expect(readReportFigures(frames, settings, { kept: null, isPart: false })).rejects.toThrow(
    'the images are read',
  );
});

/** The second half of that run, each image of it read once. */
function half(): { frames: ChosenFrames; taken: number[] } {
  const taken: number[] = [];
  async function* read(every = 1, newest = 50): ReturnType<ChosenFrames['read']> {
    for (let at = 100 - newest; at < 100; at += every) {
      taken.push(at);
      const row = { ...sampleRow, local: noon + at * minute, utc: noon + at * minute };
      yield { row, labels: ['a'], sensors: [], flags: [], reference: null, method: 'gaussian' };
    }
  }
  return { frames: { ...frames, count: 50, first: noon + 50 * minute, read }, taken };
}

test('the changes of a part of a run are those of the run in that time; its noise and quality are its own', async () => {
  const { frames: part, taken } = half();
  const { changes, noise, note } = await readReportFigures(part, settings, { kept, isPart: true });
  expect(changes.map(({ height }) => height)).toEqual([-2]);
  expect(taken).toHaveLength(50);
  expect([noise.has('a'), note]).toEqual([true, null]);
});

test('where the pipeline has not followed a run, the changes of a part are found anew, in as many images as take a bounded time', async () => {
  const { frames: part, taken } = half();
  expect((await readReportFigures(part, settings, { kept: null, isPart: true })).changes).toEqual([]);
  expect(taken).toHaveLength(50);
});
