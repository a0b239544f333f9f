import { type Observable, Subject, tap } from 'rxjs';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import { reserveOf } from '../ringBuffer/spaceLimits.ts';
import { type DiskFullOptions, diskFull$, type Refusal } from './diskFull.ts';

export interface AdmissionOptions extends Omit<DiskFullOptions, 'refused$'> {
  /** Space on the disk of `data_dir` now; null where it can't be asked. */
  measureSpace: () => Promise<DiskSpace | null>;
  /** Told of an image that waits for room, for whoever can make some. */
  waitingImage: { bytes: number };
}

/** Room on the disk for the collector's images. */
export interface Admission {
  /** Null while there is room to capture; else why there is none. See `diskFull$`. */
  readonly diskFull$: Observable<PauseReason | null>;
  /**
   * Whether an image of so many bytes may be written now: it fits, and leaves the reserve. If not, {@link diskFull$} has said so
   * by the time that this resolves. Where the disk can't be asked, writing will tell.
   *
   * @param isLast none will follow it, and it can't wait: half of the reserve is enough for those who finish.
   */
  fits(image: number, isLast?: boolean): Promise<boolean>;
}

/** Asks the disk before each image, since a second's frames may be more than the reserve. */
export function admitImages(options: AdmissionOptions): Admission {
  const refused$ = new Subject<Refusal>();
  const { waitingImage } = options;
  return {
    diskFull$: diskFull$({ ...options, refused$ }).pipe(
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
