import type { PipelineStatus, ProcessStatus, StageStatus } from '../../src/model/status.ts';

export const sampleStage: StageStatus = {
  state: 'running',
  queued: 3,
  expected: null,
  in_flight: 1,
  done: 10,
  failed: 2,
  discarded: 1,
  lost: 0,
  per_minute: 12,
  target_per_minute: 12,
  per_second: null,
  peak_per_second: null,
  busy: null,
  most_per_second: null,
  rows_per_second: null,
  bytes_per_second: null,
  last_done: null,
  clears_in_ms: null,
  history: [1, 2, 3],
  last_ms: 70,
  last_error: null,
  last_error_at: null,
  last_error_over: null,
  heartbeat: '2026-11-22T12:00:00.000000Z',
  late: null,
};

/** What one process on this machine's neighbour would write. */
export function sampleStatus(
  changes: Partial<PipelineStatus> = {},
  processes: Partial<PipelineStatus['processes'][number]>[] = [{}],
): PipelineStatus {
  const self: Pick<ProcessStatus, 'host' | 'pid' | 'boot_id' | 'pid_start' | 'started' | 'state' | 'heartbeat'> = {
    host: 'pi',
    pid: 7,
    boot_id: 'boot',
    pid_start: 99,
    started: '2026-11-22T11:00:00.000000Z',
    state: 'running',
    heartbeat: '2026-11-22T12:00:00.000000Z',
    ...(changes.heartbeat && { heartbeat: changes.heartbeat }),
  };
  return {
    ...self,
    run_id: 'run',
    config: { file: 'c.toml', loaded: '2026-11-22T11:00:00.000000Z', error: null },
    control: { seq: 1, paused: [] },
    disk: { free: 10, size: 100, full_at: null },
    alarms: [],
    latency: null,
    throughput: null,
    stages: { processor: sampleStage },
    last_image: {
      filename: 'a.png',
      filepath: '/data/20261122',
      original: false,
      taken: '2026-11-22T12:00:00.000000Z',
    },
    ...changes,
    processes: processes.map(process => ({ ...self, stages: ['processor'], ...process })),
  };
}
