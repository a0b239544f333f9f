import { ignoreElements, type Observable, timer } from 'rxjs';
import { conflate } from '../../rx/conflate.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { StageFlow } from '../stage/stage.ts';
import { keepAlive } from './keepAlive.ts';

/** It is asked so often, ms, whether a manifest that grows slowly is to be published. */
const intervalMs = 600_000;

/** Publishes the manifest also when it grows too slowly to be published by its changes. Emits nothing; never completes. */
export function compactManifest(
  experiment: Pick<Experiment, 'tools' | 'note' | 'queue'>,
  { stop$ }: Pick<StageFlow, 'stop$'>,
): Observable<never> {
  return timer(intervalMs, intervalMs, experiment.tools.scheduler).pipe(
    conflate(() => experiment.queue.compactIfDue()),
    keepAlive(`the manifest can't be published`, experiment, stop$),
    ignoreElements(),
  );
}
