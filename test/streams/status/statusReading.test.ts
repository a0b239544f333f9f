import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, NEVER, type Observable, Subject, throwError } from 'rxjs';
import { filter } from 'rxjs/operators';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Liveness, livenessOf, ownIdentity } from '../../../src/files/processIdentity.ts';
import type { ProcessIdentity } from '../../../src/model/entry.ts';
import type { PipelineStatus, StatusReading } from '../../../src/model/status.ts';
import { normaliseStatus } from '../../../src/streams/status/normaliseStatus.ts';
import { readStatusOnce, statusReading$ } from '../../../src/streams/status/statusReading.ts';
import type { FileText } from '../../../src/streams/watched/fileText.ts';
import { timeOf } from '../../world/timeOf.ts';
import { sampleStage, sampleStatus } from '../sampleStatus.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const fail = (error: Error): void => expect.unreachable(error.message);
const asText = (status: unknown): FileText => ({ kind: 'text', text: JSON.stringify(status) });

describe('what a status text says', () => {
  it('is the same again when it is whole', () => {
    const status = sampleStatus({
      alarms: [{ stage: 'collector', key: 'camera', message: 'no camera', since: 's', times: 2 }],
    });
    expect(normaliseStatus(JSON.stringify(status))).toEqual(status);
  });

  it('has every field, though an older version left most of them out', () => {
    const read = normaliseStatus(
      JSON.stringify({ pid: 7, host: 'pi', boot_id: 'boot', state: 'running', stages: { processor: { done: 4 } } }),
    ) as PipelineStatus;
    expect(read).toEqual({
      host: 'pi',
      pid: 7,
      boot_id: 'boot',
      pid_start: 0,
      started: '',
      state: 'running',
      heartbeat: '',
      run_id: '',
      config: { file: null, loaded: null, error: null },
      control: { seq: 0, paused: [] },
      disk: null,
      alarms: [],
      stages: {
        processor: {
          state: 'starting',
          queued: 0,
          expected: null,
          in_flight: 0,
          done: 4,
          failed: 0,
          discarded: 0,
          lost: 0,
          per_minute: 0,
          target_per_minute: null,
          per_second: null,
          peak_per_second: null,
          busy: null,
          most_per_second: null,
          rows_per_second: null,
          bytes_per_second: null,
          last_done: null,
          clears_in_ms: null,
          history: [],
          last_ms: null,
          last_error: null,
          last_error_at: null,
          last_error_over: null,
          heartbeat: null,
          late: null,
        },
      },
      latency: null,
      throughput: null,
      last_image: null,
      processes: [expect.objectContaining({ pid: 7, state: 'running', stages: ['processor'] })],
    });
  });

  it('takes the rate of a version that knew the last minute alone, and holds what a newer one says of the whole', () => {
    const { per_second: _, ...old } = { ...sampleStage, per_minute: 12 };
    const throughput = {
      stage: 'processor',
      per_second: 0.2,
      peak_per_second: 0.3,
      target_per_minute: 12,
      rows_per_second: 60,
      disk_bytes_per_second: 1e6,
      share_bytes_per_second: null,
      latency: { median_ms: 400, p95_ms: 900, results: 100 },
      waiting: 9,
      clears_in_ms: 'never',
      finished: 10,
      expected: 20,
      busiest: { stage: 'processor', busy: 0.9 },
    } as const;
    const read = normaliseStatus(
      JSON.stringify({ ...sampleStatus(), stages: { processor: old }, throughput }),
    ) as PipelineStatus;
    expect(read.stages.processor?.per_second).toBe(0.2);
    expect(read.throughput).toEqual(throughput);
  });

  it('holds nothing of another type, no unknown stage, and no control characters', () => {
    const odd = {
      ...sampleStatus(),
      stages: { processor: { done: '4', history: [1, 'x'], last_error: 'red \u001b[31mtext\nnext' }, brewer: {} },
      alarms: [null, 5, { stage: 'brewer', message: 'x' }, { stage: 'processor', message: 'a\u009bb' }],
      last_image: { filename: 'a\nb.png', filepath: 5 },
      disk: { free_bytes: 1, total_bytes: 2 },
      control: { paused: ['collector', 'brewer'] },
      processes: 'none',
    };
    const read = normaliseStatus(JSON.stringify(odd)) as PipelineStatus;
    expect(read.stages).toEqual({
      processor: expect.objectContaining({ done: 0, history: [1, 0], last_error: 'red text next' }),
    });
    expect(read.alarms).toEqual([{ stage: 'processor', key: '', message: 'a b', since: '', times: 1 }]);
    expect(read.last_image).toBeNull();
    expect(read.disk).toEqual({ free: 1, size: 2, full_at: null });
    expect(read.control.paused).toEqual(['collector']);
    expect(read.processes).toHaveLength(1);
  });

  it.each(['{"pid":7,"ho', 'null', '[]', '{"pid":"7"}'])('refuses %s', text => {
    expect(normaliseStatus(text)).toMatch(/^is not (valid JSON|the status of a pipeline)/);
  });
});

describe('statusReading$ in virtual time', () => {
  beforeEach(() => void vi.useFakeTimers({ now: t0 }));
  afterEach(() => void vi.useRealTimers());

  function begin(first: FileText, changes: { touched?: () => Observable<void> } = {}) {
    const world = { file: first, liveness: 'alive' as Liveness | ((p: ProcessIdentity) => Liveness), reads: 0 };
    const touches$ = new Subject<void>();
    const readings: StatusReading[] = [];
    const errors: string[] = [];
    const start = Date.now();
    const subscription = statusReading$(
      { file: '/flags/pipeline_status.json', onError: ({ message }) => errors.push(message) },
      {
        read: async () => {
          world.reads++;
          return world.file;
        },
        touched: () => touches$,
        liveness: process => (typeof world.liveness === 'string' ? world.liveness : world.liveness(process)),
        clock: { now: () => Date.now(), monotonic: () => Date.now() - start },
        ...changes,
      },
    ).subscribe(reading => readings.push(reading));
    const connections = (): string[] => readings.map(({ connection }) => connection);
    return { world, touches$, readings, connections, errors, subscription };
  }

  it('reads at once and at each touch, and says nothing while nothing changes', async () => {
    const { world, touches$, readings, subscription } = begin(asText(sampleStatus()));
    await vi.advanceTimersByTimeAsync(0);
    expect(readings).toMatchObject([{ connection: 'running', status: { pid: 7 } }]);
    await vi.advanceTimersByTimeAsync(5_500);
    expect(readings).toHaveLength(1);
    world.file = asText(sampleStatus({ heartbeat: '2026-11-22T12:00:05.000000Z' }));
    touches$.next();
    await vi.advanceTimersByTimeAsync(0);
    expect(readings).toHaveLength(2);
    subscription.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
    expect(touches$.observed).toBe(false);
  });

  it('finds a change that the watcher does not tell of within a second', async () => {
    const { world, readings } = begin(asText(sampleStatus()));
    await vi.advanceTimersByTimeAsync(0);
    world.file = asText(sampleStatus({ state: 'draining' }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(readings.at(-1)?.status?.state).toBe('draining');
  });

  it('says crashed within a second when the processes are gone, also while reading the file hangs', async () => {
    const { world, connections } = begin(asText(sampleStatus()));
    await vi.advanceTimersByTimeAsync(100);
    world.liveness = 'gone';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections()).toEqual(['running', 'crashed']);

    const other = begin(asText(sampleStatus()));
    await vi.advanceTimersByTimeAsync(100);
    other.world.file = new Promise(() => undefined) as never;
    other.touches$.next();
    other.world.liveness = 'gone';
    await vi.advanceTimersByTimeAsync(1_000);
    expect(other.connections()).toEqual(['running', 'crashed']);
  });

  it('says stopped when all processes said so, whether they live or not', async () => {
    const { world, touches$, connections } = begin(asText(sampleStatus({}, [{}, { pid: 8, state: 'stopped' }])));
    await vi.advanceTimersByTimeAsync(0);
    world.file = asText(sampleStatus({}, [{ state: 'stopped' }, { pid: 8, state: 'stopped' }]));
    touches$.next();
    await vi.advanceTimersByTimeAsync(0);
    world.liveness = 'gone';
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connections()).toEqual(['running', 'stopped']);
  });

  it('is running while one of several processes is, and none of the stopped ones counts', async () => {
    const { world, connections } = begin(asText(sampleStatus({}, [{}, { pid: 8 }, { pid: 9, state: 'stopped' }])));
    world.liveness = ({ pid }) => (pid === 8 ? 'alive' : 'gone');
    await vi.advanceTimersByTimeAsync(0);
    world.liveness = ({ pid }) => (pid === 9 ? 'alive' : 'gone');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections()).toEqual(['running', 'crashed']);
  });

  it('says unreachable after 15 s without a new heartbeat from another machine, and running at the next', async () => {
    const at = (seconds: number): FileText =>
      asText(sampleStatus({ heartbeat: `2026-11-22T12:00:${String(seconds).padStart(2, '0')}.000000Z` }));
    const { world, connections } = begin(at(0));
    world.liveness = 'unknown';
    for (let second = 1; second <= 20; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      world.file = at(second);
    }
    expect(connections().every(connection => connection === 'running')).toBe(true);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(connections().at(-1)).toBe('running');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(connections().at(-1)).toBe('unreachable');
    world.file = at(50);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections().at(-1)).toBe('running');
  });

  it('does not believe a heartbeat of another clock until it has seen it beat', async () => {
    const { world, connections } = begin(asText(sampleStatus({ heartbeat: '2025-01-01T00:00:00.000000Z' })));
    world.liveness = 'unknown';
    await vi.advanceTimersByTimeAsync(0);
    expect(connections()).toEqual(['unreachable']);
    world.file = asText(sampleStatus({ heartbeat: '2025-01-01T00:00:01.000000Z' }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections().at(-1)).toBe('running');
  });

  it('says none without a file, keeps the last reading of a torn one, and tells each reason once', async () => {
    const { world, readings, connections, errors } = begin({ kind: 'missing' });
    await vi.advanceTimersByTimeAsync(0);
    expect(readings).toEqual([{ connection: 'none', status: null }]);
    world.file = asText(sampleStatus());
    await vi.advanceTimersByTimeAsync(1_000);
    world.file = { kind: 'text', text: '{"pid":7,' };
    await vi.advanceTimersByTimeAsync(3_000);
    world.file = { kind: 'unreadable', reason: 'is a folder' };
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connections()).toEqual(['none', 'running']);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatch(/^\/flags\/pipeline_status.json is not valid JSON: /);
    expect(errors[1]).toBe('/flags/pipeline_status.json is a folder');
    world.file = { kind: 'missing' };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections()).toEqual(['none', 'running', 'none']);
  });

  it('goes on looking when the file can not be watched', async () => {
    const { world, connections, errors } = begin(asText(sampleStatus()), {
      touched: () => throwError(() => new Error('no space left for watches')),
    });
    await vi.advanceTimersByTimeAsync(0);
    world.file = { kind: 'missing' };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections()).toEqual(['running', 'none']);
    expect(errors).toEqual([
      "/flags/pipeline_status.json can't be watched for changes: no space left for watches; it is looked at every 1 s instead",
    ]);
  });
});

describe('readStatusOnce', () => {
  const clock = { now: () => t0, monotonic: () => performance.now() };

  it('reads once', async () => {
    const reading = await readStatusOnce('/x', {
      clock,
      read: async () => asText(sampleStatus()),
      liveness: () => 'gone',
    });
    expect(reading).toMatchObject({ connection: 'crashed', status: { pid: 7 }, problem: null });
  });

  it('says what is wrong with the file', async () => {
    const read = async (): Promise<FileText> => ({ kind: 'text', text: '[]' });
    expect(await readStatusOnce('/x', { clock, read })).toMatchObject({
      connection: 'none',
      problem: expect.stringMatching(/^\/x is not the status of a pipeline/),
    });
  });

  it('waits for a sign of life from another machine whose clock tells nothing', async () => {
    let reads = 0;
    const read = async (): Promise<FileText> =>
      asText(sampleStatus({ heartbeat: `2025-01-01T00:00:0${Math.min(9, reads++)}.000000Z` }));
    expect(await readStatusOnce('/x', { clock, read, liveness: () => 'unknown' })).toMatchObject({
      connection: 'running',
    });
    expect(reads).toBe(2);
  });
});

describe('statusReading$ on real files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-status-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('sees the folder and the file come, each replacement, and a process that is killed', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1e6)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await new Promise(resolve => child.stdout.once('data', resolve));
    const { readFileSync } = await import('node:fs');
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const identity = {
      host: hostname(),
      boot_id: ownIdentity.boot_id,
      pid: child.pid as number,
      pid_start: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]),
    };
    expect(livenessOf(identity)).toBe('alive');
    const file = join(folder, 'flags', 'pipeline_status.json');
    const readings: StatusReading[] = [];
    const seen$ = new Subject<StatusReading>();
    const subscription = statusReading$({ file, onError: fail }).subscribe(reading => {
      readings.push(reading);
      seen$.next(reading);
    });
    const until = (wanted: (reading: StatusReading) => boolean): Promise<StatusReading> => {
      const last = readings.at(-1);
      return last && wanted(last) ? Promise.resolve(last) : firstValueFrom(seen$.pipe(filter(wanted)));
    };
    await until(({ connection }) => connection === 'none');
    await mkdir(join(folder, 'flags'));
    for (let done = 1; done <= 3; done++) {
      const status = sampleStatus({ ...identity, run_id: `run ${done}` }, [identity]);
      await writeFile(`${file}.tmp`, JSON.stringify(status));
      await rename(`${file}.tmp`, file);
      expect(await until(({ status }) => status?.run_id === `run ${done}`)).toMatchObject({ connection: 'running' });
    }
    const now = timeOf();
    const before = now();
    child.kill('SIGKILL');
    await until(({ connection }) => connection === 'crashed');
    expect(now() - before).toBeLessThan(3_000);
    subscription.unsubscribe();
  });

  it('never asks for more than the one file', async () => {
    const paths: string[] = [];
    const subscription = statusReading$(
      { file: join(folder, 'a.json'), onError: fail },
      {
        touched: path => {
          paths.push(path);
          return NEVER;
        },
      },
    ).subscribe();
    subscription.unsubscribe();
    expect(paths).toEqual([join(folder, 'a.json')]);
  });
});
