import { groupBy, map, mergeMap, type Observable, throttleTime } from 'rxjs';
import type { PipelineEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Tools } from '../stage/experiment.ts';

/** Signs of life of a stage are told at most so often, ms. */
const intervalMs = 1000;

/** Signs of life as events. Completes with its source. */
export function heartbeats(alive$: Observable<StageName>, { clock, scheduler }: Tools): Observable<PipelineEvent> {
  return alive$.pipe(
    groupBy(stage => stage),
    mergeMap(ofStage$ => ofStage$.pipe(throttleTime(intervalMs, scheduler))),
    map(stage => ({ stage, at: clock.now(), kind: 'beat' as const })),
  );
}
