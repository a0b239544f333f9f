import type { ReplayStatus } from '../../model/replay.ts';
import type { StatusReading } from '../../model/status.ts';
import { emptyForm, type FormValues } from './replayFields.ts';
import type { CompletedPath } from './replayHost.ts';

/** What the console knows of replays besides the status. */
export interface ReplayPart {
  /** Folder of the results, absolute. */
  results: string;
  goOn: readonly string[] | null;
  /** A folder can be replayed from here. */
  canBegin: boolean;
  /** What stands in the form. */
  form: FormValues;
  completed: CompletedPath | null;
  /** What was asked for and is not in the status yet; `seq`: number of the wish, once it is written down. */
  asked: (Pick<Partial<ReplayStatus>, 'paused' | 'speed'> & { seq: number | null }) | null;
}

export const initialReplay: ReplayPart = {
  results: '',
  goOn: null,
  canBegin: false,
  form: emptyForm,
  completed: null,
  asked: null,
};

interface Known {
  reading: StatusReading | null;
  replay: ReplayPart;
}

/** The replay that runs, as it was asked to go; null: none does. */
export function runningReplay({ reading, replay }: Known): ReplayStatus | null {
  const status = reading?.connection === 'running' ? reading.status?.replay : undefined;
  if (!status) return null;
  const { paused = status.paused, speed = status.speed } = replay.asked ?? {};
  // What it does is told with what was asked for.
  const isAsWas = paused === status.paused && speed === status.speed;
  return isAsWas ? status : { ...status, paused, speed, speed_now: null, left_seconds: null };
}

/** Whether it can still be steered. */
export const maySteer = (state: Known): boolean => runningReplay(state)?.ended === false;

/** The replay of this root that does not run any more. */
export function pastReplay({ reading }: Pick<Known, 'reading'>): { replay: ReplayStatus; isFinished: boolean } | null {
  const status = reading?.status;
  if (!status?.replay || reading?.connection === 'running') return null;
  const isAnalysed = (status.stages.processor?.queued ?? 0) === 0;
  return { replay: status.replay, isFinished: status.replay.ended && isAnalysed };
}

/** A wish is over once the status has seen it. */
export function withoutAsked(part: ReplayPart, { status }: StatusReading): ReplayPart {
  const seq = part.asked?.seq ?? null;
  return seq !== null && (status?.control.seq ?? 0) >= seq ? { ...part, asked: null } : part;
}
