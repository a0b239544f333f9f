import type { StageEvent } from '../../model/event.ts';
import type { ReplayProgress, ReplayStatus } from '../../model/replay.ts';

/** What is remembered of a replay: where it stands, and where it stood in the last seconds in which it went on undisturbed. */
export interface ReplayState {
  at: number;
  progress: ReplayProgress;
  /** Since when nobody has steered it. */
  since: number;
  recent: readonly { at: number; elapsedMs: number; read: number }[];
}

/** Rates are those of so long, ms; and of no less. */
const windowMs = 20_000;
const shortestMs = 1000;
/** At first as many frames are read as may wait to be analysed, which says nothing of the rate; that takes no longer, ms. */
const fillingMs = 400;
/** A frame that was read so late by the speed, ms: frames are analysed more slowly than the speed asks for. */
const lateMs = 1000;

/** Takes in where the replay stands now. Pure. */
export function reduceReplay(
  before: ReplayState | undefined,
  { at, progress }: Extract<StageEvent, { kind: 'replay' }>,
): ReplayState {
  const goesOn =
    before !== undefined &&
    before.progress.paused === progress.paused &&
    before.progress.speed === progress.speed &&
    before.progress.seek?.number === progress.seek?.number;
  if (!goesOn) return { at, progress, since: at, recent: [] };
  const { since } = before;
  const { elapsedMs, read } = progress;
  const kept = before.recent.filter(one => at - one.at <= windowMs && one.at <= at);
  return { at, progress, since, recent: at - since < fillingMs ? [] : [...kept, { at, elapsedMs, read }] };
}

/** The replay as others read it. `at`: now, by the clock of the events. */
export function replayStatus(state: ReplayState, at: number): ReplayStatus {
  const { folder, frame, count, read, skipped, recorded, speed, paused, seek, ended } = state.progress;
  const rates = ratesOf(state, at);
  const left = leftMs(state, at, rates?.framesPerMs ?? null);
  return {
    folder,
    frame,
    count,
    read,
    skipped,
    recorded,
    speed,
    speed_now: paused || ended ? null : (rates?.speed ?? null),
    paused,
    left_seconds: left === null ? null : Math.round(left / 100) / 10,
    seek,
    ended,
  };
}

/** Frames a ms and recorded time in the time that it took; null where too little is known. */
function ratesOf({ recent }: ReplayState, at: number): { framesPerMs: number; speed: number } | null {
  const [first] = recent;
  const last = recent.at(-1);
  if (!first || !last || last.at - first.at < shortestMs) return null;
  // In a long silence the rate falls.
  const silence = at - last.at;
  const ms = last.at - first.at + (silence > (last.at - first.at) / 2 ? silence : 0);
  return { framesPerMs: (last.read - first.read) / ms, speed: (last.elapsedMs - first.elapsedMs) / ms };
}

function leftMs({ at: since, progress }: ReplayState, at: number, framesPerMs: number | null): number | null {
  const { count, read, skipped, speed, lengthMs, elapsedMs, paused, ended } = progress;
  if (ended) return 0;
  if (paused) return null;
  const silence = Math.max(0, at - since);
  if (speed !== null && lengthMs !== null && progress.lateMs < lateMs)
    return Math.max(0, (lengthMs - elapsedMs) / speed - silence);
  return count === null || !framesPerMs ? null : Math.max(0, (count - read - skipped) / framesPerMs - silence);
}
