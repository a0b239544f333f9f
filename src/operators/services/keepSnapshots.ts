import {
  concatMap,
  defer,
  distinctUntilChanged,
  filter,
  ignoreElements,
  map,
  merge,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { isRoiManifest } from '../../analysis/parseRoiManifest.ts';
import { configHash } from '../../config/configHash.ts';
import { configToml } from '../../config/configToml.ts';
import type { Config } from '../../config/schema.ts';
import { contentHash } from '../../files/contentHash.ts';
import { keepSnapshot, type Snapshot } from '../../files/keepSnapshot.ts';
import { temporaryEnd } from '../../files/writeAtomic.ts';
import { asError } from '../../model/asError.ts';
import type { Experiment } from '../stage/experiment.ts';
import { keepAlive } from './keepAlive.ts';

/** The settings that count, and each that follow; and when the pipeline shall stop. */
interface Signals {
  config$: Observable<Config>;
  stop$: Observable<unknown>;
}

type SnapshotExperiment = Pick<Experiment, 'tools' | 'note' | 'roiManifest$' | 'backupFiles'> & {
  paths: { readonly backup: string };
};

/**
 * Keeps a copy of the settings and of the ROI manifest, once a content (see `keepSnapshot`), so that what a result was made with can be looked
 * up by the hashes on its line. A text that is no ROI manifest makes no result, and may be another file's: it is not kept. Whether the backup
 * stage is on makes no difference.
 *
 * A folder that can't be written to is noted and tried again for ever, and ends nothing. Emits nothing; completes with its sources,
 * when the last one is kept, and after `stop$` instead of waiting. Teardown ends the wait; a copy
 * in hand is finished, and `track` tells when.
 */
export function keepSnapshots(experiment: SnapshotExperiment, { config$, stop$ }: Signals): Observable<never> {
  const keepEach = keepEachOf(experiment, stop$);
  return merge(
    config$.pipe(
      map(config => ({ stem: 'config', extension: 'toml', hash: configHash(config), text: configToml(config) })),
      keepEach,
    ),
    experiment.roiManifest$.pipe(
      filter(text => text !== null),
      filter(isRoiManifest),
      map(text => ({ stem: 'ROI_manifest', extension: 'json', hash: contentHash(text), text })),
      keepEach,
    ),
  );
}

function keepEachOf(experiment: SnapshotExperiment, stop$: Observable<unknown>): OperatorFunction<Snapshot, never> {
  const { backupFiles: files, paths, tools } = experiment;
  const folder = paths.backup;
  const keep = (snapshot: Snapshot, at: number): Promise<unknown> =>
    tools.track(keepSnapshot(files, folder, snapshot, at)).catch(sameEachTime);
  return snapshots$ =>
    snapshots$.pipe(
      distinctUntilChanged((a, b) => a.text === b.text),
      map(snapshot => ({ snapshot, at: tools.clock.now() })),
      concatMap(({ snapshot, at }) =>
        defer(() => keep(snapshot, at)).pipe(
          keepAlive(`no snapshot of the ${wordsFor(snapshot)} is kept in ${folder}`, experiment, stop$),
        ),
      ),
      ignoreElements(),
    );
}

const wordsFor = ({ stem }: Snapshot): string => stem.replaceAll('_', ' ');

/** A temporary file has another name each time; what goes on failing in the same way is noted once. */
function sameEachTime(thrown: unknown): never {
  throw new Error(asError(thrown).message.replace(temporaryEnd, ''), { cause: thrown });
}
