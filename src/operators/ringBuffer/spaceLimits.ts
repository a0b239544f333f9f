import { type Amount, amountInBytes } from '../../config/kinds/amount.ts';

/** Bytes that must be free on a disk, and when. */
export interface SpaceLimits {
  /** Below this nothing is captured, whatever else may come: what is left is for the manifest and the results. */
  reserve: number;
  /** Below this the ring buffer deletes; where it can't, capture pauses. */
  low: number;
  /** From this on it has deleted enough, and capture that was paused goes on. */
  enough: number;
}

const maxReserve = 64 * 2 ** 20;
const reserveShare = 0.01;
/** What lies between `low` and `enough`, so that neither begins anew with each image: a tenth, and at most this. */
const maxMargin = 256 * 2 ** 20;
const marginShare = 0.1;

/** What must stay free on a disk of `size` bytes, whatever else is wanted. */
export const reserveOf = (size: number): number => Math.min(maxReserve, size * reserveShare);

/**
 * What `min_free_disk` means on a disk of `size` bytes; 0 leaves the reserve.
 * @param image bytes of an image that waits for room: it must fit beside the reserve.
 */
export function spaceLimits(minFree: Amount, size: number, image = 0): SpaceLimits {
  const reserve = reserveOf(size);
  const low = Math.max(reserve + image, amountInBytes(minFree, size));
  return { reserve, low, enough: low + Math.min(maxMargin, Math.max(reserve, low * marginShare)) };
}

const maxReservedNames = 32;
const reservedNamesShare = 0.05;

/** The same for the names of files (inodes) on a disk that has `size` of them: what is made anew and renamed takes some. */
export function namesLimits(size: number): SpaceLimits {
  const reserve = Math.min(maxReservedNames, Math.ceil(size * reservedNamesShare));
  return { reserve, low: 2 * reserve, enough: 4 * reserve };
}
