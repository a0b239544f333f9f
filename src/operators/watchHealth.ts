import { concatMap, defer, type OperatorFunction, Subject, tap, timer } from 'rxjs';
import type { Manifest } from '../manifest/manifest.ts';
import { type QueueStage, queueStages } from '../manifest/stageWork.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import type { StageEvent } from '../model/event.ts';
import type { StageName } from '../model/stage.ts';
import type { PipelineStatus } from '../model/status.ts';
import { mergeUntilComplete } from '../rx/mergeUntilComplete.ts';
import type { DiskSpace } from '../storage/diskSpace.ts';
import type { Liveness } from '../storage/processIdentity.ts';
import { asError } from './asError.ts';
import type { Belonging } from './health/goneProcesses.ts';
import { HealthWatch, type Observation, type WatchSettings } from './health/healthWatch.ts';
import { StandingAlarms } from './health/standingAlarms.ts';
import { type StageTools, type Station, stage } from './stage.ts';

export interface HealthSettings extends WatchSettings {
  /** `enable_service_health_check`. */
  enabled: boolean;
}

export interface HealthDeps {
  tools: StageTools;
  manifest: Pick<Manifest, 'changes$' | 'orphans'>;
  liveness: (process: ProcessIdentity) => Liveness;
  /** The status of all processes of the root; null while there is none. */
  readStatus: () => Promise<PipelineStatus | null>;
  /** Which process holds which exclusive stage. */
  readHolders: () => Promise<Partial<Record<StageName, ProcessIdentity>>>;
  /** Space on the disk of `root_dir`; `unknown` when it does not tell, null when it does not answer. */
  disk: () => DiskSpace | 'unknown' | null;
  /**
   * How a stage's claims of processes that are gone are ended from outside, so that nothing is done or counted twice; resolves
   * with how many were. The claims of a stage without one are left to that stage: it looks at its output when it opens.
   */
  settleOrphans: Partial<Record<QueueStage, () => Promise<number>>>;
}

/** The Python system looked as often, ms. The first time once every stage has had time to open, and to say so. */
export const healthPace = { firstMs: 5_000, intervalMs: 30_000 } as const;

/** One look at everything. */
interface Round {
  id: string;
}

/**
 * The health stage: looks at the whole pipeline once a round, see {@link healthPace}.
 *
 * It ends the claims of crashed processes, and watches the disk, the clock, the thermocouples, the cadence of frames, and the
 * stages and processes of all the root. What it finds is an alarm of its own with a key of its own, so that several stand at
 * once, and is well again by itself; besides, there is the one alarm of every stage, for what the stage itself can't do. A
 * round is an item: it is `done`, and told with all that was seen in a `health` event. Claims nothing in the manifest. Any number
 * of processes may run it. Its teardown ends its listening to the manifest.
 *
 * Paused or switched off, it takes back what it has found: nobody would see when that is well.
 */
export function watchHealth(deps: HealthDeps): OperatorFunction<HealthSettings, StageEvent> {
  return settings$ =>
    defer(() => {
      const news$ = new Subject<StageEvent>();
      const alarms = new StandingAlarms('health', deps.tools.clock);
      /** Lives as long as its settings: a failure of the stage forgets nothing. */
      let watch: { of: HealthSettings; health: HealthWatch } | null = null;
      const open = (settings: HealthSettings): Station<Round> => {
        if (watch?.of === settings) watch.health.resume();
        else watch = { of: settings, health: new HealthWatch(settings, deps.tools.clock) };
        return openStation(settings, watch.health, alarms, event => news$.next(event), deps);
      };
      return settings$.pipe(
        stage<HealthSettings, Round>({
          name: 'health',
          tools: deps.tools,
          isEnabled: ({ enabled }) => enabled,
          entriesOf: ({ id }) => [id],
          open: async settings => open(settings),
        }),
        mergeUntilComplete(news$),
        concatMap(event => {
          const rests = event.kind === 'state' && (event.state === 'paused' || event.state === 'off');
          return rests ? [...alarms.update([]), event] : [event];
        }),
      );
    });
}

function openStation(
  { firstMs, intervalMs }: HealthSettings,
  health: HealthWatch,
  alarms: StandingAlarms,
  tell: (event: StageEvent) => void,
  deps: HealthDeps,
): Station<Round> {
  const { manifest, tools } = deps;
  let due = false;
  const listening = manifest.changes$.subscribe(change => {
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
    perform: async ({ id }, signal) => {
      const seen = await look(deps, signal);
      if (signal.aborted) return [];
      const { events, report } = health.judge(seen, alarms);
      for (const event of events) tell(event);
      tell({ stage: 'health', at: tools.clock.now(), kind: 'health', report, pipeline: seen.pipeline });
      return [{ kind: 'done', entryId: id, detail: { findings: report.findings.length, released: seen.released } }];
    },
    // A round that was cut off is not made up for: the next one sees the same.
    giveBack: async () => undefined,
    close: async () => listening.unsubscribe(),
  };
}

async function look(deps: HealthDeps, signal: AbortSignal): Promise<Observation> {
  const { manifest, liveness, readStatus, readHolders, disk, settleOrphans } = deps;
  const claims = queueStages.flatMap(stage =>
    manifest.orphans(stage).map((entry): Belonging => ({ stage, owner: entry.claims[stage]! })),
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
  const [pipeline, holders] = await Promise.all([readStatus(), readHolders()]);
  const held = (Object.entries(holders) as [StageName, ProcessIdentity][])
    .map(([stage, owner]) => ({ stage, owner }))
    .filter(({ owner }) => liveness(owner) === 'gone');
  return { pipeline, disk: disk(), claims, held, released, repairs, liveness };
}
