import { firstValueFrom, Subject, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PipelineEvent } from '../../src/model/event.ts';
import type { PipelineStatus } from '../../src/sinks/mergeStatuses.ts';
import type { ProcessStatus } from '../../src/sinks/pipelineStatus.ts';
import { statusFile } from '../../src/sinks/statusFile.ts';
import type { Liveness } from '../../src/storage/processIdentity.ts';
import { FaultyFiles } from '../storage/faultyFiles.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const ownPath = '/flags/status/pi-7.json';
const done: PipelineEvent = { kind: 'done', stage: 'processor', at: t0, entryId: 'A', ms: 1, detail: {} };

describe('status file', () => {
  beforeEach(() => void vi.useFakeTimers({ now: t0 }));
  afterEach(() => void vi.useRealTimers());

  function begin(files = new FaultyFiles(), liveness: () => Liveness = () => 'alive') {
    const events$ = new Subject<PipelineEvent>();
    const errors: string[] = [];
    const ended = firstValueFrom(
      statusFile(events$, {
        folder: '/flags',
        files,
        clock: { now: () => Date.now(), monotonic: () => 0 },
        own: { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 },
        liveness,
        onError: ({ message }) => errors.push(message),
      }).pipe(toArray()),
    );
    const read = <T>(path: string): T => JSON.parse(files.content(path)?.toString() ?? 'null');
    return {
      files,
      events$,
      ended,
      errors,
      own: () => read<ProcessStatus>(ownPath),
      merged: () => read<PipelineStatus>('/flags/pipeline_status.json'),
    };
  }

  it('is there at once, is written every second, and says stopped at the end', async () => {
    const { files, events$, ended, own, merged } = begin();
    await vi.advanceTimersByTimeAsync(10);
    expect(own()).toMatchObject({ state: 'starting', pid: 7, pid_start: 99, boot_id: 'boot' });
    events$.next({ kind: 'state', stage: 'processor', at: t0, state: 'running' });
    events$.next(done);
    expect(own().stages).toEqual({});
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
    expect(files.steps.some(({ kind }) => kind === 'sync' || kind === 'syncFolder')).toBe(false);
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

  it('reports a disk that refuses once, and goes on when it takes again', async () => {
    const { files, events$, ended, errors, own } = begin();
    await vi.advanceTimersByTimeAsync(10);
    files.plan = ({ kind }) => (kind === 'rename' ? { error: 'ENOSPC' } : null);
    await vi.advanceTimersByTimeAsync(5000);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('ENOSPC');
    files.plan = () => null;
    await vi.advanceTimersByTimeAsync(1000);
    expect(own().heartbeat).toBe('2026-11-22T12:00:06.000000Z');
    events$.complete();
    await ended;
  });
});
