import { type Observable, Subject, tap } from 'rxjs';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import { reserveOf } from '../ringBuffer/spaceLimits.ts';
import { type NoRoomOptions, noRoom$, type Refusal } from './diskFull.ts';

export interface ImageRoomOptions extends Omit<NoRoomOptions, 'refused$'> {
  /** Space on the disk of `data_dir` now; null where it can't be asked. */
  measureSpace: () => Promise<DiskSpace | null>;
  /** Told of an image that waits for room, for whoever can make some. */
  waitingImage: { bytes: number };
}

/** Room on the disk for the collector's images. */
export interface ImageRoom {
  /** Null while there is room to capture; else why there is none. See `noRoom$`. */
  readonly noRoom$: Observable<PauseReason | null>;
  /**
   * Whether an image of so many bytes may be written now: it fits, and leaves the reserve. If not, {@link noRoom$} has said so
   * by the time that this resolves. Where the disk can't be asked, writing will tell.
   *
   * @param isLast none will follow it, and it can't wait: half of the reserve is enough for those who finish.
   */
  fits(image: number, isLast?: boolean): Promise<boolean>;
}

/** Asks the disk before each image, since a second's frames may be more than the reserve. */
export function imageRoom(options: ImageRoomOptions): ImageRoom {
  const refused$ = new Subject<Refusal>();
  const { waitingImage } = options;
  return {
    noRoom$: noRoom$({ ...options, refused$ }).pipe(
      tap(reason => {
        if (reason === null) waitingImage.bytes = 0;
      }),
    ),
    fits: async (image, isLast = false) => {
      const space = await options.measureSpace();
      if (space === null) return true;
      const reserve = reserveOf(space.size);
      if (space.free - image >= (isLast ? reserve / 2 : reserve)) return true;
      if (isLast) return false;
      waitingImage.bytes = image;
      refused$.next({ image, space });
      return false;
    },
  };
}
