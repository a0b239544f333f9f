import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkerDiedError } from '../../../src/analysis/workerDiedError.ts';
import { contentHash } from '../../../src/files/contentHash.ts';
import { identityOf } from '../../../src/files/processIdentity.ts';
import type { ReferenceJob } from '../../../src/model/analysisJob.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import type { ProcessSettings } from '../../../src/operators/processor/processor.ts';
import { useStillTime } from '../../world/eventRun.ts';
import type { FaultyFiles } from '../../world/faultyFiles.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ProcessorFixture, processSettings } from '../../world/processorFixture.ts';
import { StageRun } from '../../world/stageRun.ts';

const folder = '/root/results/references';
const settings: ProcessSettings = { ...processSettings, referenceFrames: 3, isReplay: true };
const bytes = new TextEncoder().encode('the reference');
const pattern = new TextEncoder().encode('the pattern');
const hash = contentHash(bytes);

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

async function prepare({ files, given = settings }: { files?: FaultyFiles; given?: ProcessSettings } = {}) {
  const world = await PipelineWorld.open(files);
  const fixture = new ProcessorFixture(world);
  const asked: string[][] = [];
  /** Images that only the pattern was measured in. */
  const patterns: string[] = [];
  /** Images that show no lines. */
  const dark = new Set<string>();
  fixture.onMakeReference = async job => {
    if (!job.shifts) {
      const [id] = job.paths.map(idOf);
      patterns.push(id);
      const isGood = !dark.has(id);
      return { bytes: isGood ? pattern : null, good: isGood ? [0] : [], rois: 1, darkLevel: 90 };
    }
    asked.push(job.paths.map(idOf));
    const good = [...job.paths.keys()].filter(place => !dark.has(idOf(job.paths[place]!)));
    const enough = good.length >= job.frames;
    return { bytes: enough ? bytes : null, good: good.slice(0, job.frames), rois: enough ? 1 : 0, darkLevel: 90 };
  };
  const run = new StageRun(given);
  const start = () => run.start(fixture.stage(run.tools));
  /** Entry and reference of each result line. */
  const lines = async (): Promise<[string, string | null | undefined][]> => {
    const text = textOf(world.files, '/root/results/processing_results.jsonl');
    const all = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as ResultLine);
    return all.map(line => [line.entry_id, line.reference] as [string, string | null]).toSorted();
  };
  return { world, fixture, run, start, asked, patterns, dark, lines };
}

const textOf = (files: FaultyFiles, path: string): string => String(files.content(path));

const idOf = (path: string): string => /image_(.*)\.png$/.exec(path)![1]!;

describe('the reference of the shifts', () => {
  it('is made from the first frames in the order of collection, before they are analysed, and every line names it', async () => {
    const { world, run, start, asked, lines } = await prepare();
    await world.offer('C', 'A', 'B', 'D', 'E');
    start();
    await run.until(() => run.count('done') === 5);
    expect(asked).toEqual([['C', 'A', 'B']]);
    expect(await lines()).toEqual(['A', 'B', 'C', 'D', 'E'].map(id => [id, hash]));
    const record = world.files.paths().find(path => path.startsWith(folder) && path.endsWith('.json'))!;
    expect(JSON.parse(textOf(world.files, record))).toMatchObject({
      hash,
      frames: ['C', 'A', 'B'],
      rois: 1,
      dark_level: 90,
      dark_source: 'estimated',
    });
    expect(textOf(world.files, `${folder}/reference_${hash}.bin`)).toBe('the reference');
    run.unsubscribe();
  });

  it('of a camera is made when its frames have come: none of them waits, and those before it have no shift', async () => {
    const { world, run, start, lines, fixture } = await prepare({ given: { ...settings, isReplay: false } });
    start();
    for (const id of ['A', 'B', 'C', 'D']) {
      const before = run.count('done');
      await world.offer(id);
      await run.until(() => run.count('done') > before);
    }
    expect(await lines()).toEqual([
      ['A', null],
      ['B', null],
      ['C', hash],
      ['D', hash],
    ]);
    // The first one, which shows lines, is looked at again with what the pattern does.
    const measured = fixture.jobs.map(job => job.reference?.hash ?? null);
    expect(measured).toEqual([null, contentHash(pattern), contentHash(pattern), hash, hash]);
    run.unsubscribe();
  });

  it('passes over frames that show no lines, whose images are gone, or that failed', async () => {
    const { world, run, start, asked, dark, lines } = await prepare();
    dark.add('B');
    await world.offer('A', 'B', 'C', 'D', 'E', 'F');
    await world.files.remove('/root/data/20250724/image_A.png');
    start();
    await run.until(() => run.count('done') + run.count('failed') === 6, 100);
    expect(asked.at(-1)).toEqual(['C', 'D', 'E']);
    expect((await lines()).filter(([id]) => id > 'B')).toEqual(['C', 'D', 'E', 'F'].map(id => [id, hash]));
    run.unsubscribe();
  });

  it('that has fewer frames than it needs keeps nothing waiting', async () => {
    const { world, run, start, asked } = await prepare();
    await world.offer('A', 'B');
    start();
    await run.until(() => run.count('done') === 2, 100);
    expect(asked).toEqual([]);
    run.unsubscribe();
  });

  it('is kept over a restart and a reload, and is made anew where it is damaged', async () => {
    const first = await prepare();
    await first.world.offer('A', 'B', 'C');
    first.start();
    await first.run.until(() => first.run.count('done') === 3);
    first.run.settings$.next({ ...settings, intervalMs: 1234 });
    await first.world.offer('D');
    await first.run.until(() => first.run.count('done') === 4);
    expect(first.asked).toHaveLength(1);
    first.run.unsubscribe();
    await first.world.manifest.close({ compact: true });

    const { files } = first.world;
    const second = await prepare({ files });
    await second.world.offer('E');
    second.start();
    await second.run.until(() => second.run.count('done') === 1);
    expect(second.asked).toEqual([]);
    second.run.unsubscribe();
    await second.world.manifest.close({ compact: true });

    files.put(`${folder}/reference_${hash}.bin`, 'the referenc');
    const third = await prepare({ files });
    await third.world.offer('F');
    third.start();
    await third.run.until(() => third.run.count('done') === 1, 100);
    expect(third.asked).toEqual([['A', 'B', 'C']]);
    expect(third.fixture.log.join()).toContain('damaged: the reference is made anew');
    expect(textOf(files, `${folder}/reference_${hash}.bin`)).toBe('the reference');
    third.run.unsubscribe();
  });

  it('is made anew from later frames when a person wants it', async () => {
    const { world, run, start, asked } = await prepare();
    await world.offer('A', 'B', 'C');
    start();
    await run.until(() => run.count('done') === 3);
    world.files.put(`${folder}/anew.json`, JSON.stringify({ generation: 1, since: '2025-07-24T13:45:14' }));
    await vi.advanceTimersByTimeAsync(3000);
    const later = ['D', 'E', 'F', 'G'];
    for (const id of later) world.files.put(`/root/data/20250724/image_${id}.png`, 'pixels');
    await world.manifest.offer(
      later.map(id => ({ ...world.get('A'), ...fresh(id), entry_timestamp_iso: '2025-07-24T13:46:00.000000' })),
    );
    await run.until(() => run.count('done') === 7, 100);
    expect(asked).toEqual([
      ['A', 'B', 'C'],
      ['D', 'E', 'F'],
    ]);
    run.unsubscribe();
  });

  it('does not keep the stage from work when its thread dies: it is made from later frames', async () => {
    const { world, run, start, fixture } = await prepare();
    const make = fixture.onMakeReference;
    const asked: ReferenceJob[] = [];
    fixture.onMakeReference = async job => {
      asked.push(job);
      if (asked.length === 1) throw new WorkerDiedError(job.paths[0]!, 'out of memory');
      return make(job);
    };
    await world.offer('A', 'B', 'C', 'D', 'E', 'F', 'G');
    start();
    await run.until(() => run.count('done') === 7, 100);
    expect(asked.map(job => job.paths.map(idOf))).toEqual([
      ['A', 'B', 'C'],
      ['D', 'E', 'F'],
    ]);
    expect(fixture.log.join()).toContain('it is made from later ones');
    run.unsubscribe();
  });

  it('after a process that died while it made one, waits for frames that were analysed', async () => {
    const { world, run, start, asked, lines } = await prepare();
    world.files.put(`${folder}/making`, '');
    await world.offer('A', 'B', 'C', 'D');
    start();
    await run.until(() => run.count('done') === 4, 100);
    await world.offer('E');
    await run.until(() => run.count('done') === 5, 100);
    expect(asked).toEqual([['A', 'B', 'C']]);
    expect((await lines()).at(-1)).toEqual(['E', hash]);
    run.unsubscribe();
  });

  it('that another living process is making is made from the same first frames, before they are analysed', async () => {
    const { world, run, start, asked, lines } = await prepare();
    world.files.put(`${folder}/making`, JSON.stringify(identityOf(process.ppid)));
    await world.offer('A', 'B', 'C', 'D');
    start();
    await run.until(() => run.count('done') === 4, 100);
    expect(asked).toEqual([['A', 'B', 'C']]);
    expect((await lines()).map(([, reference]) => reference)).toEqual([hash, hash, hash, hash]);
    run.unsubscribe();
  });

  it('that another process has made meanwhile stands: lines name that one, and its record stays', async () => {
    const first = await prepare();
    await first.world.offer('A', 'B', 'C');
    first.start();
    await first.run.until(() => first.run.count('done') === 3);
    first.run.unsubscribe();
    const isRecord = (path: string): boolean => path.startsWith(`${folder}/reference_`) && path.endsWith('.json');
    const record = first.world.files.paths().find(isRecord)!;
    const theirs = 'made by another process while this one was suspended';
    const { world, run, start, fixture, lines } = await prepare();
    const make = fixture.onMakeReference!;
    fixture.onMakeReference = async (...job) => {
      const told = { ...JSON.parse(textOf(first.world.files, record)), hash: contentHash(theirs) };
      world.files.put(`${folder}/reference_${contentHash(theirs)}.bin`, theirs);
      world.files.put(record, JSON.stringify(told));
      return make(...job);
    };
    await world.offer('A', 'B', 'C');
    start();
    await run.until(() => run.count('done') === 3);
    expect((await lines()).map(([, reference]) => reference)).toEqual(Array(3).fill(contentHash(theirs)));
    expect(world.files.paths().filter(isRecord)).toEqual([record]);
    expect(JSON.parse(textOf(world.files, record)).hash).toBe(contentHash(theirs));
    run.unsubscribe();
  });

  it.each([
    [1, true],
    [2, true],
    [5, true],
    [2, false],
  ])(
    'with reference_frames 0 is not made, but every frame, the first one too, is analysed with what the pattern of the first frame that shows lines does, with %d workers (a replay: %s)',
    async (workers, isReplay) => {
      const { world, run, start, asked, patterns, lines, fixture, dark } = await prepare({
        given: { ...settings, referenceFrames: 0, workers, isReplay },
      });
      dark.add('B');
      await world.offer('B', 'A', 'C', 'D');
      start();
      await run.until(() => run.count('done') === 4);
      await world.offer('E');
      await run.until(() => run.count('done') === 5, 100);
      expect(asked).toEqual([]);
      expect(patterns).toEqual(['B', 'A']);
      const last = new Map(fixture.jobs.map(job => [idOf(job.path), job.reference?.hash]));
      expect([...last.values()]).toEqual(Array(5).fill(contentHash(pattern)));
      expect(await lines()).toEqual(['A', 'B', 'C', 'D', 'E'].map(id => [id, null]));
      const text = textOf(world.files, '/root/results/processing_results.jsonl').trim().split('\n');
      for (const line of text) expect((JSON.parse(line) as ResultLine).pattern).toBe(contentHash(pattern));
      run.unsubscribe();
    },
  );

  it('of a run that begins in the dark costs a few frames a second look: the others are looked at when they are analysed, and those with lines make it', async () => {
    const { world, run, start, asked, patterns, dark, lines, fixture } = await prepare({
      given: { ...settings, isReplay: false },
    });
    const night = Array.from({ length: 60 }, (_, i) => `N${String(i).padStart(2, '0')}`);
    for (const id of night) dark.add(id);
    fixture.showsLines = id => !dark.has(id);
    await world.offer(...night);
    start();
    await run.until(() => run.count('done') === night.length, 1000);
    expect(asked.flat().length).toBeLessThan(30);
    expect(patterns).toEqual([]);
    expect(fixture.jobs).toHaveLength(night.length);
    for (const id of ['A', 'B', 'C', 'D']) {
      const before = run.count('done');
      await world.offer(id);
      await run.until(() => run.count('done') > before, 100);
    }
    expect(patterns).toEqual(['A']);
    expect(asked.at(-1)).toEqual(['A', 'B', 'C']);
    expect((await lines()).filter(([id]) => id < 'N')).toEqual([
      ['A', null],
      ['B', null],
      ['C', hash],
      ['D', hash],
    ]);
    run.unsubscribe();
  });

  it.each([
    [97, 'dark_frame'],
    [98, 'configured'],
    [null, 'estimated'],
  ])('says of a dark level of %s, after a dark frame of 97 counts, that it is %s', async (darkLevel, source) => {
    const { world, run, start } = await prepare({ given: { ...settings, darkLevel } });
    const dark = { level: 97, taken: '2025-07-24T13:00:00', exposure: 8, gain: 1 };
    world.files.put(`${folder}/dark.json`, JSON.stringify(dark));
    await world.offer('A', 'B', 'C');
    start();
    await run.until(() => run.count('done') === 3);
    const record = world.files.paths().find(path => path.startsWith(`${folder}/reference_`) && path.endsWith('.json'))!;
    expect(JSON.parse(textOf(world.files, record))).toMatchObject({ dark_source: source });
    run.unsubscribe();
  });

  it('that is made later names itself on the lines, and no more the pattern', async () => {
    const { world, run, start } = await prepare({ given: { ...settings, isReplay: false } });
    await world.offer('A', 'B');
    start();
    await run.until(() => run.count('done') === 2);
    await world.offer('C');
    await run.until(() => run.count('done') === 3, 100);
    const text = textOf(world.files, '/root/results/processing_results.jsonl').trim().split('\n');
    const named = text.map(line => JSON.parse(line) as ResultLine).map(({ reference, pattern: of }) => [reference, of]);
    expect(named).toEqual([
      [null, contentHash(pattern)],
      [null, contentHash(pattern)],
      [hash, null],
    ]);
    run.unsubscribe();
  });
});

function fresh(id: string) {
  return {
    entry_id: id,
    rev: 0,
    attempt: 0,
    claims: {},
    processing_status: 'pending' as const,
    camera_data: {
      type: 'image' as const,
      filename: `image_${id}.png`,
      filepath: '/root/data/20250724',
      timestamp_iso: '2025-07-24T13:46:00.000000',
      camera_index: 0,
      error_flag: false,
      error_message: null,
      original: false,
    },
  };
}
