import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { watch } from 'chokidar';
import { BehaviorSubject, lastValueFrom, type Observable, of, Subject, takeUntil } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineEvent } from '../../../src/model/event.ts';
import { logFile } from '../../../src/sinks/log/logFile.ts';
import { patience } from '../../world/patience.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const day = 86_400_000;
const fileName = /^phorest\.\d{8}_\d{4}\.\d+\.log$/;

const note = (message: string, level: 'info' | 'warning' | 'error' = 'info'): PipelineEvent => ({
  kind: 'note',
  at: t0,
  level,
  stage: null,
  message,
});

describe('log file', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'phorest-log-'));
  });
  afterEach(async () => {
    vi.useRealTimers();
    await rm(root, { recursive: true, force: true });
  });

  function begin(folder: string, intervalMs$: Observable<number> = of(day)) {
    const events$ = new Subject<PipelineEvent>();
    const cut$ = new Subject<void>();
    const errors: string[] = [];
    const wells: number[] = [];
    const ended = lastValueFrom(
      logFile(events$, {
        folder,
        intervalMs$,
        onError: ({ message }) => errors.push(message),
        onResolved: () => wells.push(errors.length),
      }).pipe(takeUntil(cut$)),
      { defaultValue: null },
    );
    return { events$, errors, wells, ended, cut: () => cut$.next() };
  }

  const names = async (folder: string): Promise<string[]> =>
    (await readdir(folder)).filter(name => fileName.test(name)).sort();

  /** Every line of every file. */
  async function lines(folder: string): Promise<Record<string, unknown>[]> {
    const texts = await Promise.all((await names(folder)).map(name => readFile(join(folder, name), 'utf8')));
    return texts.flatMap(text => {
      if (text !== '') expect(text.endsWith('\n')).toBe(true);
      return text
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line));
    });
  }

  /** Resolves when something has changed in the folder so that `isSo`. */
  async function until(folder: string, isSo: () => Promise<boolean>): Promise<void> {
    const watcher = watch(folder);
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          isSo().then(so => so && resolve(), reject);
        };
        watcher.on('all', look).on('ready', look);
      });
    } finally {
      await watcher.close();
    }
  }

  it('has a line of JSON for each event, in order, in a folder that it makes', async () => {
    const folder = join(root, 'deep', 'logs');
    const { events$, errors, ended } = begin(folder);
    events$.next({ kind: 'state', stage: 'collector', at: t0, state: 'running' });
    events$.next(note('look here', 'warning'));
    events$.next({ kind: 'failed', stage: 'processor', at: t0 + 1, entryId: 'A', ms: 5, error: 'A.png is damaged' });
    events$.next({ kind: 'alarm', stage: 'collector', at: t0, key: 'ENOSPC', message: 'no space', retryInMs: 2000 });
    events$.complete();
    expect(await ended).toBeNull();
    expect(await names(folder)).toHaveLength(1);
    const { pid } = process;
    const time = '2026-11-22T12:00:00.000000Z';
    expect(await lines(folder)).toEqual([
      { level: 'info', time, pid, kind: 'state', stage: 'collector', state: 'running', msg: 'running' },
      { level: 'warning', time, pid, kind: 'note', stage: null, message: 'look here', msg: 'look here' },
      {
        level: 'warning',
        time: '2026-11-22T12:00:00.001000Z',
        pid,
        kind: 'failed',
        stage: 'processor',
        entryId: 'A',
        ms: 5,
        error: 'A.png is damaged',
        msg: 'failed: A.png is damaged (entry A)',
      },
      {
        level: 'error',
        time,
        pid,
        kind: 'alarm',
        stage: 'collector',
        key: 'ENOSPC',
        message: 'no space',
        retryInMs: 2000,
        msg: 'no space (tries again in 2 s)',
      },
    ]);
    expect(errors).toEqual([]);
  });

  it('leaves out what happens for every item, and takes control characters out of the words', async () => {
    const { events$, ended } = begin(root);
    events$.next({ kind: 'claimed', stage: 'processor', at: t0, count: 1 });
    events$.next({ kind: 'beat', stage: 'processor', at: t0 });
    events$.next({ kind: 'queued', stage: 'processor', at: t0, count: 3 });
    events$.next({ kind: 'pace', stage: 'processor', at: t0, intervalMs: 1, perMinute: null });
    events$.next(note('\u001b[2Jgone\nand "on" a\u0007new line', 'error'));
    events$.complete();
    await ended;
    const [name = ''] = await names(root);
    const text = await readFile(join(root, name), 'utf8');
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect((await lines(root))[0]).toMatchObject({ level: 'error', msg: 'gone and "on" a new line' });
  });

  it('begins a new file when the interval changes, and loses no line of that moment', async () => {
    const intervalMs$ = new BehaviorSubject(day);
    const { events$, ended } = begin(root, intervalMs$);
    events$.next(note('one'));
    await until(root, async () => (await lines(root)).length === 1);
    const [first = ''] = await names(root);
    // Its span begins at another time: another name.
    intervalMs$.next(60_000);
    events$.next(note('two'));
    events$.next(note('three'));
    await until(root, async () => (await lines(root)).length === 3);
    events$.complete();
    await ended;
    expect(await names(root)).toHaveLength(2);
    expect(await readFile(join(root, first), 'utf8')).toContain('"one"');
    expect((await lines(root)).map(({ msg }) => msg).sort()).toEqual(['one', 'three', 'two']);
    expect(intervalMs$.observed).toBe(false);
  });

  it('begins a new file when the time is over', async () => {
    const { events$, ended, errors } = begin(root, of(400));
    events$.next(note('line 0'));
    for (let file = 2; file <= 3; file++) {
      await until(root, async () => (await names(root)).length >= file);
      events$.next(note(`line ${file - 1}`));
    }
    events$.complete();
    await ended;
    expect((await names(root)).length).toBeGreaterThanOrEqual(3);
    expect((await lines(root)).map(({ msg }) => msg).sort()).toEqual(['line 0', 'line 1', 'line 2']);
    // Nothing is left that would begin another.
    const left = await names(root);
    await pass(500);
    expect([await names(root), errors]).toEqual([left, []]);
  });

  it.each([':', '"', '*', '?', '<', '>', '|', '\\', '{a}', '[b]', ' ', '%Y', '-x', '~', 'é', '😀', '.'])(
    'is written in a folder whose name has %j in it',
    async sign => {
      const folder = join(root, `run${sign}1`, 'logs');
      const { events$, errors, ended } = begin(folder);
      events$.next(note('here'));
      events$.complete();
      await ended;
      expect((await lines(folder)).map(({ msg }) => msg)).toEqual(['here']);
      expect(errors).toEqual([]);
    },
  );

  it('goes on in the next file when one is full, and removes the oldest beyond sixty', async () => {
    for (let number = 1; number <= 62; number++) {
      await writeFile(join(root, `phorest.20200101_0000.${number}.log`), '');
    }
    await writeFile(join(root, 'phorest.notes.log'), 'mine');
    const { events$, errors, ended } = begin(root);
    const isNew = (name: string): boolean => !name.startsWith('phorest.20200101');
    // Old ones may go before the new one comes.
    await until(root, async () => (await names(root)).length === 61 && (await names(root)).some(isNew));
    const newest = (await names(root)).find(isNew)!;
    expect(await names(root)).not.toContain('phorest.20200101_0000.2.log');
    // A line has the words twice; what waits to be written may be a few megabytes.
    for (let size = 0; size < 16; size += 2) {
      events$.next(note('y'.repeat(2 ** 20)));
      const written = async (): Promise<boolean> => (await stat(join(root, newest))).size > (size + 2) * 2 ** 20;
      await vi.waitUntil(written, patience);
    }
    await until(root, async () => (await names(root)).includes(newest.replace(/1\.log$/, '2.log')));
    events$.next(note('in the second'));
    events$.complete();
    await ended;
    expect(errors).toEqual([]);
    expect(await readFile(join(root, newest.replace(/1\.log$/, '2.log')), 'utf8')).toContain('in the second');
    expect(await readFile(join(root, 'phorest.notes.log'), 'utf8')).toBe('mine');
  });

  it('takes the lines of two writers into one file, whole', async () => {
    const writers = [begin(root), begin(root)];
    for (let i = 0; i < 500; i++)
      writers.forEach((writer, w) => void writer.events$.next(note(`${w}:${i}`.padEnd(300, '.'))));
    for (const { events$ } of writers) events$.complete();
    for (const { ended } of writers) await ended;
    expect(await names(root)).toHaveLength(1);
    const said = (await lines(root)).map(({ msg }) => String(msg));
    expect(said).toHaveLength(1000);
    for (const w of ['0:', '1:']) {
      const own = said.filter(msg => msg.startsWith(w)).map(msg => Number.parseInt(msg.slice(2), 10));
      expect(own).toEqual(Array.from({ length: 500 }, (_, i) => i));
    }
  });

  it.each([
    ['a file stands in its place', 'plain', /EEXIST|ENOTDIR/],
    ['it lies within a file', 'plain/logs', /ENOTDIR/],
  ])('says once that a folder can not be written to (%s), and the events go on', async (_why, name, code) => {
    await writeFile(join(root, 'plain'), 'mine');
    const { events$, errors, ended } = begin(join(root, name));
    for (let i = 0; i < 20; i++) {
      events$.next(note(`line ${i}`));
      await pass(1);
    }
    await vi.waitUntil(() => errors.length > 0, patience);
    expect(errors).toEqual([expect.stringMatching(code)]);
    expect(events$.observed).toBe(true);
    events$.complete();
    await ended;
    expect(errors).toHaveLength(1);
    expect(await readFile(join(root, 'plain'), 'utf8')).toBe('mine');
  });

  it('tries a folder again that could not be written to, then has what was said meanwhile, and says that it is well', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const folder = join(root, 'logs');
    await writeFile(folder, '');
    const { events$, errors, wells, ended } = begin(folder);
    events$.next(note('early'));
    await vi.waitUntil(() => errors.length === 1, patience);
    events$.next(note('later'));
    expect(wells).toEqual([]);
    await rm(folder);
    await vi.advanceTimersByTimeAsync(60_000);
    await until(root, async () => (await lines(folder).catch(() => [])).length === 2);
    await vi.waitUntil(() => wells.length === 1, patience);
    events$.complete();
    await ended;
    expect((await lines(folder)).map(({ msg }) => msg)).toEqual(['early', 'later']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps a bounded number of lines for a folder that never comes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const folder = join(root, 'logs');
    await writeFile(folder, '');
    const { events$, errors, ended } = begin(folder);
    for (let i = 0; i < 5_000; i++) events$.next(note(`line ${i}`));
    await vi.waitUntil(() => errors.length === 1, patience);
    await rm(folder);
    await vi.advanceTimersByTimeAsync(60_000);
    await until(root, async () => (await lines(folder).catch(() => [])).length >= 1000);
    events$.complete();
    await ended;
    expect(await lines(folder)).toHaveLength(1000);
  });

  it('writes what waits at once when it is torn down', async () => {
    const { events$, ended, cut } = begin(root);
    events$.next(note('first'));
    await until(root, async () => (await lines(root)).length === 1);
    for (let i = 0; i < 50; i++) events$.next(note(`last ${i}`));
    cut();
    await ended;
    expect(events$.observed).toBe(false);
    // Nothing of it is in the hands of the system any more but one write.
    await until(root, async () => (await lines(root)).length === 51);
  });

  it('torn down while it opens a file leaves nothing that writes', async () => {
    const { events$, ended, cut, errors } = begin(root, of(400));
    events$.next(note('early'));
    cut();
    await ended;
    await pass(600);
    expect((await names(root)).length).toBeLessThanOrEqual(1);
    expect(errors).toEqual([]);
  });

  it('errors with the events, and nothing else', async () => {
    const { events$, ended } = begin(root);
    events$.next(note('one'));
    await until(root, async () => (await lines(root)).length === 1);
    events$.error(new Error('the graph is gone'));
    await expect(ended).rejects.toThrow('the graph is gone');
  });
});
