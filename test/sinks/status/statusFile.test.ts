import { firstValueFrom, Subject, takeUntil, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DiskSpace } from '../../../src/files/diskSpace.ts';
import type { Liveness } from '../../../src/files/processIdentity.ts';
import type { PipelineEvent } from '../../../src/model/event.ts';
import { parseIso } from '../../../src/model/localTime.ts';
import type { PipelineStatus, ProcessStatus } from '../../../src/model/status.ts';
import { type StatusFileOptions, statusFile } from '../../../src/sinks/status/statusFile.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const ownPath = '/flags/status/pi-7.json';
const done: PipelineEvent = { kind: 'done', stage: 'processor', at: t0, entryId: 'A', ms: 1, detail: {} };

describe('status file', () => {
  beforeEach(() => void vi.useFakeTimers({ now: t0 }));
  afterEach(() => void vi.useRealTimers());

  function begin(
    files = new FaultyFiles(),
    liveness: () => Liveness = () => 'alive',
    options: Partial<StatusFileOptions> = {},
  ) {
    const events$ = new Subject<PipelineEvent>();
    const errors: string[] = [];
    const status = statusFile({
      folder: '/flags',
      files,
      clock: { now: () => Date.now(), monotonic: () => 0 },
      own: { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 },
      liveness,
      runId: 'run',
      stages: ['processor'],
      onError: ({ message }) => errors.push(message),
      ...options,
    });
    const cut$ = new Subject<void>();
    const ended = firstValueFrom(status.follow(events$).pipe(takeUntil(cut$), toArray()));
    const read = <T>(path: string): T => JSON.parse(files.content(path)?.toString() ?? 'null');
    return {
      files,
      status,
      events$,
      ended,
      cut: () => cut$.next(),
      errors,
      own: () => read<ProcessStatus>(ownPath),
      merged: () => read<PipelineStatus>('/flags/pipeline_status.json'),
    };
  }

  it('is there at once, is written every second, and says stopped at the end', async () => {
    const { files, events$, ended, own, merged } = begin();
    await vi.advanceTimersByTimeAsync(10);
    expect(own()).toMatchObject({ state: 'starting', pid: 7, pid_start: 99, boot_id: 'boot', run_id: 'run' });
    // The stages are there before they have said anything: a restart needs to know them.
    expect(own().stages.processor).toMatchObject({ state: 'starting', done: 0, heartbeat: null, late: null });
    events$.next({ kind: 'state', stage: 'processor', at: t0, state: 'running' });
    events$.next(done);
    expect(own().stages.processor?.done).toBe(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(own()).toMatchObject({ state: 'running', heartbeat: '2026-11-22T12:00:01.000000Z' });
    expect(merged().stages.processor?.done).toBe(1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(own().heartbeat).toBe('2026-11-22T12:00:04.000000Z');
    events$.next(done);
    events$.complete();
    expect(await ended).toEqual([]);
    expect(own()).toMatchObject({ state: 'stopped', stages: { processor: { done: 2 } } });
    expect(merged()).toMatchObject({ state: 'stopped', processes: [{ pid: 7 }] });
    // Only the folder is made durable.
    const synced = files.steps.filter(({ kind }) => kind === 'sync' || kind === 'syncFolder');
    expect(synced.map(({ path }) => path)).toEqual(['/', '/flags']);
    expect(files.paths()).toEqual(['/flags/pipeline_status.json', ownPath]);
  });

  it('takes in the other processes, and removes the files of those that are gone', async () => {
    const files = new FaultyFiles();
    const first = begin(files);
    await vi.advanceTimersByTimeAsync(10);
    first.events$.complete();
    await first.ended;
    const other = { ...first.own(), pid: 8, state: 'running', started: '2026-11-22T11:00:00.000000Z' };
    files.put('/flags/status/pi-8.json', JSON.stringify(other));
    files.put('/flags/status/odd.json', '{"half":');
    let alive: Liveness = 'alive';
    const { events$, ended, merged } = begin(files, () => alive);
    await vi.advanceTimersByTimeAsync(10);
    expect(merged()).toMatchObject({ pid: 8, state: 'running', processes: [{ pid: 8 }, { pid: 7 }] });
    alive = 'unknown';
    await vi.advanceTimersByTimeAsync(30_000);
    expect(merged().processes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(merged().processes).toHaveLength(1);
    expect(files.content('/flags/status/pi-8.json')).toBeNull();
    events$.complete();
    await ended;
  });

  it('says stopped for an end that was cut short, with nothing in flight', async () => {
    const { files, status, events$, ended, cut, own, merged } = begin();
    await vi.advanceTimersByTimeAsync(10);
    for (const kind of ['running', 'claimed'] as const) {
      const event = { stage: 'processor', at: t0 } as const;
      if (kind === 'running') events$.next({ ...event, kind: 'state', state: 'running' });
      else events$.next({ ...event, kind: 'claimed', count: 3 });
    }
    events$.next({ kind: 'state', stage: 'backup', at: t0, state: 'off' });
    // A write is on its way when it is torn down.
    const held: (() => void)[] = [];
    files.gate = () => new Promise<void>(resolve => held.push(resolve));
    await vi.advanceTimersByTimeAsync(1000);
    cut();
    await ended;
    const stopped = status.stopped();
    await vi.advanceTimersByTimeAsync(0);
    files.gate = null;
    // Were there two at once, the older one would come last.
    while (held.length > 0) {
      held.pop()!();
      await vi.advanceTimersByTimeAsync(10);
    }
    await stopped;
    expect(own()).toMatchObject({
      state: 'stopped',
      stages: { processor: { state: 'stopped', in_flight: 0 }, backup: { state: 'off' } },
    });
    expect(merged().state).toBe('stopped');
    expect(events$.observed).toBe(false);
    const steps = files.steps.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(files.steps).toHaveLength(steps);
  });

  it('says when the disk will be full, and nothing of one that can not be asked', async () => {
    let free: number | null = 10_000_000;
    const disk = (): DiskSpace | null => (free === null ? null : { free, size: 20_000_000 });
    const { events$, ended, own } = begin(new FaultyFiles(), () => 'alive', { disk });
    for (let second = 0; second < 700; second++) {
      free -= 1000;
      await vi.advanceTimersByTimeAsync(1000);
    }
    const { disk: told } = own();
    expect(told).toMatchObject({ free, size: 20_000_000 });
    // A byte a millisecond.
    expect((parseIso(told!.full_at!) - Date.now()) / free).toBeCloseTo(1, 2);
    free = null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(own().disk).toBeNull();
    events$.complete();
    await ended;
  });

  it('goes on being told on a disk that is full to the last byte, in the place that the file has', async () => {
    const { files, events$, ended, errors, own, merged } = begin();
    await vi.advanceTimersByTimeAsync(10);
    // No new file, and no file becomes longer.
    files.plan = ({ kind, path }) => (kind === 'write' && path.endsWith('.tmp') ? { error: 'ENOSPC' } : null);
    const length = files.content(ownPath)?.length;
    for (let second = 0; second < 5; second++) {
      events$.next(done);
      await vi.advanceTimersByTimeAsync(1000);
      expect(own().stages.processor?.done).toBe(second + 1);
      expect(merged().heartbeat).toBe(own().heartbeat);
    }
    expect(files.content(ownPath)).toHaveLength(length!);
    expect(errors).toEqual([]);
    events$.complete();
    await ended;
    expect(own().state).toBe('stopped');
  });

  it('reports a disk that refuses once, and goes on when it takes again', async () => {
    const { files, events$, ended, errors, own } = begin();
    await vi.advanceTimersByTimeAsync(10);
    files.plan = ({ kind }) => (kind === 'rename' ? { error: 'EIO' } : null);
    await vi.advanceTimersByTimeAsync(5000);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('EIO');
    files.plan = () => null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(own().heartbeat).toBe('2026-11-22T12:00:06.000000Z');
    events$.complete();
    await ended;
  });
});
