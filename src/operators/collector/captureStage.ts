import { isDeepStrictEqual } from 'node:util';
import {
  combineLatest,
  distinctUntilChanged,
  EMPTY,
  filter,
  map,
  merge,
  type Observable,
  of,
  ReplaySubject,
  share,
  switchMap,
} from 'rxjs';
import type { Config } from '../../config/schema.ts';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import { makeFolder } from '../../files/durableNames.ts';
import { IdTable } from '../../manifest/idTable.ts';
import type { CameraData } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import { type FrameSource, needsSomebody } from '../../model/frameSource.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import { duration } from '../../model/quantity.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Stage, StageFlow } from '../stage/stage.ts';
import { admitImages } from './admission.ts';
import { captureWorker } from './captureWorker.ts';
import type { WantedSpace } from './diskFull.ts';
import { ImageStore } from './imageStore.ts';
import { type Recorder, recordAtEnd } from './recordFrame.ts';
import { orphanRecovery } from './recoverOrphans.ts';
import { ReplayCourse } from './replayCourse.ts';
import { ReplayPace } from './replayPace.ts';
import { missedFrames, Schedule } from './schedule.ts';
import { type Collected, type FrameSettings, failuresOfCamera, ofCamera, type Trigger } from './takeFrames.ts';
import { readTemperatures, sensorSettings } from './temperatures.ts';

export interface CollectSettings extends FrameSettings {
  /** `enable_camera`. */
  enabled: boolean;
  /** All that the source is made from: another value is another source. */
  source: SourceSettings;
  /** Time between two frames of a camera, ms. */
  intervalMs: number;
  /** Of brightfield: one frame for so many of the collector's. */
  everyNth?: number;
  /** Wait after a failure of the camera, ms; it grows from {@link failureLimit} failures on. */
  retryDelayMs: number;
  /** Failures of the camera in a row at which there is an alarm; those before are noted. */
  failureLimit: number;
}

export type CollectExperiment = Pick<
  Experiment,
  | 'tools'
  | 'queue'
  | 'archive'
  | 'files'
  | 'replay'
  | 'runId'
  | 'runStarted'
  | 'bootId'
  | 'clockSynced'
  | 'openSource'
  | 'openSensor'
  | 'freeCameras'
  | 'space$'
  | 'measureSpace'
  | 'waitingImage'
  | 'freshFrames'
  | 'isAlive'
  | 'note'
> & { paths: { readonly data: string; readonly brightfield: string } };

/** How two stages that take frames differ. */
export interface CaptureKind extends Pick<Stage<CollectSettings, Collected>, 'settings' | 'pace'> {
  readonly name: 'collector' | 'brightfield';
  readonly type: CameraData['type'];
  /** When its camera is triggered. */
  triggers(experiment: Pick<Experiment, 'tools' | 'queue'>): Triggers;
}

/** For as long as a stage lasts. */
export interface Triggers {
  /** Begins now. */
  begin(settings: CollectSettings): Trigger;
  dispose?(): void;
}

/** Waits that grow begin with no less, ms: the alarm would be told without end. */
const shortestRetryMs = 1000;
const longestRetryMs = 60_000;

/**
 * A stage that takes frames, with all that {@link collector} promises: opens the source, and leaves its frames to a
 * {@link captureWorker}. What outlasts a worker is kept here: the trigger's count, and frames that could not be recorded yet.
 */
export function captureStage(kind: CaptureKind): Stage<CollectSettings, Collected, CollectExperiment> {
  return {
    name: kind.name,
    exclusive: true,
    settings: kind.settings,
    follows: (config, { replay }) => [
      wantedSpace(config),
      kind.name === 'collector' && !replay ? sensorSettings(config) : null,
    ],
    isEnabled: ({ enabled }) => enabled,
    pace: kind.pace,
    entriesOf: ({ id }) => [id],
    backOff: ({ retryDelayMs }) => ({
      firstMs: Math.max(shortestRetryMs, retryDelayMs),
      longestMs: Math.max(longestRetryMs, retryDelayMs),
    }),
    begin: (experiment, flow) => {
      const { tools, paths, files, replay } = experiment;
      const { name, type } = kind;
      const folder = type === 'brightfield' ? paths.brightfield : paths.data;
      const store = new ImageStore(folder, files, type);
      const triggers = kind.triggers(experiment);
      /** Captured, and not yet recorded, because writing failed. */
      const kept: Collected[] = [];
      /** Of the source that was open last. */
      let pace: FrameSource['pace'] | null = null;
      /** It goes on over failures, so that what is lost to them is counted; it begins anew after a rest and with other settings. */
      let begun: { trigger: Trigger; settings: unknown } | null = null;
      const triggerFor = (settings: CollectSettings): Trigger => {
        const counting = { intervalMs: settings.intervalMs, everyNth: settings.everyNth };
        if (!isDeepStrictEqual(begun?.settings, counting))
          begun = { trigger: triggers.begin(settings), settings: counting };
        return begun!.trigger;
      };
      // The images of a folder that is replayed have no entries yet.
      const recovery = replay ? null : orphanRecovery({ stage: name, folder, type }, experiment, flow);
      const admission = admitImages({
        ...experiment,
        wanted$: wantedSpace$(flow),
        clock: tools.clock,
        dataFolder: folder,
      });
      const diskFull$ = admission.diskFull$.pipe(share({ connector: () => new ReplaySubject(1) }));
      const recorder: Recorder = { stage: name, type, store, admission, experiment };
      const playback$ = flow.playback$ ?? of({});
      const ownPace = new ReplayPace(playback$, tools);
      const course = replay && new ReplayCourse(replay.folder, playback$, ownPace, experiment);
      // The sensors are on one line: one stage reads them.
      const temperatures = name === 'collector' ? readTemperatures(experiment, flow) : null;
      return {
        open: async (settings, signal) => {
          const trigger = triggerFor(settings);
          if (type === 'brightfield') await makeFolder(files, folder);
          const source = await ofCamera(experiment.openSource(settings.source, signal));
          pace = source.pace;
          // Images that were there before have no temperature.
          if (pace === 'triggered' || source.arrivals) temperatures?.prepare(pace);
          try {
            if (pace === 'triggered') await recovery?.search();
            const known = await knownImages(source, experiment);
            const worker = captureWorker(
              { source, settings, trigger, known, kept, temperatures, pace: ownPace, course },
              recorder,
            );
            return {
              ...worker,
              close: async aborted => {
                if (!aborted) begun = null;
                await worker.close(aborted);
              },
            };
          } catch (error) {
            await source.close();
            throw error;
          }
        },
        passesOver: (error, failures, { failureLimit, retryDelayMs }) => {
          if (failures >= failureLimit || !failuresOfCamera.has(error) || needsSomebody(error)) return null;
          experiment.note(
            'warning',
            `${error.message} (failure ${failures} of ${failureLimit} in a row; ${duration(retryDelayMs)} until the next try)`,
          );
          return retryDelayMs;
        },
        pausedBy$: diskFull$,
        onPause: () => {
          begun = null;
          experiment.freeCameras();
        },
        // A folder misses nothing: its images are still there.
        beside$: settings$ =>
          merge(
            name === 'collector'
              ? framesNotTaken(settings$, diskFull$, () => pace === 'triggered', flow, experiment)
              : EMPTY,
            recovery?.events$ ?? EMPTY,
            course?.events$ ?? EMPTY,
          ),
        atEnd: async () => [
          ...((await recovery?.finish()) ?? []),
          ...(await recordAtEnd(kept, recorder)),
          ...(course?.lastEvents() ?? []),
        ],
        dispose: () => {
          ownPace.dispose();
          course?.dispose();
          temperatures?.close();
          triggers.dispose?.();
        },
      };
    },
  };
}

/** Null in a replay of nothing but originals: how much must stay free is asked of the configuration, which may change. */
function wantedSpace$({ config$ }: StageFlow): Observable<WantedSpace> {
  return (config$ ?? EMPTY).pipe(map(wantedSpace), distinctUntilChanged<WantedSpace>(isDeepStrictEqual));
}

/** How much of the disk shall stay free, and whether images are deleted for it. */
const wantedSpace = ({ Buffer, Services }: Config): WantedSpace => ({
  minFree: Buffer.min_free_disk,
  keepsAll: Buffer.image_buffer_size === 0 && !Services.enable_remote_sync,
});

/** Each interval is told as missed, for as long as there is no room and nobody has paused the stage. */
function framesNotTaken(
  settings$: Observable<CollectSettings>,
  diskFull$: Observable<PauseReason | null>,
  isTriggered: () => boolean,
  { paused$ = of(false), pausedBy$ = of(null) }: StageFlow,
  { tools }: CollectExperiment,
): Observable<StageEvent> {
  return combineLatest([settings$, diskFull$, paused$, pausedBy$]).pipe(
    map(([{ enabled, intervalMs }, fullDisk, isPaused, otherReason]) =>
      enabled && fullDisk !== null && !isPaused && otherReason === null && isTriggered() ? intervalMs : null,
    ),
    distinctUntilChanged(),
    switchMap(intervalMs => {
      if (intervalMs === null) return EMPTY;
      const schedule = new Schedule(intervalMs, tools.clock, tools.scheduler);
      // The first interval begins now: it is the one of the frame that found no room.
      schedule.take();
      return schedule.due$.pipe(map(() => schedule.take()));
    }),
    filter(count => count > 0),
    map(count => ({
      ...missedFrames(count, 'there is no room on the disk'),
      stage: 'collector',
      at: tools.clock.now(),
    })),
  );
}

/** Ids of the images that a folder has given before; empty for a camera, whose frames are all new. */
async function knownImages(source: FrameSource, { archive, queue }: CollectExperiment): Promise<IdTable> {
  const known = new IdTable();
  if (source.pace !== 'own') return known;
  for await (const { entry_id: id } of archive.entries()) known.add(id);
  if (source.arrivals) {
    for (const { entry_id: id } of queue.entries()) known.add(id);
    source.arrivals.passOver(id => known.find(id) >= 0 || queue.get(id) !== undefined);
  }
  return known;
}
