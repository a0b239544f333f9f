import { auditTime, concatMap, defer, merge, type Observable } from 'rxjs';
import { countedStages } from '../../manifest/stageWork.ts';
import type { PipelineEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Experiment } from '../stage/experiment.ts';

/** The counts are told at most so often, ms. */
const intervalMs = 500;

/** How many entries wait for each stage, of those that run here, now. */
export function queueCounts(
  { queue, tools }: Pick<Experiment, 'tools' | 'queue'>,
  stages: readonly StageName[],
): Observable<PipelineEvent> {
  return defer(() =>
    countedStages
      .filter(stage => stages.includes(stage))
      .map(stage => ({ stage, at: tools.clock.now(), kind: 'queued' as const, count: queue.waiting(stage) })),
  );
}

/** The same, at the start and whenever it may have changed. Never completes. */
export function countQueues(
  experiment: Pick<Experiment, 'tools' | 'queue'>,
  stages: readonly StageName[],
): Observable<PipelineEvent> {
  const counts$ = queueCounts(experiment, stages);
  const changes$ = experiment.queue.changes$.pipe(
    auditTime(intervalMs, experiment.tools.scheduler),
    concatMap(() => counts$),
  );
  return merge(counts$, changes$);
}
