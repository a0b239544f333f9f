import { of, Subject } from 'rxjs';
import { expect, it } from 'vitest';
import { parseAmount } from '../../../src/config/kinds/amount.ts';
import type { DiskSpace } from '../../../src/files/diskSpace.ts';
import type { PauseReason } from '../../../src/model/pauseReason.ts';
import { diskFull$ } from '../../../src/operators/collector/diskFull.ts';

const queue = { waiting: () => 0, inFlight: () => 0, localImages: 3 };

/** What is said of samples of the disk that come a second apart. */
function saidOf(keepsAll: boolean, samples: readonly DiskSpace[]): (PauseReason | null)[] {
  const space$ = new Subject<DiskSpace>();
  const said: (PauseReason | null)[] = [];
  let now = 0;
  const clock = { now: () => now, monotonic: () => now };
  const wanted$ = of({ minFree: parseAmount('1 GB')!, keepsAll });
  diskFull$({ space$, wanted$, queue, clock, dataFolder: '/root/data' }).subscribe(each => said.push(each));
  for (const sample of samples) {
    space$.next(sample);
    now += 1_000;
  }
  return said;
}

it('below min_free_disk capture pauses at once where every image stays, and gives the ring buffer its time where it may delete', () => {
  const short = { free: 0.9e9, size: 100e9 };
  const some = Array.from({ length: 4 }, () => short);
  expect(saidOf(true, some).map(reason => reason?.key)).toEqual(['no_room']);
  expect(saidOf(false, some)).toEqual([null]);
  expect(saidOf(false, [...some, ...some]).map(reason => reason?.key)).toEqual([undefined, 'no_room']);
});

it('on a disk that is smaller than min_free_disk the message says so, and what to do', () => {
  expect(saidOf(true, [{ free: 33e6, size: 42e6 }])[0]?.message).toBe(
    'only 33 MB are free on the disk of /root/data, and min_free_disk is 1 GB. The whole disk has 42 MB, so that no frame can ever be taken: set min_free_disk lower',
  );
});
