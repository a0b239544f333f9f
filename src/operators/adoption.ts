import { concatMap, defer, EMPTY, type Observable, ReplaySubject } from 'rxjs';
import type { Manifest } from '../manifest/manifest.ts';
import type { Entry } from '../model/entry.ts';
import type { StageEvent } from '../model/event.ts';
import { fromAbortable } from '../rx/fromAbortable.ts';
import type { Files } from '../storage/files.ts';
import { type LastingOptions, lasting } from './lasting.ts';
import { adoptImages, findLeftImages, type LeftImagesOptions } from './leftImages.ts';
import { outcomeEvent } from './outcomeEvent.ts';
import type { StageTools } from './stage.ts';

export interface AdoptionSettings {
  /** When the run began, ms since 1970 UTC. */
  since: number;
  /** Whether a pid is one of this machine's processes. */
  isAlive: (pid: number) => boolean;
  notes$: LastingOptions['notes$'];
}

/** Takes in what a crash of an earlier process has left; see `findLeftImages`. */
export interface Adoption {
  /** Looks for images without an entry, the first time that it is called. Errors are the file system's; it may be called again. */
  look(): Promise<void>;
  /**
   * What was taken in, as of images that were collected, beside a note. What can't be done now (an archive that can't be read,
   * a full disk) is noted and tried again, for ever. Subscribe once; never completes or errors. Teardown ends it, and
   * `tools.track` tells when.
   */
  readonly events$: Observable<StageEvent>;
}

/** One for the life of a collector: what is without an entry later is in its own hands. */
export function adoption(
  deps: { tools: StageTools; manifest: Manifest; files: Files; dataFolder: string },
  { since, isAlive, notes$ }: AdoptionSettings,
): Adoption {
  const { tools, manifest, files, dataFolder } = deps;
  const { clock } = tools;
  const options: LeftImagesOptions = {
    manifest,
    files,
    dataFolder,
    clock,
    since,
    isAlive,
    note: (level, message) => notes$.next({ kind: 'note', at: clock.now(), level, stage: 'collector', message }),
  };
  const found$ = new ReplaySubject<readonly string[]>(1);
  let isLooked = false;
  const adopt = (paths: readonly string[]): Observable<StageEvent> => {
    if (paths.length === 0) return EMPTY;
    const adopted$ = defer(() => {
      const begun = clock.monotonic();
      return fromAbortable(signal => tools.track(adoptImages(paths, options, signal))).pipe(
        concatMap(entries => told(entries, begun, options)),
      );
    });
    const what = 'images that a crash has left without an entry are not taken in';
    return adopted$.pipe(lasting({ ...tools, what, notes$ }));
  };
  return {
    look: async () => {
      if (isLooked) return;
      found$.next(await findLeftImages(options));
      isLooked = true;
    },
    events$: found$.pipe(concatMap(adopt)),
  };
}

function told(entries: readonly Entry[], begun: number, { clock, note }: LeftImagesOptions): StageEvent[] {
  if (entries.length === 0) return [];
  const names = entries.map(({ camera_data: camera }) => camera!.filename);
  note('warning', `taken in, since a crash has left them without an entry: ${names.join(', ')}`);
  return [
    { stage: 'collector', at: clock.now(), kind: 'claimed', count: entries.length },
    ...entries.map(({ entry_id: entryId }, i) => {
      const detail = { image: names[i]!, found: 'without an entry' };
      return outcomeEvent('collector', { kind: 'done', entryId, detail }, { clock, begun });
    }),
  ];
}
