import { filter, map, type Observable, type SchedulerLike, take, timer } from 'rxjs';
import type { Station } from './stage.ts';

/** How long nothing must be on its way, ms, and how often that is looked at. */
const quietMs = 10_000;

/** Said of a station that has nothing to do and no trouble. */
export const quiet = Symbol('quiet');

/**
 * The same station, and whether all is quiet there: it has looked for work, and has none in hand. After a failure of the work
 * nothing else may ever show that it is well again: the item may be somebody else's by then.
 *
 * `quiet$` emits once, when that is so some time after it was subscribed to, and completes. What takes long is not quiet: a
 * claim that waits for a device, or an item in work.
 */
export function quietStation<T>(
  station: Station<T>,
  scheduler?: SchedulerLike,
): { station: Station<T>; quiet$: Observable<typeof quiet> } {
  let busy = 0;
  let looks = 0;
  const during = async <R>(work: () => Promise<R>): Promise<R> => {
    busy++;
    try {
      return await work();
    } finally {
      busy--;
    }
  };
  return {
    station: {
      ...station,
      claim: async (count, leaving) => {
        const items = await during(() => station.claim(count, leaving));
        looks++;
        return items;
      },
      perform: (item, signal) => during(() => station.perform(item, signal)),
    },
    quiet$: timer(quietMs, quietMs, scheduler).pipe(
      filter(() => busy === 0 && looks > 0),
      take(1),
      map((): typeof quiet => quiet),
    ),
  };
}
