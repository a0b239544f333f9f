import { Subject } from 'rxjs';
import type { Clock } from '../../model/clock.ts';
import type { StageEvent } from '../../model/event.ts';
import { type Finding, StandingAlarms } from '../health/standingAlarms.ts';
import type { FrameSize } from './frameFit.ts';

/** So many frames of another size, one after the other, are no odd images any more: the camera gives another size. */
const framesOfOtherSize = 3;

/** Tells of a camera that gives frames of another size now, where each single frame only fails. */
export class FrameSizeWatch {
  readonly alarms$ = new Subject<StageEvent>();
  readonly #standing: StandingAlarms;
  #odd = 0;

  constructor(clock: Clock) {
    this.#standing = new StandingAlarms('processor', clock);
  }

  /** @param message what is wrong with the frame's size; null: nothing */
  see(message: string | null): void {
    this.#odd = message === null ? 0 : this.#odd + 1;
    if (message !== null && this.#odd < framesOfOtherSize) return;
    const found: Finding[] =
      message === null
        ? []
        : [{ key: 'FrameSize', light: 'red', message: `the frames now have another size: ${message}` }];
    for (const event of this.#standing.update(found)) this.alarms$.next(event);
  }
}

/** What is wrong with a frame that is not of the size that its ROI manifest is for. */
export const otherSize = (found: FrameSize, wanted: FrameSize, roiManifestFile: string): string =>
  `a frame of ${found.width}×${found.height} pixels, but ${roiManifestFile} has been used for frames of ` +
  `${wanted.width}×${wanted.height}; frames of another size need a ROI manifest of their own`;
