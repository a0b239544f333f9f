import {
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  filter,
  from,
  map,
  type Observable,
  of,
  repeat,
  type SchedulerLike,
  switchMap,
  takeWhile,
  timer,
} from 'rxjs';
import { type Files, nodeFiles } from '../../files/files.ts';
import { type Clock, systemClock } from '../../model/clock.ts';
import type { RoiHistory } from '../../model/roiHistory.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import { ResultsSampler } from './resultsSampler.ts';

export interface RoiHistoryOptions {
  /** `results/processing_results.jsonl`, absolute. It and its further segments need not be there yet. */
  readonly resultsFile: string;
  /** Told once of each reason why results can't be read; what was read stays, and it is tried again. */
  readonly onError: (error: Error) => void;
  /**
   * The log is looked at this often, ms. Its size tells as much as a watcher, which a busy pipeline would wake 13 times a
   * second, and works on a share too.
   */
  readonly lookEveryMs?: number;
  /** Samples that are kept at most. */
  readonly mostSamples?: number;
  /** Samples that are read of the past at most. */
  readonly pastSamples?: number;
}

export interface RoiHistoryDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly scheduler?: SchedulerLike;
}

/** After a look that took some time, so many times that is waited: following costs no more than a hundredth of a core. */
const restRatio = 100;
/** While the past is read, what there is is told this often, ms; but early on at once. */
const tellEveryMs = 500;
const tellAtOnce = 16;

/**
 * Where the resonances were over the whole run, and are: a bounded sample of the results log.
 *
 * Cold. Emits what there is as soon as the first and newest results were read (an empty history while there are none), more
 * while the past is read, then at most once a second when there are new results, of which the newest two are read. When the log
 * begins anew, so does the history. Never completes, never errors. Teardown ends it after the reading under way, which is of
 * one line; it keeps no file open.
 */
export function roiHistory$(
  { resultsFile, onError, lookEveryMs = 1_000, mostSamples = 600, pastSamples = 240 }: RoiHistoryOptions,
  deps: Partial<RoiHistoryDeps> = {},
): Observable<RoiHistory> {
  const { files, clock, scheduler }: RoiHistoryDeps = { files: nodeFiles, clock: systemClock, ...deps };
  return defer(() => {
    const sampler = new ResultsSampler({ resultsFile, files, mostSamples, pastSamples });
    const report = sayOnce(onError);

    const past$ = defer(() => from(tellNowAndThen(sampler, clock))).pipe(
      filter(history => history !== null),
      catchError((error: Error) => {
        report(error);
        return of(sampler.history());
      }),
    );

    let restMs = lookEveryMs;
    const look = async (): Promise<'new' | 'nothing' | 'replaced'> => {
      const began = clock.monotonic();
      try {
        const found = await sampler.look();
        // When the past is to be read anew, it is that which may fail once more.
        if (found !== 'replaced') report(null);
        return found;
      } catch (error) {
        report(error as Error);
        return 'nothing';
      } finally {
        restMs = Math.max(lookEveryMs, restRatio * (clock.monotonic() - began));
      }
    };
    const news$ = defer(look).pipe(
      repeat({ delay: () => timer(restMs, scheduler) }),
      takeWhile(found => found !== 'replaced'),
      filter(found => found === 'new'),
      map(() => sampler.history()),
    );
    const later$ = timer(lookEveryMs, scheduler).pipe(switchMap(() => news$));
    return concat(past$, later$).pipe(
      repeat(),
      distinctUntilChanged((a, b) => a.samples.length === 0 && b.samples.length === 0),
    );
  });
}

/** Null after a reading of which nothing is told yet: whoever has left by then ends the reading. */
async function* tellNowAndThen(sampler: ResultsSampler, clock: Clock): AsyncGenerator<RoiHistory | null> {
  let readings = 0;
  let told = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  for await (const _ of sampler.past()) {
    readings++;
    const tell = readings === 1 || readings === tellAtOnce || clock.monotonic() - toldAt >= tellEveryMs;
    if (tell) {
      told = readings;
      toldAt = clock.monotonic();
    }
    yield tell ? sampler.history() : null;
  }
  if (told < readings || readings === 0) yield sampler.history();
}
