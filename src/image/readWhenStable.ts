import { type SchedulerLike, timer } from 'rxjs';
import type { FileStat, Files } from '../files/files.ts';
import type { Clock } from '../model/clock.ts';

interface ReadWhenStableOptions<T> {
  path: string;
  read: () => Promise<T>;
  /** Whether an error says that the content can't be read, so that it may only be unfinished. Others are thrown at once. */
  isUnreadable: (error: unknown) => boolean;
  files: Files;
  clock: Clock;
  scheduler?: SchedulerLike | undefined;
  /** Ends a wait; the error of the last reading is thrown then. */
  signal: AbortSignal;
}

/** A file this young, by its time of modification, may still be written, ms. Covers disks that keep whole even seconds. */
const youngMs = 3000;

/** A file that has not changed for so long is finished, ms. */
const restMs = 1000;

/** So long one file is waited for, ms: one that never comes to rest must not keep a place among those at work. */
const longestMs = 60_000;

/**
 * Reads a file that somebody else may still be writing. When it can't be read, and has changed since the reading began or
 * was modified a moment ago, it is left alone until it rests, and read again. A file that has long been at rest is read
 * once, and its error comes without any wait.
 *
 * Resolves with what `read` does. Rejects with the error of the last reading, once the file rests or it was waited for
 * long enough. Its age is measured with a clock that may jump, so it counts for the first reading only; size and time of
 * modification alone tell after that. Nothing is held while it waits but a timer, which the signal frees.
 */
export async function readWhenStable<T>(options: ReadWhenStableOptions<T>): Promise<T> {
  const { path, read, isUnreadable, files, clock, signal } = options;
  const giveUpAt = clock.monotonic() + longestMs;
  let known = await files.stat(path);
  for (let readings = 1; ; readings++) {
    try {
      return await read();
    } catch (error) {
      if (!isUnreadable(error) || signal.aborted) throw error;
      const now = await files.stat(path);
      const unfinished = changed(known, now) || (readings === 1 && isYoung(now, clock));
      if (!unfinished || clock.monotonic() >= giveUpAt) throw error;
      known = await restOf(now, options, giveUpAt);
      if (signal.aborted) throw error;
    }
  }
}

async function restOf<T>(
  found: FileStat | null,
  { path, files, clock, scheduler, signal }: ReadWhenStableOptions<T>,
  giveUpAt: number,
): Promise<FileStat | null> {
  for (let known = found; ; ) {
    await pause(scheduler, signal);
    if (signal.aborted) return known;
    const now = await files.stat(path);
    if (!changed(known, now) || clock.monotonic() >= giveUpAt) return now;
    known = now;
  }
}

function pause(scheduler: SchedulerLike | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const end = (): void => {
      waiting.unsubscribe();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const waiting = timer(restMs, scheduler).subscribe(end);
    signal.addEventListener('abort', end, { once: true });
  });
}

const changed = (one: FileStat | null, other: FileStat | null): boolean =>
  one?.size !== other?.size || one?.mtimeMs !== other?.mtimeMs || one?.ino !== other?.ino;

/** One whose time lies far ahead is not: the clock was set back, and what is still written changes. */
const isYoung = (file: FileStat | null, clock: Clock): boolean =>
  file !== null && Math.abs(clock.now() - file.mtimeMs) < youngMs;
