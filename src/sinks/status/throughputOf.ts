import type { StageName } from '../../model/stageName.ts';
import type { Latency, StageStatus, Throughput } from '../../model/status.ts';

type Stages = Partial<Record<StageName, StageStatus>>;

/** The stage that brings what waits for another; the first of those that run. */
const upstreamOf: Partial<Record<StageName, readonly StageName[]>> = {
  processor: ['collector'],
  communicator: ['processor'],
  compressor: ['processor'],
  syncer: ['compressor', 'processor'],
};

const isWorking = (stage: StageStatus | undefined): stage is StageStatus =>
  stage?.state === 'running' || stage?.state === 'draining';

/** The stages with how long it will take each until nothing waits for it. */
export function withWaits(stages: Stages): Stages {
  return Object.fromEntries(
    (Object.entries(stages) as [StageName, StageStatus][]).map(([name, stage]) => [
      name,
      { ...stage, clears_in_ms: clearsIn(name, stage, stages) },
    ]),
  );
}

/** What is done beyond what comes must be more than this share of it, or it says nothing. */
const leastGain = 0.02;

function clearsIn(name: StageName, stage: StageStatus, stages: Stages): number | 'never' | null {
  if (stage.queued === 0) return 0;
  const most = stage.most_per_second ?? stage.per_second ?? null;
  if (!isWorking(stage) || most === null || most === 0) return null;
  const upstream = upstreamOf[name]?.map(each => stages[each]).find(isWorking);
  const comes = upstream?.per_second ?? (upstream?.target_per_minute ?? 0) / 60;
  const gain = most - comes;
  return gain > leastGain * most ? Math.round((stage.queued / gain) * 1000) : 'never';
}

/** The whole of the stages; null where none takes frames or makes results. */
export function throughputOf(stages: Stages, latency: Latency | null): Throughput | null {
  const name = (['processor', 'collector'] as const).find(each => stages[each] && stages[each].state !== 'off');
  if (name === undefined) return null;
  const { collector, brightfield, compressor, processor, syncer } = stages;
  const of = stages[name] as StageStatus;
  const finished = of.done + of.failed;
  const expected = collector?.expected ?? of.expected;
  const busiest = (Object.entries(stages) as [StageName, StageStatus][])
    .filter(([each, { busy }]) => each !== 'health' && busy !== null && busy !== undefined && busy > 0)
    .reduce<Throughput['busiest']>(
      (most, [stage, { busy }]) => ((busy as number) > (most?.busy ?? 0) ? { stage, busy: busy as number } : most),
      null,
    );
  return {
    stage: name,
    per_second: of.per_second ?? null,
    peak_per_second: of.peak_per_second ?? null,
    target_per_minute: collector?.target_per_minute ?? of.target_per_minute,
    rows_per_second: processor?.rows_per_second ?? null,
    disk_bytes_per_second: [collector, brightfield, compressor].reduce(
      (sum, stage) => sum + (stage?.bytes_per_second ?? 0),
      0,
    ),
    share_bytes_per_second: syncer && syncer.state !== 'off' ? (syncer.bytes_per_second ?? 0) : null,
    latency,
    waiting: name === 'processor' ? of.queued : 0,
    clears_in_ms:
      expected === null ? (name === 'processor' ? (of.clears_in_ms ?? null) : 0) : leftOf(of, expected - finished),
    finished,
    expected,
    busiest,
  };
}

/** Until all that will come is finished, as fast as it goes now. */
function leftOf({ per_second }: StageStatus, left: number): number | null {
  if (left <= 0) return 0;
  return per_second ? Math.round((left / per_second) * 1000) : null;
}
