import { concat, merge, type Observable } from 'rxjs';
import { connectInputs, type GraphInputs } from './graphInputs.ts';
import type { PipelineEvent } from './model/event.ts';
import { backup } from './operators/backup/backup.ts';
import { brightfield } from './operators/brightfield/brightfield.ts';
import { collector } from './operators/collector/collector.ts';
import { communicator } from './operators/communicator/communicator.ts';
import { compressor } from './operators/compressor/compressor.ts';
import { health } from './operators/health/health.ts';
import { processor } from './operators/processor/processor.ts';
import { ringBuffer } from './operators/ringBuffer/ringBuffer.ts';
import { compactManifest } from './operators/services/compactManifest.ts';
import { countQueues, queueCounts } from './operators/services/countQueues.ts';
import { followManifest } from './operators/services/followManifest.ts';
import { keepSnapshots } from './operators/services/keepSnapshots.ts';
import type { Experiment } from './operators/stage/experiment.ts';
import { stageRunner } from './operators/stage/stageRunner.ts';
import { syncer } from './operators/syncer/syncer.ts';
import { mergeUntilComplete } from './rx/mergeUntilComplete.ts';

/**
 * The pipeline as one observable of what happens in it.
 *
 *     camera ──► collector ──► MANIFEST ──► processor ──► RESULTS ──► communicator ──► table, plot
 *                                │  ▲
 *                                ├──┴─► compressor ──► syncer ──► ring buffer
 *                                └────► backup
 *
 * A stage is joined to the others by its end alone: what it works on, it claims from the manifest. Stages that other processes run are
 * joined in the same way, and never end here.
 *
 * Subscribe once. It completes when its work is done, or after `stop$` when what was in flight is; each stage has
 * closed what it opened by then. It errors only with an error of `config$`. Unsubscribing cuts everything short: see
 * `experiment.tools.track`.
 */
export function graph(experiment: Experiment, inputs: GraphInputs): Observable<PipelineEvent> {
  return connectInputs(experiment, inputs, steering => {
    const { run, joined, heartbeats$ } = stageRunner(experiment, steering);

    const collected = run(collector);
    run(brightfield, { after: [collected] });
    const processed = run(processor, { after: [collected] });
    const communicated = run(communicator, { after: [processed], outlives: [processed] });
    const compressed = run(compressor, { after: [processed] });
    const synced = run(syncer, { after: [communicated, compressed], outlives: [communicated, compressed] });
    run(ringBuffer, { after: [communicated, synced] });
    run(backup, { after: [communicated, synced] });
    run(health, { afterHere: [...joined] });

    const services$ = merge(
      keepSnapshots(experiment, steering),
      followManifest(experiment, steering),
      compactManifest(experiment, steering),
      countQueues(experiment, steering.stages),
      heartbeats$,
    );
    return concat(
      merge(...joined.map(({ events$ }) => events$)).pipe(mergeUntilComplete(services$)),
      queueCounts(experiment, steering.stages),
    );
  });
}
