import type { ReplayStatus } from '../../model/replay.ts';
import type { StatusReading } from '../../model/status.ts';
import { emptyForm, type FormValues } from './replayFields.ts';
import type { CompletedPath } from './replayHost.ts';

/** What the console knows of replays besides the status. */
export interface ReplayPart {
  /** Folder of the results, absolute. */
  results: string;
  goOn: readonly string[] | null;
  /** File that the ROI manifest is from. */
  roiManifest: string | null;
  /** A folder can be replayed from here. */
  canBegin: boolean;
  /** What stands in the form. */
  form: FormValues;
  completed: CompletedPath | null;
  /**
   * What was asked for and is not in the status yet; `unwritten`: wishes that are not written down yet; `seq`: number of the last one that is.
   */
  asked: (Pick<Partial<ReplayStatus>, 'paused' | 'speed'> & { unwritten: number; seq: number }) | null;
}

export const initialReplay: ReplayPart = {
  results: '',
  goOn: null,
  roiManifest: null,
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

/** Wishes are over once the status has seen the last of them. */
export function withoutAsked(part: ReplayPart, { status }: StatusReading): ReplayPart {
  const { asked } = part;
  const isSeen = asked !== null && asked.unwritten === 0 && (status?.control.seq ?? 0) >= asked.seq;
  return isSeen ? { ...part, asked: null } : part;
}

/** A wish is written down, with this number; null: it could not be, so what the status says counts. */
export function withWritten(part: ReplayPart, seq: number | null): ReplayPart {
  const { asked } = part;
  if (!asked || seq === null) return { ...part, asked: null };
  return { ...part, asked: { ...asked, unwritten: asked.unwritten - 1, seq: Math.max(asked.seq, seq) } };
}
