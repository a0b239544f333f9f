import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DiskSpace } from '../../src/files/diskSpace.ts';
import type { Exclusive } from '../../src/files/fileLock.ts';
import { ownIdentity } from '../../src/files/processIdentity.ts';
import {
  ExperimentReserve,
  filesWithReserve,
  lockWithReserve,
  ReserveFile,
  reservePiece,
} from '../../src/files/reserveFile.ts';
import { continueRun } from '../../src/files/runRecord.ts';
import { writeAtomic } from '../../src/files/writeAtomic.ts';
import { isJournal } from '../../src/manifest/journal.ts';
import { takeStages } from '../../src/manifest/stageLeases.ts';
import { keepReserve, reserveBytes } from '../../src/operators/services/keepReserve.ts';
import { EventRun, useStillTime } from '../world/eventRun.ts';
import { atEveryCrash, type Fault, FaultyFiles, type Step } from '../world/faultyFiles.ts';
import { ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

const path = '/root/data/metadata_manifest.reserve';

const used = (files: FaultyFiles): number => files.paths().reduce((sum, each) => sum + files.content(each)!.length, 0);

/** From now on the disk has only so much more. What another plan says of a step comes first. */
function fill(files: FaultyFiles, left: number): void {
  const capacity = used(files) + left;
  const { plan } = files;
  const full = ({ kind, length }: Step): Fault | null => {
    const free = capacity - used(files);
    if (kind === 'create' && free <= 0) return { error: 'ENOSPC' };
    if (kind !== 'write' || length <= free) return null;
    return free > 0 ? { short: free } : { error: 'ENOSPC' };
  };
  files.plan = step => plan(step) ?? full(step);
}

async function prepare(files = new FaultyFiles(), pieces = 3) {
  files.put('/root/data/other.txt', 'here');
  const reserve = new ReserveFile(files, path);
  await reserve.fill(pieces * reservePiece);
  const disk = filesWithReserve(files, reserve, each => isJournal(each, manifestFile));
  const length = (): number => files.content(path)?.length ?? 0;
  return { files, reserve, disk, length };
}

describe('a disk that has bytes, and no free names of files', () => {
  it('gives up files that are made anew, and then the reserve itself, and not its bytes', async () => {
    const files = new FaultyFiles();
    files.put('/d/health_report.png', 'a picture');
    const reserve = new ReserveFile(files, '/d/reserve', ['/d/health_report.png'], () => false);
    await reserve.fill(2 * reservePiece);
    expect(await reserve.giveUp()).toBe(true);
    expect([files.content('/d/health_report.png'), files.content('/d/reserve')?.length]).toEqual([
      null,
      2 * reservePiece,
    ]);
    expect(await reserve.giveUp()).toBe(true);
    expect(files.paths()).toEqual([]);
    expect(await reserve.giveUp()).toBe(false);
  });
});

describe('a start on a disk that is full to the last byte', () => {
  const folders = { data: '/no-root/data', results: '/no-root/results' };

  async function full(pieces: number) {
    const files = new FaultyFiles();
    for (const folder of [folders.data, folders.results, '/no-root/flags']) await files.makeFolder(folder);
    files.put('/no-root/results/health_report.png', 'a picture');
    files.put('/no-root/results/processing_results.1.jsonl', 'results');
    const reserve = new ExperimentReserve(files, folders);
    await reserve.file.fill(pieces * reservePiece);
    fill(files, 0);
    return { files, reserve };
  }

  /** A lock that needs room itself, as the folder that it is does. */
  const lockOn =
    (files: FaultyFiles): Exclusive =>
    async work => {
      await (await files.open('/no-root/flags/stages.json.lock', 'w')).close();
      return work();
    };

  const begin = async (files: FaultyFiles, reserve: ExperimentReserve): Promise<void> => {
    await takeStages(['collector', 'ring_buffer'], {
      folder: '/no-root/flags',
      files: reserve.files(),
      exclusive: reserve.lock('/no-root/flags/stages.json', lockOn(files)),
      own: ownIdentity,
      liveness: () => 'gone',
    });
    await continueRun('/no-root/flags/run.json', reserve.files(), () => ({ run_id: 'A', started: 'now' }));
  };

  it('takes its stages and writes its run, out of the reserve', async () => {
    const { files, reserve } = await full(3);
    await begin(files, reserve);
    expect(String(files.content('/no-root/flags/stages.json'))).toContain('"ring_buffer"');
    expect(String(files.content('/no-root/flags/run.json'))).toContain('"run_id":"A"');
    expect(String(files.content('/no-root/results/health_report.png'))).toBe('a picture');
  });

  it('without a reserve gives up pictures, which are drawn anew, and nothing else', async () => {
    const { files, reserve } = await full(0);
    files.put('/no-root/results/processed_data_plot.png', Buffer.alloc(1000));
    files.put('/no-root/results/health_report.png', Buffer.alloc(1000));
    files.plan = () => null;
    fill(files, 0);
    await begin(files, reserve);
    expect(files.content('/no-root/results/health_report.png')).toBeNull();
    expect(String(files.content('/no-root/results/processing_results.1.jsonl'))).toBe('results');
  });

  it('without anything to give up says that the disk is full', async () => {
    const { files, reserve } = await full(0);
    await files.remove('/no-root/results/health_report.png');
    files.plan = () => null;
    fill(files, 0);
    await expect(begin(files, reserve)).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('its status, written again and again, leaves most of the reserve to the journals', async () => {
    const { files, reserve } = await full(6);
    const status = async (): Promise<unknown> =>
      writeAtomic(reserve.statusFiles(), '/no-root/flags/status.json', 'alive').then(
        // Others take at once what was freed.
        () => fill(files, 0),
        (error: NodeJS.ErrnoException) => error.code,
      );
    const told: unknown[] = [];
    for (let second = 0; second < 10; second++) told.push(await status());
    expect(told.filter(code => code !== undefined)).not.toEqual([]);
    expect(files.content(reserve.file.path)!.length).toBe(4 * reservePiece);
  });
});

describe('a reserve on a full disk', () => {
  it('is given up piece by piece, and what was to be written stands as a whole', async () => {
    const { files, disk, length } = await prepare();
    const journal = await disk.open('/root/data/metadata_manifest.journal.1.jsonl', 'a');
    fill(files, 10);
    expect(await journal.write(Buffer.alloc(100, 'a'), null)).toBe(100);
    expect(length()).toBe(2 * reservePiece);
    expect(await journal.write(Buffer.alloc(reservePiece, 'b'), null)).toBe(reservePiece);
    expect(length()).toBe(reservePiece);
    await journal.write(Buffer.alloc(reservePiece, 'c'), null);
    expect(length()).toBe(0);
    expect(files.content('/root/data/metadata_manifest.journal.1.jsonl')!.length).toBe(100 + 2 * reservePiece);
    // Nothing is left to give up: it is as it would be without.
    expect(await journal.write(Buffer.alloc(reservePiece, 'd'), null)).toBeLessThan(reservePiece);
    await expect(journal.write(Buffer.alloc(1), null)).rejects.toMatchObject({ code: 'ENOSPC' });
    await journal.close();
  });

  it('is for journals only: what others write finds the disk full', async () => {
    const { files, disk, length } = await prepare();
    fill(files, 0);
    await expect(disk.open('/root/data/image.png', 'wx')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(length()).toBe(3 * reservePiece);
    await (await disk.open('/root/data/metadata_manifest.journal.2.jsonl', 'a')).close();
    expect(length()).toBe(2 * reservePiece);
  });

  it('is not given up for another error, and its own errors do not hide what is wrong', async () => {
    const { files, disk, length } = await prepare();
    const journal = await disk.open('/root/data/metadata_manifest.journal.1.jsonl', 'a');
    files.plan = ({ kind }) => (kind === 'write' ? { error: 'EIO' } : null);
    await expect(journal.write(Buffer.alloc(1), null)).rejects.toMatchObject({ code: 'EIO' });
    files.plan = ({ kind }) => (kind === 'write' ? { error: 'ENOSPC' } : { error: 'EROFS' });
    await expect(journal.write(Buffer.alloc(1), null)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(length()).toBe(3 * reservePiece);
  });

  it('is given up for the lock too, and not for what fails while it is held', async () => {
    const { reserve, length } = await prepare();
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const tries: string[] = [];
    const lock: Exclusive = async work => {
      tries.push('lock');
      if (length() > reservePiece) throw full;
      return work();
    };
    expect(await lockWithReserve(lock, reserve)(async () => 'done')).toBe('done');
    expect([tries.length, length()]).toEqual([3, reservePiece]);
    await expect(lockWithReserve(lock, reserve)(() => Promise.reject(full))).rejects.toBe(full);
    expect([tries.length, length()]).toEqual([4, reservePiece]);
    await reserve.giveUp();
    const never = lockWithReserve(() => Promise.reject(full), reserve);
    await expect(never(async () => 'done')).rejects.toBe(full);
  });

  it('lets the manifest go on, and a crash at any point loses nothing that was acknowledged', async () => {
    const { files: start } = await prepare();
    let gaveUp = 0;
    const crashes = await atEveryCrash<string[]>({
      start,
      context: () => [],
      work: async (files, told) => {
        const reserve = new ReserveFile(files, path);
        const disk = filesWithReserve(files, reserve, each => isJournal(each, manifestFile));
        const manifest = await openSample(disk, { writer: 'first' });
        const offer = async (...names: string[]): Promise<void> => {
          await manifest.offer(names.map(name => sampleEntry(name)));
          told.push(...names);
        };
        await offer('a');
        fill(files, 100);
        await offer('b');
        await offer('c', 'd');
        await manifest.close({ compact: false });
        gaveUp = 3 * reservePiece - files.content(path)!.length;
      },
      check: async (files, told) => {
        const manifest = await openSample(files);
        expect(ids(manifest.entries())).toEqual(expect.arrayContaining(told));
        await manifest.offer([sampleEntry('z')]);
        expect(files.content(path)!.length % reservePiece).toBe(0);
      },
      prefixes: 5,
    });
    expect([crashes > 100, gaveUp]).toEqual([true, reservePiece]);
  });
});

describe('the reserve is made again', () => {
  beforeEach(useStillTime);
  afterEach(() => {
    vi.useRealTimers();
  });

  const size = 100e9;
  const whole = reserveBytes(size);
  const disk = (free: number): DiskSpace => ({ free, size });

  function keep(files: FaultyFiles) {
    const reserve = new ReserveFile(files, path);
    const run = new EventRun();
    const space$ = new Subject<DiskSpace | null>();
    const notes: string[] = [];
    const note = (_level: string, message: string): number => notes.push(message);
    run.listen(keepReserve({ tools: run.tools, reserve, space$, note }, run.tools));
    const length = (): number => files.content(path)?.length ?? 0;
    return { reserve, run, space$, notes, length };
  }

  it('where there is room, and not where there is little', async () => {
    const files = new FaultyFiles();
    files.put('/root/data/other.txt', 'here');
    const { reserve, run, space$, notes, length } = keep(files);
    space$.next(disk(130e6));
    await run.rest();
    expect(length()).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    space$.next(null);
    space$.next(disk(200e6));
    await run.until(() => length() === whole);
    expect(whole).toBe(4 * 2 ** 20);
    expect(new Set(files.content(path)!.subarray(0, 1000)).size).toBeGreaterThan(100);
    await reserve.giveUp();
    await vi.advanceTimersByTimeAsync(10_000);
    space$.next(disk(100e6));
    await run.rest();
    expect(length()).toBe(whole - reservePiece);
    await vi.advanceTimersByTimeAsync(10_000);
    space$.next(disk(200e6));
    await run.until(() => length() === whole);
    expect(notes).toEqual([]);
    run.unsubscribe();
    await run.putAway();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('after an error, which is noted', async () => {
    const files = new FaultyFiles();
    files.put('/root/data/other.txt', 'here');
    files.plan = ({ kind }) => (kind === 'write' ? { error: 'EIO' } : null);
    const { run, space$, notes, length } = keep(files);
    space$.next(disk(200e6));
    await run.until(() => notes.length === 1);
    expect(notes[0]).toContain('no room is kept for the manifest');
    files.plan = () => null;
    await vi.advanceTimersByTimeAsync(10_000);
    space$.next(disk(200e6));
    await run.until(() => length() === whole);
    run.unsubscribe();
  });

  it('is none on a small disk', () => {
    expect([reserveBytes(24 * 2 ** 20), reserveBytes(64 * 2 ** 20)]).toEqual([0, 2 * reservePiece]);
  });
});
