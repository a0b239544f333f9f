import { distinctUntilChanged, type Observable, shareReplay } from 'rxjs';
import type { Experiment } from '../stage/experiment.ts';
import { keepAlive } from './keepAlive.ts';

/** The text of the ROI manifest for all who need it, from one watch of the file, which is kept up. @param text$ of one watch */
export function roiManifestOf(
  text$: Observable<string | null>,
  experiment: Pick<Experiment, 'tools' | 'note'>,
  stop$: Observable<unknown>,
): Observable<string | null> {
  return text$.pipe(
    keepAlive('the ROI manifest is not watched', experiment, stop$),
    distinctUntilChanged(),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
}
