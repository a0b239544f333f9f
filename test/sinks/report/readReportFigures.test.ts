import { expect, test } from 'vitest';
import { makeFolder } from '../../../src/files/durableNames.ts';
import { writeAtomic } from '../../../src/files/writeAtomic.ts';
import { newRun, RunTracker } from '../../../src/quantities/trackRun.ts';
import { quantitiesText } from '../../../src/sinks/quantities/quantitiesFile.ts';
import { readReportFigures } from '../../../src/sinks/report/readReportFigures.ts';
import type { ChosenFrames } from '../../../src/sinks/series/chosenFrames.ts';
import type { SeriesRow } from '../../../src/sinks/series/seriesRow.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';

const whole = { results: '/r', isPart: false };
const settings = { windowFrames: 16, groups: [], sensor: '', zero: null, alarmSigmas: 0, key: '' };
const change = { kind: 'roi', name: 'a', timeSigma: 2, heightSigma: 0.1, settled: true };

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

async function filesOf(texts: Record<string, string>): Promise<FaultyFiles> {
  const files = new FaultyFiles();
  await makeFolder(files, '/r');
  for (const [path, text] of Object.entries(texts)) await writeAtomic(files, path, text);
  return files;
}

function kept(count: number, complete = true): Record<string, string> {
  const state = newRun();
  state.ring.count = count;
  [state.first, state.last] = [noon, noon + (count - 1) * minute];
  const figures = new RunTracker(settings, state).figures(null);
  const lines = [
    { ...change, time: '2026-01-05T12:00:00.000', height: 0.5 },
    { ...change, time: '2026-01-05T13:00:00.000', height: -2 },
  ].map(each => `${JSON.stringify(each)}\n`);
  return {
    '/r/quantities.json': quantitiesText(figures, complete),
    // Written twice, and half written.
    '/r/changes.jsonl': `${lines.join('')}${lines[1]}{"kind":"ro`,
  };
}

test('figures that the pipeline has kept are taken: each change once, and the largest of each ROI', async () => {
  const { changes, largest, note } = await readReportFigures(frames, settings, whole, await filesOf(kept(98)));
  expect(changes.map(({ time, height }) => [new Date(time).toISOString(), height])).toEqual([
    ['2026-01-05T12:00:00.000Z', 0.5],
    ['2026-01-05T13:00:00.000Z', -2],
  ]);
  expect(largest.get('a')?.height).toBe(-2);
  expect(note).toBeNull();
});

test('figures of other images, unfinished ones, and none are worked out anew', async () => {
  for (const files of [kept(60), kept(101), kept(98, false), { '/r/quantities.json': '{' }, {}]) {
    await expect(readReportFigures(frames, settings, whole, await filesOf(files))).rejects.toThrow(
      'the images are read',
    );
  }
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
  const files = await filesOf(kept(98));
  const { changes, noise, note } = await readReportFigures(part, settings, { results: '/r', isPart: true }, files);
  expect(changes.map(({ height }) => height)).toEqual([-2]);
  expect(taken).toHaveLength(50);
  expect([noise.has('a'), note]).toEqual([true, null]);
});

test('where the pipeline has not followed a part of a run to its end, its changes are found anew', async () => {
  for (const texts of [kept(70), kept(98, false), {}]) {
    const { frames: part, taken } = half();
    const run = { results: '/r', isPart: true };
    expect((await readReportFigures(part, settings, run, await filesOf(texts))).changes).toEqual([]);
    expect(taken).toHaveLength(50);
  }
});
