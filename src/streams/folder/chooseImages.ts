import type { ListedImage } from './listedImage.ts';
import { SourceError } from './sourceError.ts';
import type { TimeRange } from './timeRange.ts';
import { instantOf } from './wallTime.ts';

/** Every Nth image from the first on, at most `limit`. */
export function everyNth(images: readonly ListedImage[], every: number, limit: number): ListedImage[] {
  const chosen: ListedImage[] = [];
  for (let i = 0; i < images.length && chosen.length < limit; i += every) chosen.push(images[i]);
  return chosen;
}

/**
 * Images, in time order, that lie in a range; one without a time goes with the image before it (the first ones with the next).
 *
 * @throws SourceError `empty_range`
 */
export function imagesInRange(images: readonly ListedImage[], range: TimeRange, folder: string): ListedImage[] {
  const times = images.flatMap(({ time }) => (time ? [time] : []));
  let place = times[0].wallMs;
  const chosen = images.filter(({ time }) => {
    place = time?.wallMs ?? place;
    return place >= range.from && place < range.end;
  });
  if (chosen.length > 0) return chosen;
  const [first, last] = [times[0], times[times.length - 1]].map(time => instantOf(time, 'name').local);
  throw new SourceError(
    'empty_range',
    `${folder}: no image lies between the times asked for; they run from ${first} to ${last}`,
  );
}
