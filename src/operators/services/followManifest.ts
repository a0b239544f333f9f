import { ignoreElements, merge, type Observable, of } from 'rxjs';
import { conflate } from '../../rx/conflate.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { StageFlow } from '../stage/stage.ts';
import { keepAlive } from './keepAlive.ts';

/** Takes in what other processes have changed in the manifest. Emits nothing; completes with what tells of changes. */
export function followManifest(
  experiment: Pick<Experiment, 'tools' | 'note' | 'queue' | 'manifestTouched$'>,
  { stop$ }: Pick<StageFlow, 'stop$'>,
): Observable<never> {
  return merge(of(undefined), experiment.manifestTouched$).pipe(
    conflate(() => experiment.queue.catchUp()),
    keepAlive('changes by other processes are not seen', experiment, stop$),
    ignoreElements(),
  );
}
