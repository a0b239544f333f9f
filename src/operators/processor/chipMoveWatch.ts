import { Subject } from 'rxjs';
import type { Clock } from '../../model/clock.ts';
import type { StageEvent } from '../../model/event.ts';
import type { ChipShift } from '../../model/result.ts';
import { StandingAlarms } from '../health/standingAlarms.ts';

/** So many frames, one after the other, and it is no odd frame. */
const framesMoved = 2;
/** The alarm is over below this part of its limit, so that it does not come and go. */
const wellBelow = 0.8;

/** Raises an alarm when the chip has moved by more than a limit, and again when it has moved twice as far. */
export class ChipMoveWatch {
  readonly alarms$ = new Subject<StageEvent>();
  readonly #standing: StandingAlarms;
  #frames = 0;
  /** Pixels that the alarm that stands has told of. */
  #told: number | null = null;

  constructor(clock: Clock) {
    this.#standing = new StandingAlarms('processor', clock);
  }

  /**
   * @param shift null or undefined: nothing is known of this frame, and what was known stays
   * @param limit pixels; 0: no alarm
   */
  see(shift: ChipShift | null | undefined, { limit, follows }: { limit: number; follows: boolean }): void {
    if (shift === null || shift === undefined) return;
    const moved = Math.hypot(shift.dx, shift.dy);
    if (limit === 0 || moved < (this.#told === null ? limit : wellBelow * limit)) {
      this.#frames = 0;
      this.#told = null;
      this.#tell(null);
      return;
    }
    this.#frames++;
    if (this.#frames < framesMoved || (this.#told !== null && moved < 2 * this.#told)) return;
    this.#told = moved;
    const [dx, dy] = [shift.dx, shift.dy].map(value => value.toFixed(1));
    this.#tell(
      `the chip has moved by ${moved.toFixed(1)} px since its reference image (${dx} to the right, ${dy} down, turned by ` +
        `${shift.angle.toFixed(3)}°); ${follows ? 'the regions of interest follow it' : 'the regions of interest stay where they are: set [Data_Analysis] follow_chip, or locate the chip anew'}`,
    );
  }

  #tell(message: string | null): void {
    const found = message === null ? [] : [{ key: 'ChipMoved', light: 'red' as const, message }];
    for (const event of this.#standing.update(found)) this.alarms$.next(event);
  }
}
