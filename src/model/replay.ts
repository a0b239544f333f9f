import { counted, estimate, number } from './quantity.ts';

/** Where a replay stands, as the stage that reads its folder tells it. Of frames there are those that the replay was asked for. */
export interface ReplayProgress {
  /** Folder of images, absolute. */
  folder: string;
  /** Number of the frame that was read last, from 1; after a seek the one that comes next. 0: none yet. */
  frame: number;
  /** Frames in all; null where they are known only as they are read. */
  count: number | null;
  /** Frames that were read, now or by an earlier process. */
  read: number;
  /** Frames before this place that were not read, since somebody went past them. */
  skipped: number;
  /** When the frame was taken, local time without zone; null where that is known only once it is read. */
  recorded: string | null;
  /** Recorded time from the first frame to this moment, ms; gaps that a clock set back would leave do not count. */
  elapsedMs: number;
  /** The same to the last frame; null where times are known only as frames are read. */
  lengthMs: number | null;
  /** Times the recorded pace; null: as fast as frames are analysed. */
  speed: number | null;
  paused: boolean;
  /** How late the last frame was read, by the speed, ms. */
  lateMs: number;
  /** The seek that was followed last, and what became of it. */
  seek: { number: number; said: string } | null;
  /** The folder was read to its end. */
  ended: boolean;
}

/** The same in `pipeline_status.json`. */
export interface ReplayStatus
  extends Pick<
    ReplayProgress,
    'folder' | 'frame' | 'count' | 'read' | 'skipped' | 'recorded' | 'speed' | 'paused' | 'seek' | 'ended'
  > {
  /** Times the recorded pace, as it really was in the last seconds; null where nothing moved. */
  speed_now: number | null;
  /** How long it will take to the end of the folder; null while nobody knows. */
  left_seconds: number | null;
}

/** How what is said of a seek begins that went nowhere. */
export const nothingDone = 'nothing was done: ';

/** `×2`, `maximum speed`. */
export const speedWords = (speed: number | null): string => (speed === null ? 'maximum speed' : `×${number(speed)}`);

/** Where a replay stands, in words. */
export function replayWords({
  frame,
  count,
  recorded,
  speed,
  speed_now,
  paused,
  skipped,
  left_seconds,
  ended,
}: ReplayStatus): string {
  const words = [`frame ${number(frame)}${count === null ? '' : ` of ${number(count)}`}`];
  if (recorded !== null) words.push(`recorded ${recorded.slice(0, 19).replace('T', ' ')}`);
  if (ended) words.push('read to the end');
  else {
    words.push(paused ? `paused (${speedWords(speed)})` : speedWords(speed));
    if (!paused && speed_now !== null) words.push(`now ×${number(Number(speed_now.toPrecision(3)))}`);
    if (left_seconds !== null) words.push(`${estimate(left_seconds * 1000)} left`);
  }
  if (skipped > 0) words.push(`${counted(skipped, 'frame')} skipped`);
  return words.join(' · ');
}
