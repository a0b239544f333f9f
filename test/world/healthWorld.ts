import { finalize, Subject } from 'rxjs';
import type { DiskSpace } from '../../src/files/diskSpace.ts';
import type { LogChange } from '../../src/manifest/entryLog.ts';
import type { QueueStage } from '../../src/manifest/stageWork.ts';
import type { Entry, ProcessIdentity } from '../../src/model/entry.ts';
import type { StageEvent } from '../../src/model/event.ts';
import type { StageName } from '../../src/model/stageName.ts';
import type { HealthStatus, PipelineStatus, StageStatus } from '../../src/model/status.ts';
import { type HealthExperiment, type HealthSettings, health } from '../../src/operators/health/health.ts';
import type { Throttled } from '../../src/operators/health/powerSupply.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { identity, sampleEntry } from './sampleManifest.ts';

export const healthSettings: HealthSettings = {
  enabled: true,
  firstMs: 0,
  intervalMs: 30_000,
  frameIntervalMs: null,
  sensors: [],
  minFreeDisk: { kind: 'bytes', bytes: 1e9, text: '1 GB' },
};

const stageStatus: StageStatus = {
  state: 'running',
  queued: 0,
  expected: null,
  in_flight: 0,
  done: 0,
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
  history: [],
  last_ms: null,
  last_error: null,
  heartbeat: '2025-07-24T13:45:00.000000Z',
  late: null,
};

/** The status of a root with one process, as others read it. */
export function samplePipeline(
  stages: Partial<Record<StageName, Partial<StageStatus>>> = {},
  more: Partial<PipelineStatus> = {},
): PipelineStatus {
  const all = { collector: {}, processor: {}, communicator: {}, health: {}, ...stages };
  const process = { ...identity(1), started: '2025-07-24T13:00:00.000000Z', heartbeat: '2025-07-24T13:45:00.000000Z' };
  return {
    ...process,
    state: 'running',
    run_id: 'run',
    config: { file: 'c.toml', loaded: null, error: null },
    control: { seq: 0, paused: [] },
    disk: null,
    alarms: [],
    latency: null,
    throughput: null,
    stages: Object.fromEntries(Object.entries(all).map(([name, set]) => [name, { ...stageStatus, ...set }])),
    last_image: null,
    processes: [{ ...process, state: 'running', stages: Object.keys(all) as StageName[] }],
    ...more,
  };
}

function beating(pipeline: PipelineStatus | null, beats: number): PipelineStatus | null {
  return pipeline && { ...pipeline, processes: pipeline.processes.map(each => ({ ...each, heartbeat: `${beats}` })) };
}

/** The health stage with a world that a test makes up. */
export class HealthWorld {
  readonly changes$ = new Subject<LogChange>();
  pipeline: PipelineStatus | null = samplePipeline();
  space: DiskSpace | 'unknown' | null = { free: 50e9, size: 100e9 };
  throttled: Throttled | null = null;
  holders: Partial<Record<StageName, ProcessIdentity>> = {};
  /** Pids of processes that are gone. */
  dead: number[] = [];
  orphans: Partial<Record<QueueStage, Entry[]>> = {};
  onLook: () => Promise<unknown> = async () => undefined;
  onSettle: (stage: QueueStage) => Promise<unknown> = async () => undefined;
  open = 0;
  maxOpen = 0;
  /** Each status that is read has another heartbeat; 0: as the test has made them. */
  beats = 1;
  onOpen: () => void = () => undefined;

  stage(tools: Tools & StageFlow) {
    const fixture = this;
    const settle = (stage: QueueStage) => async (): Promise<number> => {
      await this.onSettle(stage);
      const ended = this.orphans[stage]?.length ?? 0;
      this.orphans[stage] = [];
      return ended;
    };
    const experiment: HealthExperiment = {
      tools,
      queue: {
        get changes$() {
          fixture.onOpen();
          fixture.maxOpen = Math.max(fixture.maxOpen, ++fixture.open);
          const { changes$ } = fixture;
          return changes$.pipe(finalize(() => fixture.open--));
        },
        orphans: stage => this.orphans[stage] ?? [],
      },
      liveness: ({ pid }) => (this.dead.includes(pid) ? 'gone' : 'alive'),
      readStatus: async () => {
        await this.onLook();
        return this.beats ? beating(this.pipeline, this.beats++) : this.pipeline;
      },
      readHolders: async () => this.holders,
      rootSpace: () => this.space,
      readThrottled: async () => this.throttled,
      settleOrphans: { processor: settle('processor'), compressor: settle('compressor') },
    };
    return runStage(health, experiment, tools);
  }

  /** A frame is recorded. */
  frame(monotonicMs: number, set: Partial<Entry> = {}): void {
    const entry = sampleEntry(`f${monotonicMs}`, { monotonic_ms: monotonicMs, ...set });
    this.changes$.next({ id: entry.entry_id, op: 'add', entry });
  }

  /** Entries that a process which is gone has in flight. */
  crashed(pid: number, claims: Partial<Record<QueueStage, number>>): void {
    this.dead.push(pid);
    for (const [stage, count] of Object.entries(claims) as [QueueStage, number][]) {
      this.orphans[stage] = Array.from({ length: count }, (_, i) =>
        sampleEntry(`${stage}${i}`, { claims: { [stage]: { ...identity(pid), time: '2025-07-24T13:45:00.000000Z' } } }),
      );
    }
  }
}

export const reportsOf = (events: readonly StageEvent[]): HealthStatus[] =>
  events.flatMap(event => (event.kind === 'health' ? [event.report] : []));
