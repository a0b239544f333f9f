import { concatMap, defer, EMPTY, type Observable, ReplaySubject } from 'rxjs';
import { withAccessHint } from '../../files/accessHint.ts';
import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';
import { fromAbortable } from '../../rx/fromAbortable.ts';
import { keepAlive } from '../services/keepAlive.ts';
import type { Experiment } from '../stage/experiment.ts';
import { outcomeEvent } from '../stage/outcomeEvent.ts';
import type { StageFlow } from '../stage/stage.ts';
import { findOrphanImages, type OrphanImagesOptions, recoverImages } from './orphanImages.ts';

/** Takes in what a crash of an earlier process has left; see `findOrphanImages`. */
export interface OrphanRecovery {
  /** Looks for images without an entry, the first time that it is called. Errors are the file system's; it may be called again. */
  search(): Promise<void>;
  /**
   * What was taken in, as of images that were collected, beside a note. What can't be done now (an archive that can't be read,
   * a full disk) is noted and tried again, for ever. Subscribe once; never completes or errors. Teardown ends it, and
   * `tools.track` tells when.
   */
  readonly events$: Observable<StageEvent>;
  /** What was still to be taken in when the stage stops is, if a few seconds are enough for it. Never rejects. */
  finish(): Promise<readonly StageEvent[]>;
}

/** A stop waits for so long, ms: the newest segments of the archive are read by then. */
const finishMs = 5000;

const what = 'images that a crash has left without an entry are not taken in';

/** One for the life of a stage: what is without an entry later is in its own hands. */
export function orphanRecovery(
  { stage, folder, type }: { stage: StageName } & Pick<OrphanImagesOptions, 'folder' | 'type'>,
  experiment: Pick<Experiment, 'tools' | 'queue' | 'archive' | 'files' | 'runStarted' | 'isAlive' | 'note'>,
  { stop$ }: Pick<StageFlow, 'stop$'>,
): OrphanRecovery {
  const { tools, queue, archive, files, runStarted, isAlive, note } = experiment;
  const { clock } = tools;
  const options: OrphanImagesOptions = {
    queue,
    archive,
    files,
    folder,
    type,
    clock,
    since: runStarted,
    isAlive,
    note: (level, message) => note(level, message, stage),
  };
  const found$ = new ReplaySubject<readonly string[]>(1);
  let isSearched = false;
  let left: readonly string[] = [];
  const recover = (paths: readonly string[]): Observable<StageEvent> => {
    if (paths.length === 0) return EMPTY;
    const recovered$ = defer(() => {
      const startedMs = clock.monotonic();
      return fromAbortable(signal => tools.track(recoverImages(paths, options, signal))).pipe(
        concatMap(entries => {
          left = [];
          return recoveryEvents(stage, entries, startedMs, options);
        }),
      );
    });
    return recovered$.pipe(keepAlive(what, experiment, stop$));
  };
  return {
    search: async () => {
      if (isSearched) return;
      left = await findOrphanImages(options);
      found$.next(left);
      isSearched = true;
    },
    events$: found$.pipe(concatMap(recover)),
    finish: async () => {
      if (left.length === 0) return [];
      try {
        const startedMs = clock.monotonic();
        const entries = await recoverImages(left, options, AbortSignal.timeout(finishMs));
        return recoveryEvents(stage, entries, startedMs, options);
      } catch (error) {
        note('warning', `${what}: ${withAccessHint(asError(error))}; the next start tries it again`, stage);
        return [];
      }
    },
  };
}

function recoveryEvents(
  stage: StageName,
  entries: readonly Entry[],
  startedMs: number,
  { clock, note }: OrphanImagesOptions,
): StageEvent[] {
  if (entries.length === 0) return [];
  const names = entries.map(({ camera_data: camera }) => camera!.filename);
  note('warning', `taken in, since a crash has left them without an entry: ${names.join(', ')}`);
  return [
    { stage, at: clock.now(), kind: 'claimed', count: entries.length },
    ...entries.map(({ entry_id: entryId }, i) => {
      const detail = { image: names[i]!, found: 'without an entry' };
      return outcomeEvent(stage, { kind: 'done', entryId, detail }, { clock, startedMs });
    }),
  ];
}
