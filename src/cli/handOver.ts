import { first, map, type Observable, race, Subject, timer } from 'rxjs';
import { systemClock } from '../model/clock.ts';
import type { PipelineEvent } from '../model/event.ts';
import { parseIso, timeOfDay } from '../model/localTime.ts';
import { duration } from '../model/quantity.ts';
import { readStatusOnce } from '../streams/status/statusReading.ts';

/** What is in flight is finished, and a pipeline started, in about so long, ms: with more time until the next frame none is missed. */
export const handOverMs = 8_000;
/** Whoever waits for a frame that does not come goes after so long, ms. */
const patienceMs = 10_000;
/** The first frame in the background is waited for so long, ms. */
const firstFrameMs = 20_000;
const pollMs = 250;

/** Hands the pipeline of this process over to one in the background, at the moment that costs the fewest frames. */
export class HandOver {
  isAsked = false;
  /** When the last frame was taken here, ms since 1970 UTC. */
  lastFrame: number | null = null;
  readonly #frames$ = new Subject<void>();

  take(event: PipelineEvent): void {
    if (event.kind !== 'done' || event.stage !== 'collector') return;
    this.lastFrame = event.at;
    this.#frames$.next();
  }

  /**
   * Emits once, when it is time to stop here: at once where the next frame is far away, else right after it, since the time until the one after is
   * the longest that there is.
   */
  moment$(intervalMs: number, now: number): Observable<void> {
    const left = this.lastFrame === null ? 0 : this.lastFrame + intervalMs - now;
    const at$ = left > handOverMs ? timer(0) : race(this.#frames$, timer(patienceMs));
    return at$.pipe(
      first(),
      map(() => undefined),
    );
  }
}

/** What a hand-over cost, in words. `next`: null: no frame has come yet. Times: ms since 1970 UTC. */
export function gapWords(last: number | null, next: number | null, intervalMs: number): string {
  const clock = (at: number): string => timeOfDay(at);
  if (last === null) return 'no frame had been taken here yet';
  if (next === null)
    return `the last frame here was taken at ${clock(last)}; the first in the background is still to come`;
  const gap = next - last;
  const missed = Math.max(0, Math.round(gap / intervalMs) - 1);
  const lost =
    missed === 0
      ? 'no frame was missed'
      : `${missed === 1 ? '1 frame' : `${missed} frames`} that would have been due meanwhile ${missed === 1 ? 'was' : 'were'} not taken`;
  return `${lost}: the last one here was taken at ${clock(last)}, the first in the background at ${clock(next)} (${duration(Math.round(gap / 100) * 100)} later; asked for: every ${duration(intervalMs)})`;
}

/** When the first frame after `last` was taken, by the status in the files; null when none comes. */
export async function nextFrame(statusFile: string, last: number, intervalMs: number): Promise<number | null> {
  const until = systemClock.monotonic() + Math.min(firstFrameMs, intervalMs + handOverMs);
  while (systemClock.monotonic() < until) {
    const { status } = await readStatusOnce(statusFile);
    const taken = status?.last_image ? parseIso(status.last_image.taken) : Number.NaN;
    if (taken > last) return taken;
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
  return null;
}
