import { concatMap, Subject, tap, timer } from 'rxjs';
import { type QueueStage, queueStages } from '../../manifest/stageWork.ts';
import { asError } from '../../model/asError.ts';
import type { ProcessIdentity } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Experiment } from '../stage/experiment.ts';
import { isFolder, type Stage, type Worker } from '../stage/stage.ts';
import type { Belonging } from './goneProcesses.ts';
import { HealthWatch, type Observation, type WatchSettings } from './healthWatch.ts';
import { StandingAlarms } from './standingAlarms.ts';

export interface HealthSettings extends WatchSettings {
  /** `enable_service_health_check`. */
  enabled: boolean;
}

export interface HealthExperiment
  extends Pick<
    Experiment,
    'tools' | 'liveness' | 'readStatus' | 'readHolders' | 'rootSpace' | 'readThrottled' | 'settleOrphans'
  > {
  queue: Pick<Experiment['queue'], 'changes$' | 'orphans'>;
}

/** The Python system looked as often, ms. The first time once every stage has had time to open, and to say so. */
const healthPace = { firstMs: 5_000, intervalMs: 30_000 } as const;

/** One look at everything. */
interface Round {
  id: string;
}

/**
 * The health stage: looks at the whole pipeline once a round, see {@link healthPace}.
 *
 * It ends the claims of crashed processes, and watches the disk, the clock, the power supply, the temperature sensors, the cadence of frames, and the
 * stages and processes of all the root. What it finds is an alarm of its own with a key of its own, so that several stand at
 * once, and is well again by itself; besides, there is the one alarm of every stage, for what the stage itself can't do. A
 * round is an item: it is `done`, and told with all that was seen in a `health` event. Claims nothing in the manifest. Any number
 * of processes may run it. Its teardown ends its listening to the manifest.
 *
 * Paused or switched off, it takes back what it has found: nobody would see when that is well.
 */
export const health: Stage<HealthSettings, Round, HealthExperiment> = {
  name: 'health',
  exclusive: false,
  settings: ({ Buffer, Camera, Services, Temperature, Timing }, { replay }) => ({
    ...healthPace,
    enabled: Services.enable_service_health_check,
    // A folder of images has no cadence of its own.
    frameIntervalMs:
      Services.enable_camera && !isFolder(Camera) && replay === null ? Timing.collector_interval_seconds * 1000 : null,
    sensors: Services.enable_thermocouple ? Object.values(Temperature.thermocouple_sensors) : [],
    minFreeDisk: Buffer.min_free_disk,
  }),
  isEnabled: ({ enabled }) => enabled,
  pace: () => ({ intervalMs: healthPace.intervalMs, perMinute: null }),
  entriesOf: ({ id }) => [id],
  begin: experiment => {
    const reports$ = new Subject<StageEvent>();
    const alarms = new StandingAlarms('health', experiment.tools.clock);
    /** Lives as long as its settings: a failure of the stage forgets nothing. */
    let watch: { of: HealthSettings; health: HealthWatch } | null = null;
    return {
      open: async settings => {
        if (watch?.of === settings) watch.health.resume();
        else watch = { of: settings, health: new HealthWatch(settings, experiment.tools.clock) };
        return openWorker(settings, watch.health, alarms, event => reports$.next(event), experiment);
      },
      beside$: () => reports$,
      mapEvents: events$ =>
        events$.pipe(
          concatMap(event => {
            const rests = event.kind === 'state' && (event.state === 'paused' || event.state === 'off');
            return rests ? [...alarms.update([]), event] : [event];
          }),
        ),
    };
  },
};

function openWorker(
  { firstMs, intervalMs }: HealthSettings,
  health: HealthWatch,
  alarms: StandingAlarms,
  emit: (event: StageEvent) => void,
  deps: HealthExperiment,
): Worker<Round> {
  const { queue, tools } = deps;
  let due = false;
  const listening = queue.changes$.subscribe(change => {
    if ('op' in change && change.op === 'add' && change.entry) health.take(change.entry);
  });
  return {
    concurrency: 1,
    batch: 1,
    wake$: timer(firstMs, intervalMs, tools.scheduler).pipe(
      tap(() => {
        due = true;
      }),
    ),
    claim: async () => {
      if (!due) return [];
      due = false;
      return [{ id: tools.newId() }];
    },
    process: async ({ id }, signal) => {
      const seen = await look(deps, signal);
      if (signal.aborted) return [];
      const { events, report } = health.judge(seen, alarms);
      for (const event of events) emit(event);
      emit({ stage: 'health', at: tools.clock.now(), kind: 'health', report, pipeline: seen.pipeline });
      return [{ kind: 'done', entryId: id, detail: { findings: report.findings.length, released: seen.released } }];
    },
    // A round that was cut off is not made up for: the next one sees the same.
    release: async () => undefined,
    close: async () => listening.unsubscribe(),
  };
}

async function look(deps: HealthExperiment, signal: AbortSignal): Promise<Observation> {
  const { queue, liveness, readStatus, readHolders, rootSpace, readThrottled, settleOrphans } = deps;
  const claims = queueStages.flatMap(stage =>
    queue.orphans(stage).map((entry): Belonging => ({ stage, owner: entry.claims[stage]! })),
  );
  let released = 0;
  const repairs: { stage: StageName; error: string }[] = [];
  for (const stage of new Set(claims.map(({ stage }) => stage as QueueStage))) {
    if (signal.aborted) break;
    try {
      released += (await settleOrphans[stage]?.()) ?? 0;
    } catch (error) {
      repairs.push({ stage, error: asError(error).message });
    }
  }
  const [pipeline, holders, throttled] = await Promise.all([readStatus(), readHolders(), readThrottled(signal)]);
  const held = (Object.entries(holders) as [StageName, ProcessIdentity][])
    .map(([stage, owner]) => ({ stage, owner }))
    .filter(({ owner }) => liveness(owner) === 'gone');
  return { pipeline, disk: rootSpace(), throttled, claims, held, released, repairs, liveness };
}
