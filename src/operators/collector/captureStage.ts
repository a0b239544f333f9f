import { join, resolve } from 'node:path';
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
import { encodeImage, imageExtensions } from '../../image/encodeImage.ts';
import { transformPixels } from '../../image/transformPixels.ts';
import { IdTable } from '../../manifest/idTable.ts';
import type { Archive } from '../../manifest/queue.ts';
import { untouchedEntry } from '../../manifest/untouchedEntry.ts';
import { asError } from '../../model/asError.ts';
import { codecOf } from '../../model/compression.ts';
import type { CameraData, Entry } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import { type FrameSource, needsSomebody } from '../../model/frameSource.ts';
import { localIso } from '../../model/localTime.ts';
import type { PauseReason } from '../../model/pauseReason.ts';
import { duration } from '../../model/quantity.ts';
import type { Experiment } from '../stage/experiment.ts';
import { outcomeEvent } from '../stage/outcomeEvent.ts';
import type { Outcome, Stage, StageFlow, Worker } from '../stage/stage.ts';
import { framesPerMinute, isFolder } from '../stage/stage.ts';
import { type Admission, admitImages } from './admission.ts';
import type { WantedSpace } from './diskFull.ts';
import { ImageStore } from './imageStore.ts';
import { orphanRecovery } from './recoverOrphans.ts';
import { ReplayCourse } from './replayCourse.ts';
import { ReplayPace } from './replayPace.ts';
import { Schedule } from './schedule.ts';
import {
  type Collected,
  type FrameSettings,
  failuresOfCamera,
  ofCamera,
  ownPaceFrames,
  type Trigger,
  triggeredFrames,
} from './takeFrames.ts';
import { readTemperatures, type Temperatures } from './temperatures.ts';

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

/** A camera exposes while frames before it are recorded: so many in all, since a disk is slow now and then. Each takes its pixels in memory. */
const framesInFlight = 4;
/** Imported images recorded in one go. */
const importBatch = 64;
/** Waits that grow begin with no less, ms: the alarm would be told without end. */
const shortestRetryMs = 1000;
const longestRetryMs = 60_000;

/** Intervals of the schedule that went by without a frame. */
const missedFrames = (count: number, why: string) =>
  ({ kind: 'discarded', entryId: null, count, reason: `missed: ${why}` }) as const;

/**
 * The collector: takes frames from a camera or a folder, makes them durable, and offers them to the manifest.
 *
 * A camera is triggered each interval of a schedule that does not drift. An interval without a frame is a missed frame, and told as
 * discarded, whatever it was lost to: a longer capture, a busy machine, a camera that failed. A folder gives its images as fast as the processor has room for them, or at their recorded pace. A captured
 * frame is written before its entry; when that fails it is kept, and written first once the disk takes it; at the end it is
 * tried once more, and what can't be written then is told as discarded. Images that the manifest already knows are passed
 * over, so an import that was interrupted goes on where it was. Exclusive: one for a root. The generation ends with its
 * source; a camera has no end.
 *
 * A frame whose image a crash has left without an entry is taken in, beside the capture: it is looked for once, before the first
 * frame of a camera (see `findOrphanImages`).
 *
 * Without room on the disk it rests, with an alarm: the camera is closed, and each interval that goes by is told as missed. It
 * asks before each image: one that would not leave the reserve is kept as well, and written first once there is room.
 */
export const collector = captureStage({
  name: 'collector',
  type: 'image',
  settings: ({ Camera, Services, Simulator, Watch_Folder, Timing, Retries }, { paths, replay }) => ({
    enabled: replay !== null || Services.enable_camera,
    source: {
      type: replay ? 'file_importer' : Camera.camera_type,
      cameraId: Camera.camera_id,
      camera: Camera,
      simulator: Simulator,
      roiManifestFile: paths.newRoiManifest,
      truthFile: join(paths.generatedFiles, 'simulator_truth.jsonl'),
      folder:
        replay?.folder ??
        (Camera.camera_type === 'watch_folder' ? resolve(paths.root, Watch_Folder.folder) : paths.data),
      watch: Watch_Folder,
      flags: paths.flags,
      every: replay?.every,
      from: replay?.from,
      to: replay?.to,
      limit: replay?.limit,
      series: replay?.series,
    },
    intervalMs: Timing.collector_interval_seconds * 1000,
    speed: replay?.speed ?? Number.POSITIVE_INFINITY,
    transform: Camera.camera_transform,
    format: Camera.image_format,
    retryDelayMs: Retries.collector_retry_delay_seconds * 1000,
    failureLimit: Retries.collector_failure_limit,
  }),
  pace: (config, { replay }) => ({
    intervalMs: replay || isFolder(config.Camera) ? null : config.Timing.collector_interval_seconds * 1000,
    perMinute: framesPerMinute(config, replay),
  }),
  triggers: ({ tools: { clock, scheduler } }) => ({
    begin: ({ intervalMs }) => new Schedule(intervalMs, clock, scheduler),
  }),
});

/** A stage that takes frames, with all that {@link collector} promises. */
export function captureStage(kind: CaptureKind): Stage<CollectSettings, Collected, CollectExperiment> {
  return {
    name: kind.name,
    exclusive: true,
    settings: kind.settings,
    isEnabled: ({ enabled }) => enabled,
    pace: kind.pace,
    entriesOf: ({ id }) => [id],
    backOff: ({ retryDelayMs }) => ({
      firstMs: Math.max(shortestRetryMs, retryDelayMs),
      longestMs: Math.max(longestRetryMs, retryDelayMs),
    }),
    begin: (experiment, flow) => {
      const { tools, paths, files, queue, archive, replay } = experiment;
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
      // The images of a folder that is replayed have no entries yet.
      const recovery = replay ? null : orphanRecovery({ stage: name, folder, type }, experiment, flow);
      const admission = admitImages({
        ...experiment,
        wanted$: wantedSpace$(flow),
        clock: tools.clock,
        dataFolder: folder,
      });
      const diskFull$ = admission.diskFull$.pipe(share({ connector: () => new ReplaySubject(1) }));
      const recorder: Recorder = { kind, store, admission, experiment };
      const playback$ = flow.playback$ ?? of({});
      const ownPace = new ReplayPace(playback$, tools);
      const course = replay && new ReplayCourse(replay.folder, playback$, ownPace, experiment);
      // The sensors are on one line: one stage reads them.
      const temperatures = name === 'collector' ? readTemperatures(experiment, flow) : null;
      return {
        open: async (settings, signal) => {
          const { intervalMs, everyNth } = settings;
          const triggerSettings = { intervalMs, everyNth };
          if (!begun || !isDeepStrictEqual(begun.settings, triggerSettings))
            begun = { trigger: triggers.begin(settings), settings: triggerSettings };
          const { trigger } = begun;
          if (type === 'brightfield') await makeFolder(files, folder);
          const source = await ofCamera(experiment.openSource(settings.source, signal));
          pace = source.pace;
          // Images that were there before have no temperature.
          if (pace === 'triggered' || source.arrivals) temperatures?.prepare(pace);
          try {
            if (pace === 'triggered') await recovery?.search();
            const known = source.pace === 'own' ? await archivedIds(archive) : new IdTable();
            if (source.arrivals) {
              for (const { entry_id: id } of queue.entries()) known.add(id);
              source.arrivals.passOver(id => known.find(id) >= 0 || queue.get(id) !== undefined);
            }
            const worker = openWorker(
              source,
              { settings, trigger, known, kept, temperatures, pace: ownPace, course },
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

async function archivedIds(archive: Archive): Promise<IdTable> {
  const ids = new IdTable();
  for await (const { entry_id: id } of archive.entries()) ids.add(id);
  return ids;
}

/** The last try for frames that could not be written: afterwards they are gone with the process, and that is said. */
async function recordAtEnd(kept: Collected[], recorder: Recorder): Promise<StageEvent[]> {
  const { name } = recorder.kind;
  const { clock } = recorder.experiment.tools;
  const events: StageEvent[] = [];
  for (const item of kept.splice(0)) {
    const startedMs = clock.monotonic();
    const gone = (why: string): Outcome => ({
      kind: 'discarded',
      entryId: null,
      reason: `the frame of ${item.frame.taken.local} could not be recorded: ${why}`,
    });
    const outcome = await record(item, recorder, true).catch((error: unknown) => gone(asError(error).message));
    events.push(outcomeEvent(name, outcome ?? gone('there is no room on the disk'), { clock, startedMs }));
  }
  return events;
}

interface Collecting {
  settings: CollectSettings;
  trigger: Trigger;
  /** Ids of archived entries. */
  known: IdTable;
  kept: Collected[];
  temperatures: Temperatures | null;
  pace: ReplayPace;
  course: ReplayCourse | null;
}

/** What records a frame. */
interface Recorder {
  kind: CaptureKind;
  store: ImageStore;
  admission: Admission;
  experiment: CollectExperiment;
}

function openWorker(
  source: FrameSource,
  { settings, trigger, known, kept, temperatures, pace, course }: Collecting,
  recorder: Recorder,
): Worker<Collected> {
  const { experiment } = recorder;
  const exhausted$ = new ReplaySubject<void>(1);
  const triggered = source.pace === 'triggered';
  /** Taken from the source, and neither recorded nor kept. */
  let inFlight = 0;
  const take = triggered
    ? triggeredFrames(source, trigger, settings, experiment)
    : ownPaceFrames(source, settings, known, experiment, {
        pace,
        course,
        inFlight: () => inFlight,
        onEnd: () => exhausted$.next(),
      });
  const recording = new WeakMap<Collected, Promise<Outcome | null>>();
  /** Of the newest frame. */
  let recordingNow: Promise<unknown> = Promise.resolve();
  let isTriedAgain = false;
  const keep = (item: Collected): void => {
    if (!kept.includes(item)) kept.push(item);
  };
  return {
    concurrency: triggered ? framesInFlight : importBatch,
    batch: triggered ? 1 : importBatch,
    workedMs: ({ exposedMs }) => exposedMs,
    wake$: take.wake$,
    exhausted$,
    claim: async (count, leaving) => {
      const again = kept.splice(0, count);
      inFlight += again.length;
      if (again.length > 0) {
        isTriedAgain = true;
        return again;
      }
      if (isTriedAgain) {
        // Where nothing can be recorded no further frame is taken: they would add up.
        await recordingNow;
        isTriedAgain = false;
      }
      const triggeredMs = experiment.tools.clock.monotonic();
      const items = await take.frames(count, leaving).catch(async (error: unknown) => {
        // What is being recorded is told of before the worker ends.
        await recordingNow.catch(() => undefined);
        throw error;
      });
      inFlight += items.length;
      for (const item of temperatures ? items : []) {
        if (triggered) item.temperature = temperatures!.take(triggeredMs, settings.intervalMs);
        else if (source.arrivals) item.temperature = temperatures!.takeFor(item.frame.taken);
      }
      return items;
    },
    process: item => {
      // In order: frames of a camera one after another, and none past one that could not be recorded.
      const recorded = triggered ? recordingNow.then(() => record(item, recorder)) : record(item, recorder);
      recording.set(item, recorded);
      const outcomes = recorded.then(outcome => {
        inFlight--;
        if (outcome === null) {
          keep(item);
          return [];
        }
        return item.missed === 0
          ? [outcome]
          : [outcome, missedFrames(item.missed, 'no frame was taken in the interval')];
      });
      recordingNow = outcomes;
      return outcomes;
    },
    release: async items => {
      for (const item of items) {
        if (item.frame.kind === 'imported') continue;
        // What is being written goes on: only afterwards is it known whether it must be written again.
        const isRecorded = await recording.get(item)?.then(
          outcome => outcome !== null,
          () => false,
        );
        if (!isRecorded) keep(item);
      }
    },
    close: () => {
      temperatures?.rest();
      return source.close();
    },
  };
}

/**
 * Null when there is no room for its image: it is as it was.
 * @param isLast it can't wait for room.
 */
async function record(
  item: Collected,
  { kind: { type }, store, admission, experiment }: Recorder,
  isLast = false,
): Promise<Outcome | null> {
  const { frame, id, monotonicMs, transform, format } = item;
  const { queue, tools, freshFrames, runId, bootId, clockSynced } = experiment;
  const { taken, cameraIndex } = frame;
  if (frame.kind === 'imported') item.place = { filepath: frame.folder, filename: frame.filename };
  else if (!item.place) {
    const pixels = transformPixels(frame.pixels, transform);
    const bytes = await encodeImage(pixels, format).catch(asError);
    // It would not become one however often it were tried.
    if (bytes instanceof Error) return { kind: 'discarded', entryId: null, reason: `not an image: ${bytes.message}` };
    if (!(await admission.fits(bytes.length, isLast))) return null;
    item.place = await store.write(frame, bytes, imageExtensions[format]);
    item.bytes = bytes.length;
    if (type === 'image') freshFrames.keep(id, pixels);
  }
  const camera: CameraData = {
    type,
    ...item.place,
    timestamp_iso: taken.local,
    camera_index: cameraIndex,
    error_flag: false,
    error_message: null,
    original: frame.kind === 'imported',
    ...(frame.kind === 'captured' && Object.keys(frame.metadata ?? {}).length > 0 && { metadata: frame.metadata }),
  };
  const entry: Entry = {
    ...untouchedEntry,
    entry_id: id,
    entry_timestamp_iso: localIso(tools.clock.now()),
    camera_data: camera,
    compression_attempted: !camera.original && codecOf(camera.filename) !== null,
    temperature_data: item.temperature,
    ...(type === 'brightfield' && { processing_status: 'skip' }),
    timestamp_utc: taken.utc,
    monotonic_ms: Math.round(monotonicMs),
    boot_id: bootId,
    clock_synced: clockSynced(),
    timestamp_source: taken.source,
    run_id: runId,
  };
  await queue.offer([entry]);
  return {
    entryId: id,
    kind: 'done',
    detail: { image: camera.filename, ...(item.bytes > 0 && { bytes: item.bytes }) },
  };
}
