import { expect, test } from 'vitest';
import { madeWith, madeWords } from '../../src/provenance/madeWith.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { PipelineWorld } from '../world/pipelineWorld.ts';
import { manifestFile, sampleEntry } from '../world/sampleManifest.ts';

const start = Date.UTC(2026, 0, 5);
const timeOf = (n: number): string => new Date(start + n * 60_000).toISOString().slice(0, 19);
const since = (n: number): string => `${timeOf(n)}.250000`;
const all = { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

interface Made {
  config: string;
  reference?: string | null;
  code?: string;
}

/** A run of 900 images, each with its result; the first results were analysed anew after all others. */
async function run(madeOf: (n: number) => Made, anew = 0): Promise<PipelineWorld> {
  const world = await PipelineWorld.open();
  const lineOf = (n: number, { config, reference = 'ref', code = '0.1.0' }: Made) => {
    const line = { ...sampleResult({ id: `E${n}` }), config_hash: config, reference, code_version: code };
    const { image_analysis: analysis, ...head } = line;
    return composeResultLine(head, Buffer.from(JSON.stringify(analysis)));
  };
  const count = 900;
  const lines = Array.from({ length: count }, (_, n) => lineOf(n, madeOf(n)));
  const results = await Promise.all(lines.map(line => world.log.append(line)));
  for (let n = 0; n < anew; n++) results[n] = await world.log.append(lineOf(n, { config: 'anew' }));
  await world.manifest.offer(
    results.map((result, n) => {
      const entry = sampleEntry(`E${n}`, { processing_status: 'processed', result });
      return { ...entry, camera_data: { ...entry.camera_data!, timestamp_iso: `${timeOf(n)}.250000` } };
    }),
  );
  return world;
}

const of = (world: PipelineWorld, span = all) =>
  madeWith({
    paths: { manifestFile, results: '/root/results' },
    files: world.files,
    span,
    warn: message => expect.fail(message),
  });

test('what results were made with is told by their lines, with the image from which on it was another', async () => {
  const world = await run(n => ({
    config: n < 137 ? 'a' : n < 500 ? 'b' : 'a',
    reference: n < 5 ? null : 'ref',
    code: n < 800 ? '0.1.0' : '0.2.0',
  }));
  expect(await of(world)).toEqual({
    config_hash: [
      { value: 'a', since: since(0) },
      { value: 'b', since: since(137) },
      { value: 'a', since: since(500) },
    ],
    reference: [{ value: 'ref', since: since(5) }],
    code_version: [
      { value: '0.1.0', since: since(0) },
      { value: '0.2.0', since: since(800) },
    ],
    roi_manifest_hash: [{ value: 'decaf', since: since(0) }],
  });
  const span = { from: start + 140 * 60_000, end: start + 160 * 60_000 };
  expect((await of(world, span)).config_hash).toEqual([{ value: 'b', since: since(140) }]);
});

test('of images that were analysed anew the newest result counts, wherever its line stands', async () => {
  const world = await run(() => ({ config: 'first' }), 40);
  expect((await of(world)).config_hash).toEqual([
    { value: 'anew', since: since(0) },
    { value: 'first', since: since(40) },
  ]);
});

test('an experiment without results, or whose lines are gone, tells nothing and is no error', async () => {
  const none = { code_version: [], config_hash: [], roi_manifest_hash: [], reference: [] };
  expect(await of(await PipelineWorld.open())).toEqual(none);
  const world = await run(() => ({ config: 'a' }));
  await world.files.remove('/root/results/processing_results.jsonl');
  expect(await of(world)).toEqual(none);
});

test('what was changed is told with its time; of many changes the first and the last', () => {
  const made = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ value: `c${i}`, since: `2026-01-05T0${i}:00:00` }));
  expect(madeWords([])).toBe('not known: no result says it');
  expect(madeWords(made(2))).toBe('c0; c1 from 2026-01-05 01:00:00 on');
  expect(madeWords(made(9), value => value.toUpperCase())).toMatch(
    /^C0; .*; C4 from [^;]* on; 3 others; C8 from [^;]* on$/,
  );
});
