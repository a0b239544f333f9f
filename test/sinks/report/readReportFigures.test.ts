import { expect, test } from 'vitest';
import { makeFolder } from '../../../src/files/durableNames.ts';
import { writeAtomic } from '../../../src/files/writeAtomic.ts';
import { newRun, RunTracker } from '../../../src/quantities/trackRun.ts';
import { quantitiesText } from '../../../src/sinks/quantities/quantitiesFile.ts';
import { readReportFigures } from '../../../src/sinks/report/readReportFigures.ts';
import type { ChosenFrames } from '../../../src/sinks/series/chosenFrames.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';

const settings = { windowFrames: 16, groups: [], sensor: '', zero: null, alarmSigmas: 0, key: '' };
const change = { kind: 'roi', name: 'a', timeSigma: 2, heightSigma: 0.1, settled: true };

/** A run of 100 images that nobody may read. */
const frames: ChosenFrames = {
  ...{ count: 100, first: 0, last: 0, superseded: 0, labels: ['a'], sensors: [], methods: [] },
  intervals: () => new Float64Array(),
  // biome-ignore lint/correctness/useYield: it is read, and that is all that matters
  read: async function* () {
    throw new Error('the images are read');
  },
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
  const { changes, largest, note } = await readReportFigures(frames, settings, '/r', await filesOf(kept(98)));
  expect(changes.map(({ time, height }) => [new Date(time).toISOString(), height])).toEqual([
    ['2026-01-05T12:00:00.000Z', 0.5],
    ['2026-01-05T13:00:00.000Z', -2],
  ]);
  expect(largest.get('a')?.height).toBe(-2);
  expect(note).toBeNull();
});

test('figures of other images, unfinished ones, and none are worked out anew', async () => {
  for (const files of [kept(60), kept(101), kept(98, false), { '/r/quantities.json': '{' }, {}]) {
    await expect(readReportFigures(frames, settings, '/r', await filesOf(files))).rejects.toThrow(
      'the images are read',
    );
  }
  await expect(readReportFigures(frames, settings, null, await filesOf(kept(98)))).rejects.toThrow(
    'the images are read',
  );
});
