import { bytes, duration, estimate, number } from './quantity.ts';
import { rateFigure, rateText, rateUnit, unitBeside } from './rate.ts';
import type { StageName, StageState } from './stageName.ts';
import type { Connection, PipelineStatus, StageStatus, Throughput } from './status.ts';

/**
 * How a stage is, in the words of console and `status`. What the last status of a process that is gone says is no longer so, and a stage that
 * begins anew after an alarm can't work yet.
 */
export function stageWord(name: StageName, { stages, alarms }: PipelineStatus, connection: Connection): StageWord {
  const state = (stages[name] as StageStatus).state;
  if (connection !== 'running') return connection === 'unreachable' ? 'unknown' : 'stopped';
  return state === 'starting' && alarms.some(({ stage }) => stage === name) ? 'alarm' : state;
}

export type StageWord = StageState | 'alarm' | 'unknown';

/** What there is to say of the whole, a fact each, in the words of console, `status` and help. */
export interface ThroughputWords {
  /** `11.8 of 12/min asked`; of a folder that is read as fast as there is room `21.3/s`. */
  now: string;
  peak: string | null;
  /** Of a folder: `420 of 1,000 done, 1 min 29 s left`. */
  folder: string | null;
  rows: string | null;
  /** What is written to the disk, and to the share where there is one. */
  disk: string;
  share: string | null;
  /** From frame to result. */
  latency: string | null;
  /** `3, gone in 2 s`. */
  waiting: string;
  /** `processor 31 %`. */
  busiest: string | null;
}

/** What there is of a replay was partly done before it was interrupted; and it knows better how long it will take: it has a speed. */
export function wholeOf(throughput: Throughput, { replay }: PipelineStatus): Throughput {
  if (!replay) return throughput;
  const { left_seconds: left, read } = replay;
  return {
    ...throughput,
    finished: Math.max(throughput.finished, read - throughput.waiting),
    clears_in_ms: left === null ? null : left * 1000,
  };
}

/** `now`: milliseconds since 1970 UTC, for how long there was nothing. */
export function throughputWords(given: Throughput, status: PipelineStatus, now: number): ThroughputWords {
  const throughput = wholeOf(given, status);
  const stage = status.stages[throughput.stage];
  const { per_second, peak_per_second: peak, target_per_minute: target, rows_per_second: rows, latency } = throughput;
  const { finished, expected, clears_in_ms: clears, busiest } = throughput;
  const left = expected !== null && typeof clears === 'number' && clears > 0 ? `, ${estimate(clears)} left` : '';
  return {
    now: isHeld(throughput, status) ? 'paused' : rateOfAsked(per_second, target, stage?.last_done ?? null, now),
    peak: peak === null ? null : rateText(peak),
    folder: expected === null ? null : `${number(Math.min(finished, expected))} of ${number(expected)} done${left}`,
    rows: rows === null ? null : rateText(rows, rateUnit(Math.max(rows, 1))),
    disk: `${bytes(throughput.disk_bytes_per_second)}/s`,
    share: throughput.share_bytes_per_second === null ? null : `${bytes(throughput.share_bytes_per_second)}/s`,
    latency: latency && `${duration(latency.median_ms)}, 95 % within ${duration(latency.p95_ms)}`,
    waiting: waitingWords(throughput.waiting, expected === null ? clears : null),
    busiest: busiest && `${busiest.stage} ${percent(busiest.busy)}`,
  };
}

/** Whether nothing comes because somebody, or the experiment, has it rest: a replay, the camera, or the stage itself. */
export function isHeld({ stage, per_second }: Throughput, { stages, replay }: PipelineStatus): boolean {
  if (per_second !== null && per_second > 0) return false;
  if (replay?.paused && !replay.ended) return true;
  return [stages[stage], stages.collector].some(each => each?.state === 'paused');
}

/** `11.8 of 12/min`; `nothing for 35 s of 12/min`; `not known yet`. @param lastDone UTC. */
function rateOfAsked(
  perSecond: number | null,
  targetPerMinute: number | null,
  lastDone: string | null,
  now: number,
): string {
  const asked = targetPerMinute === null ? null : targetPerMinute / 60;
  const unit = unitBeside(perSecond ?? 0, asked);
  const silentMs = lastDone === null ? Number.NaN : Math.max(0, now - Date.parse(lastDone));
  const is =
    perSecond === null
      ? lastDone === null
        ? 'nothing yet'
        : 'measuring'
      : perSecond === 0 && Number.isFinite(silentMs)
        ? `nothing for ${estimate(silentMs)}`
        : rateFigure(perSecond, unit);
  const isMoving = perSecond !== null && perSecond > 0;
  if (asked === null) return isMoving ? `${is}/${unit.per}` : is;
  if (isMoving && unit === rateUnit(asked)) return `${is} of ${rateText(asked)}`;
  return `${isMoving ? `${is}/${unit.per}` : is}, asked ${rateText(asked)}`;
}

/** `3, gone in 2 s`; `1,204, more comes than is done`. */
function waitingWords(waiting: number, clearsInMs: StageStatus['clears_in_ms']): string {
  if (waiting === 0) return 'none';
  const gone = goneWords(clearsInMs);
  return gone === null ? number(waiting) : `${number(waiting)}, ${gone}`;
}

/** How long it will take until nothing waits; null where that can't be told, and where nothing waits. */
export function goneWords(clearsInMs: StageStatus['clears_in_ms']): string | null {
  if (clearsInMs === 'never') return 'more comes than is done';
  return typeof clearsInMs === 'number' && clearsInMs > 0 ? `gone in ${estimate(clearsInMs)}` : null;
}

/** `31 %`; what lacks a part that is not measured is `100 %`, and what is not nothing is not `0 %`. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return '<1 %';
  return `${share >= 0.995 ? 100 : Math.min(99, Math.round(share * 100))} %`;
}
