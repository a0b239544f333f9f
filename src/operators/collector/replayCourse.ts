import { filter, map, merge, type Observable, Subject, type Subscription, throttleTime } from 'rxjs';
import type { StageEvent } from '../../model/event.ts';
import type { ImportedFrame } from '../../model/frame.ts';
import type { Recording } from '../../model/frameSource.ts';
import { utcIso } from '../../model/localTime.ts';
import type { Playback } from '../../model/playback.ts';
import { counted, number } from '../../model/quantity.ts';
import { nothingDone, type ReplayProgress } from '../../model/replay.ts';
import { parsePlace, type ReplayPlace } from '../../model/replayPlace.ts';
import type { Experiment } from '../stage/experiment.ts';
import { NumberRanges } from './numberRanges.ts';
import type { ReplayPace } from './replayPace.ts';

/** Progress is told at most this often, ms. */
const toldEveryMs = 250;

/** What the course of a replay needs of the experiment. */
type CourseExperiment = Pick<Experiment, 'tools' | 'note'>;

/**
 * The course of a replay through its folder: which frames were read, which were skipped, and where it stands. It lasts as long as the
 * stage, over failures of the folder.
 *
 * A seek goes to the first frame at or after the place that has not been read: what has a result is never read again, and what was
 * skipped is read when somebody goes back to it.
 */
export class ReplayCourse {
  readonly #folder: string;
  readonly #pace: ReplayPace;
  readonly #experiment: CourseExperiment;
  /** Frames came. */
  readonly #moves$ = new Subject<void>();
  /** Somebody steered it, or it was opened. */
  readonly #changes$ = new Subject<void>();
  readonly #following: Subscription;
  /** Asked for, and not yet followed. */
  #asked: NonNullable<Playback['seek']> | null = null;
  #seek: ReplayProgress['seek'] = null;
  #recording: Recording | null = null;
  /** Of the folder as it is open now. */
  #read = new NumberRanges();
  /** Frames that somebody went past before the folder was opened anew. */
  #skippedBefore = new NumberRanges();
  /** Of the frame that comes next. */
  #position = 1;
  #frame = 0;
  #recorded: string | null = null;
  #elapsedMs = 0;
  #lateMs = 0;
  #ended = false;
  /** Emits when another place is asked for. */
  readonly sought$: Observable<unknown>;

  constructor(folder: string, playback$: Observable<Playback>, pace: ReplayPace, experiment: CourseExperiment) {
    this.#folder = folder;
    this.#pace = pace;
    this.#experiment = experiment;
    this.sought$ = this.#changes$.pipe(filter(() => this.#asked !== null));
    this.#following = playback$.subscribe(({ seek }) => {
      if (seek && seek.number > (this.#seek?.number ?? 0)) this.#asked = seek;
      this.#changes$.next();
    });
  }

  /** Progress: at once when it is steered, from time to time while frames come. Never completes. */
  get events$(): Observable<StageEvent> {
    const { scheduler } = this.#experiment.tools;
    const moves$ = this.#moves$.pipe(throttleTime(toldEveryMs, scheduler, { leading: true, trailing: true }));
    return merge(this.#changes$, moves$).pipe(map(() => this.#event()));
  }

  /** The folder is open, from its beginning on; null: its frames can't be gone through. */
  open(recording: Recording | null): void {
    this.#skippedBefore.addAll(this.#read.missing(1, this.#position));
    this.#recording = recording;
    this.#read = new NumberRanges();
    this.#position = 1;
    this.#changes$.next();
  }

  /** Goes where somebody wants to be, past what was skipped and what was read; true when another frame comes next now. */
  go(): boolean {
    const hasMoved = this.#asked !== null && this.#follow(this.#asked);
    let next = this.#position;
    for (let before = 0; before !== next; ) {
      before = next;
      next = this.#read.firstMissing(this.#skippedBefore.firstMissing(next));
    }
    if (next === this.#position) return hasMoved;
    this.#moveTo(next);
    return true;
  }

  /** The next frame came from the folder; `isKnown`: it was read before. */
  came(frame: ImportedFrame, isKnown: boolean): void {
    this.#read.add(this.#position);
    this.#frame = this.#position++;
    this.#recorded = frame.taken.local;
    this.#elapsedMs = frame.elapsedMs;
    this.#lateMs = isKnown ? 0 : this.#pace.took(frame.elapsedMs);
    this.#moves$.next();
  }

  end(): void {
    this.#ended = true;
    this.#changes$.next();
  }

  /** What there is to tell when all is over. */
  lastEvents(): StageEvent[] {
    const { skipped } = this.#progress();
    const at = this.#experiment.tools.clock.now();
    const reason = 'skipped: somebody went past them; the same replay reads them when it is run again';
    return [
      ...(this.#ended && skipped > 0
        ? [{ stage: 'collector', at, kind: 'discarded', entryId: null, count: skipped, reason } as const]
        : []),
      this.#event(),
    ];
  }

  dispose(): void {
    this.#following.unsubscribe();
  }

  #event(): StageEvent {
    const { clock } = this.#experiment.tools;
    return { stage: 'collector', at: clock.now(), kind: 'replay', progress: this.#progress() };
  }

  #progress(): ReplayProgress {
    const speed = this.#pace.speed;
    return {
      folder: this.#folder,
      frame: this.#frame,
      count: this.#recording?.count ?? null,
      read: this.#read.countBelow(Number.POSITIVE_INFINITY),
      skipped: this.#skippedBelow(this.#position),
      recorded: this.#recorded,
      elapsedMs: this.#elapsedNow(),
      lengthMs: this.#recording?.lengthMs ?? null,
      speed: Number.isFinite(speed) ? speed : null,
      paused: this.#pace.isPaused,
      lateMs: this.#lateMs,
      seek: this.#seek,
      ended: this.#ended,
    };
  }

  /** Somewhere between the frame that was read last and the next one. */
  #elapsedNow(): number {
    const next = this.#recording?.elapsedOf(this.#position) ?? Number.POSITIVE_INFINITY;
    return Math.max(this.#elapsedMs, Math.min(this.#pace.recorded ?? 0, next));
  }

  #skippedBelow(position: number): number {
    return position - 1 - this.#read.countBelow(position);
  }

  #moveTo(position: number): void {
    this.#position = position;
    this.#recording?.seek(position);
  }

  /** True when it went somewhere. */
  #follow(seek: NonNullable<Playback['seek']>): boolean {
    this.#asked = null;
    const { said, hasMoved } = this.#seekTo(seek.to);
    this.#seek = { number: seek.number, said };
    this.#experiment.note('info', `seek to ${seek.to}: ${said}`);
    this.#changes$.next();
    return hasMoved;
  }

  /** `said`: what there is to say of it. */
  #seekTo(text: string): { said: string; hasMoved: boolean } {
    const nothing = (why: string) => ({ said: `${nothingDone}${why}`, hasMoved: false });
    const recording = this.#recording;
    if (!recording) return nothing('which frames there are is known only as they are read');
    const place = parsePlace(text);
    const wanted = place && findPlace(place, recording, Math.max(1, this.#frame));
    if (typeof wanted === 'string') return nothing(wanted);
    if (!wanted) return nothing('it is no place');
    const target = this.#read.firstMissing(wanted);
    const { count } = recording;
    if (target > count) return nothing(`every frame from ${number(wanted)} on has been read, and none is read twice`);
    const before = this.#skippedBelow(this.#position);
    // Who goes back to frames that were skipped wants them.
    const kept = this.#skippedBefore.missing(1, count + 1);
    kept.add(target, count + 1);
    this.#skippedBefore = kept.missing(1, count + 1);
    this.#moveTo(target);
    this.#pace.jump();
    this.#frame = target;
    const time = recording.timeOf(target);
    this.#recorded = time === null ? null : utcIso(time).slice(0, -1);
    this.#elapsedMs = recording.elapsedOf(target) ?? this.#elapsedMs;
    const skipped = this.#skippedBelow(target) - before;
    const words = [`frame ${number(target)} of ${number(count)}`];
    if (this.#recorded !== null) words[0] += ` (recorded ${this.#recorded.slice(0, 19).replace('T', ' ')})`;
    if (target !== wanted)
      words.push(
        `${wanted === target - 1 ? `frame ${number(wanted)} has` : `frames ${number(wanted)} to ${number(target - 1)} have`} been read, and none is read twice`,
      );
    if (skipped > 0) words.push(`${counted(skipped, 'frame is', 'frames are')} skipped`);
    if (skipped < 0)
      words.push(`${counted(-skipped, 'frame that was skipped', 'frames that were skipped')} will be read`);
    return { said: words.join('; '), hasMoved: true };
  }
}

const dayMs = 86_400_000;

/** Number of the frame that a place means, or why there is none. @param at number of the frame where the replay stands. */
function findPlace(
  place: ReplayPlace,
  { count, timeOf, elapsedOf }: Pick<Recording, 'count' | 'timeOf' | 'elapsedOf'>,
  at: number,
): number | string {
  const within = (wanted: number): number => Math.min(count, Math.max(1, wanted));
  const first = (from: number, is: (wallMs: number) => boolean): number | null => {
    for (let i = from; i <= count; i++) if (is(timeOf(i) as number)) return i;
    return null;
  };
  switch (place.kind) {
    case 'frame':
      return place.number <= count ? place.number : `there are ${counted(count, 'frame')}`;
    case 'frames':
      return within(at + place.by);
    case 'share':
      return within(Math.ceil(place.share * count));
  }
  if (timeOf(1) === null) return 'when these frames were taken is known only as they are read: name a frame';
  const shown = (number: number): string =>
    utcIso(timeOf(number) as number)
      .slice(0, 19)
      .replace('T', ' ');
  const none = `the recording is from ${shown(1)} to ${shown(count)}`;
  switch (place.kind) {
    case 'time': {
      const wanted = (elapsedOf(at) as number) + place.by;
      for (let i = 1; i <= count; i++) if ((elapsedOf(i) as number) >= wanted) return i;
      return count;
    }
    case 'moment':
      return first(1, wallMs => wallMs >= place.wallMs) ?? none;
    case 'timeOfDay': {
      const now = timeOf(at) as number;
      const sameDay = Math.floor(now / dayMs) * dayMs + place.ms;
      const next = sameDay > now ? sameDay : sameDay + dayMs;
      // Past the end, it is the one of the day where it stands, or of a day before.
      for (let moment = next; moment >= (timeOf(1) as number) - dayMs; moment -= dayMs) {
        const found = first(1, wallMs => wallMs >= moment);
        if (found !== null) return found;
      }
      return none;
    }
  }
}
