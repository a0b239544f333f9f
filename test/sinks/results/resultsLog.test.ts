import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Exclusive } from '../../../src/files/fileLock.ts';
import { fileLock } from '../../../src/files/fileLock.ts';
import { type Files, nodeFiles } from '../../../src/files/files.ts';
import type { ResultLocation } from '../../../src/model/entry.ts';
import { composeResultLine } from '../../../src/sinks/results/composeResultLine.ts';
import { type BadLine, openResultsLog } from '../../../src/sinks/results/resultsLog.ts';
import { atAppend } from '../../world/atAppend.ts';
import { exclusiveHere } from '../../world/exclusiveHere.ts';
import { crashKinds, FaultyFiles } from '../../world/faultyFiles.ts';
import { resultsLogCrashWalk } from '../outputCrashWalk.ts';
import { sampleResult } from '../sampleResult.ts';

const folder = '/results';
const first = join(folder, 'processing_results.jsonl');

function line(id: string, attempt = 1, labels: string[] = []): Uint8Array {
  const { image_analysis, ...head } = sampleResult({ id, attempt, labels });
  return composeResultLine(head, Buffer.from(JSON.stringify(image_analysis)));
}

const open = (files: Files, segmentBytes = 1 << 30, exclusive: Exclusive = exclusiveHere()) =>
  openResultsLog({ folder, files, exclusive, segmentBytes });

const idsIn = (bytes: Buffer | null): string[] =>
  (bytes?.toString() ?? '')
    .split('\n')
    .filter(text => text !== '')
    .map(text => JSON.parse(text).entry_id);

describe('composeResultLine', () => {
  it('puts the keys in the order of FORMATS and the analysis in as it is', () => {
    const result = sampleResult({ id: 'Ä"1', labels: ['x'], temperatures: { 'Sensor 1': 21.5 } });
    const { image_analysis, ...head } = result;
    const shuffled = Object.fromEntries(Object.entries(head).reverse()) as typeof head;
    const text = Buffer.from(composeResultLine(shuffled, Buffer.from(JSON.stringify(image_analysis)))).toString();
    expect(text).toBe(`${JSON.stringify(result)}\n`);
  });

  it('spells what a terminal would obey, and says the same', () => {
    const { image_analysis: _, ...head } = { ...sampleResult({ id: 'A' }), image_filename: 'a\u001b\u009b\u202e.png' };
    const text = Buffer.from(composeResultLine(head, null)).toString();
    expect(text).toContain('a\\u001b\\u009b\\u202e.png');
    expect(JSON.parse(text).image_filename).toBe(head.image_filename);
  });

  it('writes null where there is no analysis', () => {
    const { image_analysis: _, ...head } = sampleResult({ failed: true });
    expect(JSON.parse(Buffer.from(composeResultLine(head, null)).toString()).image_analysis).toBeNull();
  });
});

describe('results log', () => {
  it('gives back what was appended, from where it says it stands', async () => {
    const log = await open(new FaultyFiles());
    const locations = [
      await log.append(line('A')),
      await log.append([line('B').subarray(0, 9), line('B').subarray(9)]),
    ];
    expect(locations[1]).toEqual({ segment: 0, offset: line('A').length, length: line('B').length });
    expect((await log.read(locations[1] as ResultLocation)).entry_id).toBe('B');
    expect(await log.read(locations[0] as ResultLocation)).toEqual(sampleResult({ id: 'A', labels: [] }));
  });

  it('shares one write and one fsync between callers of the same moment', async () => {
    const files = new FaultyFiles();
    const log = await open(files);
    await log.append(line('first'));
    files.steps.length = 0;
    const locations = await Promise.all(['A', 'B', 'C'].map(id => log.append(line(id))));
    expect(files.steps.map(({ kind }) => kind)).toEqual(['write', 'sync']);
    for (const [i, id] of ['A', 'B', 'C'].entries()) {
      expect((await log.read(locations[i] as ResultLocation)).entry_id).toBe(id);
    }
  });

  it('goes on in a new segment before one would grow beyond its limit', async () => {
    const files = new FaultyFiles();
    const limit = line('A').length * 2;
    const log = await open(files, limit);
    const locations = await Promise.all(['A', 'B', 'C', 'D', 'E'].map(id => log.append(line(id))));
    expect(locations.map(({ segment }) => segment)).toEqual([0, 0, 1, 1, 2]);
    expect(files.paths().map(path => path.slice(folder.length + 1))).toEqual([
      'processing_results.1.jsonl',
      'processing_results.2.jsonl',
      'processing_results.jsonl',
    ]);
    const big = await log.append(line('F', 1, ['much', 'longer', 'than', 'a', 'segment']));
    expect(big).toMatchObject({ segment: 3, offset: 0 });
    expect((await log.append(line('G'))).segment).toBe(4);
    const all: string[] = [];
    for await (const { line: result, location } of log.lines()) {
      all.push(result.entry_id);
      expect(await log.read(location)).toEqual(result);
    }
    expect(all).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G']);
  });

  it('refuses what is not one line', async () => {
    const log = await open(new FaultyFiles());
    await expect(log.append(Buffer.from('{}'))).rejects.toThrow('one line');
    await expect(log.append(Buffer.from('{}\n{}\n'))).rejects.toThrow('one line');
    await log.close();
    await expect(log.append(line('A'))).rejects.toThrow('closed');
  });

  it.each<[string, (files: FaultyFiles, before: Buffer) => void]>([
    ['moved away', files => files.drop(first)],
    ['emptied', files => files.put(first, '')],
    ['shortened', (files, before) => files.put(first, before.subarray(0, line('A').length))],
  ])('that is %s while it is written goes on in the next segment, so that it may be put back', async (_what, harm) => {
    const files = new FaultyFiles();
    const told: string[] = [];
    const options = { folder, files, exclusive: exclusiveHere(), onChanged: (message: string) => told.push(message) };
    const log = await openResultsLog(options);
    const places = [await log.append(line('A')), await log.append(line('B'))];
    const before = files.content(first)!;
    harm(files, before);
    const claimed = await log.position();
    places.push(await log.append(line('C')), await log.append(line('D')));
    expect(claimed).toEqual({ segment: 1, length: 0 });
    expect(await log.find(claimed, 'D', 1)).toEqual(places[3]);
    expect(told).toEqual([
      expect.stringMatching(/processing_results\.jsonl was moved away or shortened.*processing_results\.1\.jsonl/),
    ]);
    files.put(first, before);
    for (const [i, id] of ['A', 'B', 'C', 'D'].entries())
      expect(await log.read(places[i]!)).toMatchObject({ entry_id: id });
    // What the manifest knows is missed at the next start too.
    files.drop(first);
    files.drop(join(folder, 'processing_results.1.jsonl'));
    const next = await openResultsLog({ ...options, known: { segment: 1, length: 10 } });
    expect((await next.append(line('E'))).segment).toBe(2);
  });

  it('that is moved away in the instant before a line is appended goes on in the next segment too', async () => {
    const files = new FaultyFiles();
    const told: string[] = [];
    const moving = atAppend(files, first, () => files.drop(first));
    const onChanged = (message: string): unknown => told.push(message);
    const log = await openResultsLog({ folder, files: moving, exclusive: exclusiveHere(), onChanged });
    await log.append(line('A'));
    const before = files.content(first)!;
    moving.arm();
    const place = await log.append(line('B'));
    expect(place.segment).toBe(1);
    expect(told).toHaveLength(1);
    expect(files.content(first)).toBeNull();
    files.put(first, before);
    expect(await log.read(place)).toMatchObject({ entry_id: 'B' });
  });

  it('ends a last line that lacks only its newline, as an editor leaves it', async () => {
    const files = new FaultyFiles();
    files.put(first, Buffer.concat([line('A'), line('B').subarray(0, -1)]));
    await (await open(files)).append(line('C'));
    expect(idsIn(files.content(first))).toEqual(['A', 'B', 'C']);
  });

  it('cuts off what a crashed writer left behind the last newline', async () => {
    const files = new FaultyFiles();
    files.put(first, Buffer.concat([line('A'), line('torn').subarray(0, 50)]));
    const log = await open(files);
    expect(await log.position()).toEqual({ segment: 0, length: line('A').length });
    await log.append(line('B'));
    expect(idsIn(files.content(first))).toEqual(['A', 'B']);
  });

  it('on a full disk keeps and acknowledges the whole lines, and refuses the rest', async () => {
    const files = new FaultyFiles();
    const log = await open(files);
    let writes = 0;
    files.plan = ({ kind }) =>
      kind !== 'write' ? null : ++writes === 1 ? { short: line('A').length + 20 } : { error: 'ENOSPC' };
    const outcomes = await Promise.allSettled(['A', 'B', 'C'].map(id => log.append(line(id))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'ENOSPC' } });
    expect(idsIn(files.content(first))).toEqual(['A']);
    files.plan = () => null;
    await log.append(line('B'));
    expect(idsIn(files.content(first))).toEqual(['A', 'B']);
  });

  it('acknowledges nothing when the fsync fails, and goes on when it works again', async () => {
    const files = new FaultyFiles();
    const log = await open(files);
    await log.append(line('A'));
    files.plan = ({ kind }) => (kind === 'sync' ? { error: 'EIO' } : null);
    await expect(Promise.all([log.append(line('B')), log.append(line('C'))])).rejects.toThrow('EIO');
    files.plan = () => null;
    await log.append(line('D'));
    expect(idsIn(files.content(first))).toEqual(['A', 'D']);
  });

  it.each(['fsync', 'write'])('destroys nothing of a writer that stole its lock when its %s fails', async failing => {
    const files = new FaultyFiles();
    const unlocked: Exclusive = work => work();
    const thief = await open(files, 1 << 30, unlocked);
    let stolen: ResultLocation | null = null;
    // The thief appends while the sleeper sleeps in the call that then fails.
    const sleepy: Files = {
      open: async (path, flags) => {
        const file = await files.open(path, flags);
        const steal = async (): Promise<never> => {
          stolen = await thief.append(line('thief'));
          throw new Error('it slept');
        };
        return {
          ...file,
          write: async (data, position) => {
            const taken = await file.write(data.subarray(0, failing === 'write' ? 30 : data.length), position);
            return failing === 'write' ? steal() : taken;
          },
          sync: steal,
        };
      },
      stat: path => files.stat(path),
      list: path => files.list(path),
      makeFolder: path => files.makeFolder(path),
      rename: (from, to) => files.rename(from, to),
      remove: path => files.remove(path),
      syncFolder: path => files.syncFolder(path),
      nameHabit: () => files.nameHabit(),
    };
    const sleeper = await open(sleepy, 1 << 30, unlocked);
    await expect(sleeper.append(line('a longer name for the sleeper'))).rejects.toThrow('it slept');
    expect((await thief.read(stolen as unknown as ResultLocation)).entry_id).toBe('thief');
    expect((await thief.find({ segment: 0, length: 0 }, 'thief', 1)) ?? 'gone').toEqual(stolen);
  });

  it('finds an attempt behind a position, and nothing before it', async () => {
    const log = await open(new FaultyFiles(), line('A').length * 2);
    await Promise.all([log.append(line('A')), log.append(line('B'))]);
    const position = await log.position();
    const again = await log.append(line('A', 2));
    await log.append(line('C'));
    await log.append(line('D'));
    expect(await log.find(position, 'A', 2)).toEqual(again);
    expect(await log.find(position, 'A', 1)).toBeNull();
    expect((await log.find({ segment: 0, length: 0 }, 'A', 1))?.offset).toBe(0);
    expect((await log.find(position, 'D', 1))?.segment).toBe(2);
    // Nothing is found in front of a place that is inside the line.
    expect(await log.find({ segment: 0, length: 10 }, 'A', 1)).toBeNull();
  });

  it('says what stands where no result line does', async () => {
    const files = new FaultyFiles();
    files.put(first, Buffer.concat([line('A'), Buffer.from('{"other":1}\n'), Buffer.alloc(20), Buffer.from('\n')]));
    const log = await open(files);
    const after = line('A').length;
    await expect(log.read({ segment: 0, offset: 3, length: 20 })).rejects.toThrow('it begins inside a line');
    await expect(log.read({ segment: 0, offset: after, length: 12 })).rejects.toThrow('no entry_id');
    await expect(log.read({ segment: 0, offset: after + 12, length: 21 })).rejects.toThrow('not JSON');
    await expect(log.read({ segment: 0, offset: 0, length: after + 500 })).rejects.toThrow('the file ends before');
    await expect(log.read({ segment: 7, offset: 0, length: 5 })).rejects.toThrow('processing_results.7.jsonl');
    const bad: BadLine[] = [];
    await log.append(line('B'));
    const good: string[] = [];
    for await (const { line: result } of log.lines(undefined, report => bad.push(report))) good.push(result.entry_id);
    expect(good).toEqual(['A', 'B']);
    expect(bad.map(({ offset, length }) => [offset, length])).toEqual([
      [after, 12],
      [after + 12, 21],
    ]);
  });

  it('does not report a last line that is still being written', async () => {
    const files = new FaultyFiles();
    files.put(first, Buffer.concat([line('A'), line('B').subarray(0, 40)]));
    const bad: BadLine[] = [];
    const ids: string[] = [];
    for await (const { line: result } of (await open(files)).lines(undefined, report => bad.push(report))) {
      ids.push(result.entry_id);
    }
    expect(ids).toEqual(['A']);
    expect(bad).toEqual([]);
  });

  it('keeps every acknowledged line, at its place, whatever is stopped wherever', async () => {
    expect(await resultsLogCrashWalk(25)).toBeGreaterThan(80 * crashKinds.length);
  });
});

describe('results log on a real disk', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const path of folders.splice(0)) await rm(path, { recursive: true });
  });
  const realFolder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'phorest-results-'));
    folders.push(path);
    return path;
  };

  it('reads a closed segment that has been compressed, and never writes to it', async () => {
    const real = await realFolder();
    const options = { folder: real, files: nodeFiles, exclusive: exclusiveHere(), segmentBytes: line('A').length * 3 };
    const log = await openResultsLog(options);
    const locations: ResultLocation[] = [];
    for (const id of ['A', 'B', 'C', 'D']) locations.push(await log.append(line(id)));
    const path = join(real, 'processing_results.jsonl');
    await writeFile(`${path}.gz`, gzipSync(Buffer.concat(['A', 'B', 'C'].map(id => line(id)))));
    await unlink(path);
    for (const [i, id] of ['A', 'B', 'C', 'D'].entries()) {
      expect((await log.read(locations[i] as ResultLocation)).entry_id).toBe(id);
    }
    expect(await log.find({ segment: 0, length: 0 }, 'B', 1)).toEqual(locations[1]);
    expect(await log.find({ segment: 0, length: line('A').length }, 'A', 1)).toBeNull();
    await unlink(join(real, 'processing_results.1.jsonl'));
    expect((await (await openResultsLog(options)).append(line('E'))).segment).toBe(1);
    await writeFile(`${path}.gz`, 'not packed');
    await expect(log.read(locations[0] as ResultLocation)).rejects.toThrow(`${path}.gz can't be unpacked`);
  });

  it('takes two writers under one lock', async () => {
    const real = await realFolder();
    const writer = () =>
      openResultsLog({
        folder: real,
        files: nodeFiles,
        exclusive: fileLock(join(real, 'processing_results')),
        segmentBytes: line('a00').length * 10,
      });
    const writers = [await writer(), await writer()];
    const ids = Array.from({ length: 60 }, (_, i) => `${'ab'[i % 2]}${String(i).padStart(2, '0')}`);
    const locations = await Promise.all(ids.map((id, i) => (writers[i % 2] as (typeof writers)[0]).append(line(id))));
    for (const [i, id] of ids.entries()) {
      const other = writers[(i + 1) % 2] as (typeof writers)[0];
      expect((await other.read(locations[i] as ResultLocation)).entry_id).toBe(id);
    }
    const seen: string[] = [];
    for await (const { line: result } of (await writer()).lines()) seen.push(result.entry_id);
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });
});
