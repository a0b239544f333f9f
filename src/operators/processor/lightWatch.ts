import { Subject } from 'rxjs';
import type { AnalysedFrame } from '../../model/analysisJob.ts';
import type { Clock } from '../../model/clock.ts';
import type { StageEvent } from '../../model/event.ts';
import { StandingAlarms } from '../health/standingAlarms.ts';

/** A ROI that was seen in so many frames, one after the other, is one that can be seen. */
const framesKnown = 10;
/** Share of the ROIs that must be dark: of those that were seen before, and of all while none was. */
const most = { known: 0.5, unknown: 0.9 };

type SeenFrame = Pick<AnalysedFrame, 'seen' | 'statistics'>;

/**
 * Raises an alarm when most ROIs that had a resonance before have none for some frames, one after the other, or too little light for one: each
 * frame by itself is in order then, and no stage fails. Also when no ROI has had one since the start.
 */
export class LightWatch {
  readonly alarms$ = new Subject<StageEvent>();
  readonly #standing: StandingAlarms;
  #roiManifestText = '';
  /** Of each ROI, frames one after the other in which it was seen, up to `framesKnown`: it is known then, for good. */
  #runs: number[] = [];
  /** Dark frames, one after the other. */
  #frames = 0;
  #since = '';
  /** Mean of the last frame that was not dark. */
  #brightness: number | null = null;

  constructor(clock: Clock) {
    this.#standing = new StandingAlarms('processor', clock);
  }

  /**
   * @param taken when the frame was taken, in words
   * @param limit frames; 0: no alarm
   */
  see(
    { seen, statistics: { brightness } }: SeenFrame,
    { taken, limit, roiManifestText }: { taken: string; limit: number; roiManifestText: string },
  ): void {
    if (roiManifestText !== this.#roiManifestText) {
      this.#roiManifestText = roiManifestText;
      this.#runs = seen.map(() => 0);
      this.#frames = 0;
    }
    const { dark, of, isKnown } = this.#dark(seen);
    if (limit === 0 || dark <= (isKnown ? most.known : most.unknown) * of) {
      this.#frames = 0;
      this.#brightness = brightness;
      this.#tell(null);
      return;
    }
    if (this.#frames++ === 0) this.#since = taken;
    if (this.#frames < limit || this.#standing.standing.length > 0) return;
    const before = this.#brightness === null ? '' : ` (${this.#brightness.toFixed(1)} before)`;
    this.#tell(
      `${dark} of ${of} ROIs${isKnown ? ' that had a resonance before' : ''} are lost or have too little light in ${this.#frames} frames, one after the ` +
        `other, since ${this.#since}; the brightness of a frame is ${brightness.toFixed(1)}${before}. Look at the light (is it on?), the camera ` +
        '(its exposure, its lens), and the chip (its place, what is on it)',
    );
  }

  /** Counts the dark ones, and takes note of those that are seen. */
  #dark(seen: readonly boolean[]): { dark: number; of: number; isKnown: boolean } {
    const runs = this.#runs;
    const known = seen.filter((_, roi) => runs[roi] === framesKnown);
    for (const [roi, isSeen] of seen.entries()) {
      if (runs[roi] !== framesKnown) runs[roi] = isSeen ? runs[roi]! + 1 : 0;
    }
    const counted = known.length > 0 ? known : seen;
    return { dark: counted.filter(isSeen => !isSeen).length, of: counted.length, isKnown: known.length > 0 };
  }

  #tell(message: string | null): void {
    const found = message === null ? [] : [{ key: 'RoisLost', light: 'red' as const, message }];
    for (const event of this.#standing.update(found)) this.alarms$.next(event);
  }
}
