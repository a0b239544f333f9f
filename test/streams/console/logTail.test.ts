import { appendFile, mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, Subject, type Subscription, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utcIso } from '../../../src/model/localTime.ts';
import type { LogLine } from '../../../src/model/logLine.ts';
import { type LogTailDeps, logTail$ } from '../../../src/streams/console/logTail.ts';
import { readLogLine } from '../../../src/streams/console/readLogLine.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { patience } from '../../world/patience.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const line = (msg: string, second = 0, fields: object = {}): string =>
  `${JSON.stringify({ level: 'info', time: utcIso(t0 + second * 1000), pid: 1, kind: 'note', msg, ...fields })}\n`;

describe('a log line', () => {
  it('has time, level, source and words', () => {
    expect(readLogLine(line('well', 1, { stage: 'processor' }))).toEqual({
      at: t0 + 1000,
      level: 'info',
      source: 'processor',
      text: 'well',
      fields: '{"pid":1,"kind":"note","stage":"processor"}',
    });
    const levelOf = (level: unknown) => readLogLine(line('x', 0, { level }))?.level;
    expect(['warn', 'warning', 'fatal', 'trace', 50, 30].map(levelOf)).toEqual([
      'warning',
      'warning',
      'error',
      'debug',
      'error',
      'info',
    ]);
    expect(readLogLine(line('x', 0, { kind: 'config_error' }))?.source).toBe('config');
    expect(readLogLine(line('x', 0, { time: t0 }))).toMatchObject({ at: t0, source: 'pipeline' });
    expect(readLogLine(line('', 0, { err: { message: 'broken' } }))?.text).toBe('broken');
  });

  it('says of an alarm whether it is raised or over', () => {
    const raised = line('no camera (tries again in 5 s)', 0, { kind: 'alarm', key: 'camera', message: 'no camera' });
    expect(readLogLine(raised)?.alarm).toEqual({ state: 'raised', key: 'camera', message: 'no camera' });
    const over = line('resolved: camera', 0, { kind: 'well', key: 'camera' });
    expect(readLogLine(over)?.alarm).toEqual({ state: 'over', key: 'camera', message: 'resolved: camera' });
  });

  it('is one line of printable text, however it was meant', () => {
    const text = readLogLine(line('a\nb\u001b[2J\tc\u202e\ud800'))?.text as string;
    expect(text).toBe('a b c\ufffd');
    expect(readLogLine(line('x'.repeat(1e6)))?.text).toHaveLength(2000);
  });

  it('is found behind a torn one, and is null where there is none', () => {
    const whole = line('whole').trimEnd();
    expect(readLogLine(`${whole.slice(0, 30)}${whole}`)?.text).toBe('whole');
    for (const text of ['', 'null', '5', '[]', 'Error: at x.js', whole.slice(0, -1), '{"level":"loud","time":"x"}'])
      expect(readLogLine(text)).toBeNull();
    expect(readLogLine(line('x', 0, { time: 'soon' }))).toBeNull();
  });
});

let folder: string;
let subscription: Subscription | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-log-'));
});
afterEach(async () => {
  subscription?.unsubscribe();
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

/** What was emitted, and a way to wait for more. */
function follow(logs: string, deps: Partial<LogTailDeps> = {}, maxLines = 500) {
  const batches: string[][] = [];
  const errors: string[] = [];
  const arrived$ = new Subject<void>();
  subscription = logTail$({ folder: logs, maxLines, onError: ({ message }) => errors.push(message) }, deps).subscribe(
    (lines: readonly LogLine[]) => {
      batches.push(lines.map(({ text }) => text));
      arrived$.next();
    },
  );
  const until = async (text: string): Promise<void> => {
    while (!batches.flat().includes(text)) {
      await new Promise<void>(resolve => arrived$.subscribe(() => resolve()));
    }
  };
  const first = async (): Promise<string[]> => {
    if (batches.length === 0) await new Promise<void>(resolve => arrived$.subscribe(() => resolve()));
    return batches[0];
  };
  return { batches, errors, until, first };
}

describe('logTail$ on real files', () => {
  const path = (name: string): string => join(folder, name);

  it('begins with the last lines of several files in order of time, then follows them all', async () => {
    await writeFile(path('phorest.20261122_1100.1.log'), line('a', 1) + line('c', 3));
    await writeFile(path('phorest.20261122_1100.2.log'), line('b', 2) + line('d', 4));
    await writeFile(path('other.1.log'), line('not ours'));
    await writeFile(path('phorest.notes.txt'), line('nor this'));
    const { batches, errors, first, until } = follow(folder, {}, 3);
    expect(await first()).toEqual(['b', 'c', 'd']);
    await appendFile(path('phorest.20261122_1100.1.log'), line('e', 5));
    await until('e');
    await appendFile(path('phorest.20261122_1100.2.log'), line('f', 6));
    await until('f');
    await writeFile(path('phorest.3.log'), line('g', 7));
    await until('g');
    await appendFile(path('phorest.3.log'), line('h', 8));
    await until('h');
    await unlink(path('phorest.20261122_1100.1.log'));
    await appendFile(path('phorest.3.log'), line('i', 9));
    await until('i');
    expect(batches.flat()).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']);
    expect(errors).toEqual([]);
  });

  it('waits for a folder that is not there, with its parents', async () => {
    const logs = join(folder, 'run', 'logs');
    const { first, until } = follow(logs);
    expect(await first()).toEqual([]);
    await mkdir(logs, { recursive: true });
    await writeFile(join(logs, 'phorest.1.log'), line('hello'));
    await until('hello');
    await appendFile(join(logs, 'phorest.1.log'), line('again'));
    await until('again');
  });

  it('hands on a line when it is whole, and passes over what is none', async () => {
    const file = path('phorest.1.log');
    const second = line('second', 2);
    await writeFile(file, line('first', 1) + second.slice(0, 20));
    const { batches, first, until } = follow(folder);
    await first();
    await appendFile(file, second.slice(20));
    await until('second');
    await appendFile(file, `Error: no JSON\n\0\0\n${line('third', 3)}`);
    await until('third');
    expect(batches.flat()).toEqual(['first', 'second', 'third']);
  });

  it('reads a file that begins anew, and not a whole flood', async () => {
    const file = path('phorest.1.log');
    await writeFile(file, line('old', 1).repeat(50));
    const { batches, first, until } = follow(folder);
    await first();
    await truncate(file, 0);
    await writeFile(file, line('anew', 2));
    await until('anew');
    await appendFile(file, `${line('flood', 3).repeat(40_000)}${line('last', 4)}`);
    await until('last');
    expect(batches.flat().filter(text => text === 'flood').length).toBeLessThan(10_000);
  });

  it('reads the past from the end of large files only', async () => {
    for (let number = 1; number <= 4; number++) {
      await writeFile(path(`phorest.${number}.log`), line('x', number).repeat(40_000));
    }
    await writeFile(path('phorest.5.log'), line('newest', 5));
    const { first } = follow(folder);
    const lines = await first();
    expect(lines).toHaveLength(500);
    expect(lines.at(-1)).toBe('newest');
  });

  it('leaves nothing open when it is unsubscribed', async () => {
    const watches = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'FSEventWrap').length;
    const before = watches();
    await writeFile(path('phorest.1.log'), line('a'));
    const { first } = follow(folder);
    await first();
    await vi.waitUntil(() => watches() > before, patience);
    subscription?.unsubscribe();
    await vi.waitUntil(() => watches() === before, patience);
  });
});

describe('logTail$ in virtual time', () => {
  it('emits at most four times a second, and nothing while nothing comes', async () => {
    vi.useFakeTimers({ now: t0 });
    const files = new FaultyFiles();
    const touches$ = new Subject<void>();
    files.put('/logs/phorest.1.log', line('0'));
    const { batches } = follow('/logs', { files, touched: () => touches$ });
    await vi.advanceTimersByTimeAsync(0);
    let text = line('0');
    for (let i = 1; i <= 100; i++) {
      files.put('/logs/phorest.1.log', (text += line(String(i), i)));
      touches$.next();
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect(batches.flat()).toHaveLength(101);
    expect(batches.length).toBeLessThanOrEqual(6);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(batches.length).toBeLessThanOrEqual(6);
    subscription?.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('finds lines that the watcher does not tell of, also when it can not watch, and says so once', async () => {
    vi.useFakeTimers({ now: t0 });
    const files = new FaultyFiles();
    const { batches, errors } = follow('/logs', {
      files,
      touched: () => throwError(() => new Error('no space left for watches')),
    });
    await vi.advanceTimersByTimeAsync(0);
    files.put('/logs/phorest.1.log', line('a'));
    await vi.advanceTimersByTimeAsync(2_300);
    expect(batches).toEqual([[], ['a']]);
    expect(errors).toEqual([
      "/logs can't be watched for changes: no space left for watches; it is looked at every 2 s instead",
    ]);
  });

  it('reports a disk that can not be read once, and goes on when it can', async () => {
    vi.useFakeTimers({ now: t0 });
    const files = new FaultyFiles();
    let broken = true;
    const list = files.list.bind(files);
    files.list = path => (broken ? Promise.reject(new Error('EIO: input/output error')) : list(path));
    files.put('/logs/phorest.1.log', line('a'));
    const { batches, errors } = follow('/logs', { files, touched: () => NEVER });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(batches).toEqual([[]]);
    expect(errors).toEqual(['EIO: input/output error']);
    broken = false;
    await vi.advanceTimersByTimeAsync(2_300);
    expect(batches).toEqual([[], ['a']]);
  });
});
