import {
  combineLatest,
  concatMap,
  concatWith,
  connect,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  type MonoTypeOperatorFunction,
  map,
  type Observable,
  type OperatorFunction,
  of,
  ReplaySubject,
  share,
  switchMap,
  tap,
} from 'rxjs';
import type { Manifest } from '../manifest/manifest.ts';
import { untouchedEntry } from '../manifest/untouchedEntry.ts';
import type { CameraData, Entry } from '../model/entry.ts';
import type { StageEvent } from '../model/event.ts';
import type { SourceFrame } from '../model/frame.ts';
import type { Hindrance } from '../model/hindrance.ts';
import { localIso } from '../model/localTime.ts';
import { mergeUntilComplete } from '../rx/mergeUntilComplete.ts';
import type { Files } from '../storage/files.ts';
import { type AdoptionSettings, adoption } from './adoption.ts';
import { asError } from './asError.ts';
import { heldBy } from './heldBy.ts';
import type { ImageRoom } from './imageRoom.ts';
import { encodePng, ImageStore } from './imageStore.ts';
import { outcomeEvent } from './outcomeEvent.ts';
import { Schedule } from './schedule.ts';
import { type Outcome, type StageTools, type Station, stage } from './stage.ts';
import { type Collected, ownPaceFrames, triggeredFrames } from './takeFrames.ts';
import { type ImageTransform, transformPixels } from './transformPixels.ts';

/** A source of frames, opened; see `streams/frameSource.ts`. */
export interface OpenSource {
  readonly pace: 'triggered' | 'own';
  next(signal: AbortSignal): Promise<SourceFrame | null>;
  close(): Promise<void>;
}

export interface CollectSettings {
  /** `enable_camera`. */
  enabled: boolean;
  /** All that the source is made from: another value is another source. */
  source: unknown;
  /** Time between two frames of a camera, ms. */
  intervalMs: number;
  /** A folder is replayed at this many times its recorded pace; infinite: as fast as there is room. */
  speed: number;
  transform: ImageTransform;
  /** First wait after a failure of the camera, ms. */
  retryDelayMs: number;
}

export interface CollectDeps {
  tools: StageTools;
  manifest: Manifest;
  files: Files;
  /** `data_dir`. */
  dataFolder: string;
  runId: string;
  bootId: string;
  /** Whether the system's clock is set by a time server; null when the system does not tell. */
  clockSynced: () => boolean | null;
  openSource: (settings: CollectSettings, signal: AbortSignal) => Promise<OpenSource>;
  /** Room for images on the disk. Absent: there always is. */
  room?: ImageRoom;
  /** For images that a crash left without an entry. Absent: they stay so. */
  leftImages?: AdoptionSettings;
}

/** Imported images recorded in one go. */
const importBatch = 64;
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
 * frame of a camera (see `findLeftImages`).
 *
 * Without room on the disk it rests, with an alarm: the camera is closed, and each interval that goes by is told as missed. It
 * asks before each image: one that would not leave the reserve is kept as well, and written first once there is room.
 */
export function collect(deps: CollectDeps): OperatorFunction<CollectSettings, StageEvent> {
  return settings$ =>
    defer(() => {
      const store = new ImageStore(deps.dataFolder, deps.files);
      /** Captured, and not yet recorded, because writing failed. */
      const kept: Collected[] = [];
      /** Of the source that was open last. */
      let pace: OpenSource['pace'] | null = null;
      const adopting = deps.leftImages ? adoption(deps, deps.leftImages) : null;
      /** It goes on over failures, so that what is lost to them is counted; it begins anew after a rest and with other settings. */
      let schedule: Schedule | null = null;
      const noRoom$ = (deps.room?.noRoom$ ?? of(null)).pipe(share({ connector: () => new ReplaySubject(1) }));
      const collecting = heldBy<CollectSettings>('collector', noRoom$, deps.tools, tools =>
        stage<CollectSettings, Collected>({
          name: 'collector',
          tools: {
            ...tools,
            paused$: tools.paused$!.pipe(
              tap(isPaused => {
                if (isPaused) schedule = null;
              }),
            ),
          },
          isEnabled: ({ enabled }) => enabled,
          entriesOf: ({ id }) => [id],
          backOff: ({ retryDelayMs }) => ({ firstMs: retryDelayMs, longestMs: Math.max(longestRetryMs, retryDelayMs) }),
          open: async (settings, signal) => {
            const { intervalMs } = settings;
            if (schedule?.intervalMs !== intervalMs) schedule = new Schedule(intervalMs, tools.clock, tools.scheduler);
            const source = await deps.openSource(settings, signal);
            pace = source.pace;
            try {
              if (pace === 'triggered') await adopting?.look();
              const known = source.pace === 'own' ? await archivedIds(deps.manifest) : new Set<string>();
              const station = openStation(source, { settings, schedule, known, store, kept }, deps);
              return {
                ...station,
                close: async cutShort => {
                  if (!cutShort) schedule = null;
                  await station.close(cutShort);
                },
              };
            } catch (error) {
              await source.close();
              throw error;
            }
          },
        }),
      );
      return settings$.pipe(
        connect(shared$ =>
          shared$.pipe(
            collecting,
            // A folder misses nothing: its images are still there.
            mergeUntilComplete(framesNotTaken(shared$, noRoom$, () => pace === 'triggered', deps)),
            mergeUntilComplete(adopting?.events$ ?? EMPTY),
          ),
        ),
        endWithEach(() => deps.tools.track(recordAtEnd(kept, store, deps))),
      );
    });
}

/** Each interval is told as missed, for as long as there is no room and nobody has paused the stage. */
function framesNotTaken(
  settings$: Observable<CollectSettings>,
  noRoom$: Observable<Hindrance | null>,
  isTriggered: () => boolean,
  { tools }: CollectDeps,
): Observable<StageEvent> {
  return combineLatest([settings$, noRoom$, tools.paused$ ?? of(false)]).pipe(
    map(([{ enabled, intervalMs }, hindrance, paused]) =>
      enabled && hindrance !== null && !paused && isTriggered() ? intervalMs : null,
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

async function archivedIds(manifest: Manifest): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { entry_id: id } of manifest.archived()) ids.add(id);
  return ids;
}

const endWithEach = <T>(values: () => Promise<readonly T[]>): MonoTypeOperatorFunction<T> =>
  concatWith(defer(values).pipe(concatMap(each => each)));

/** The last try for frames that could not be written: afterwards they are gone with the process, and that is said. */
async function recordAtEnd(kept: Collected[], store: ImageStore, deps: CollectDeps): Promise<StageEvent[]> {
  const { clock } = deps.tools;
  const events: StageEvent[] = [];
  for (const item of kept.splice(0)) {
    const begun = clock.monotonic();
    const gone = (why: string): Outcome => ({
      kind: 'discarded',
      entryId: null,
      reason: `the frame of ${item.frame.taken.local} could not be recorded: ${why}`,
    });
    const outcome = await record(item, store, deps, true).catch((error: unknown) => gone(asError(error).message));
    events.push(outcomeEvent('collector', outcome ?? gone('there is no room on the disk'), { clock, begun }));
  }
  return events;
}

interface Collecting {
  settings: CollectSettings;
  schedule: Schedule;
  /** Ids of archived entries. */
  known: ReadonlySet<string>;
  store: ImageStore;
  kept: Collected[];
}

function openStation(
  source: OpenSource,
  { settings, schedule, known, store, kept }: Collecting,
  deps: CollectDeps,
): Station<Collected> {
  const exhausted$ = new ReplaySubject<void>(1);
  const triggered = source.pace === 'triggered';
  /** Taken from the source, and neither recorded nor kept. */
  let inFlight = 0;
  const take = triggered
    ? triggeredFrames(source, schedule, settings, deps)
    : ownPaceFrames(source, settings, known, deps, { inFlight: () => inFlight, onEnd: () => exhausted$.next() });
  const recording = new WeakMap<Collected, Promise<Outcome | null>>();
  const keep = (item: Collected): void => {
    if (!kept.includes(item)) kept.push(item);
  };
  return {
    concurrency: triggered ? 1 : importBatch,
    batch: triggered ? 1 : importBatch,
    wake$: take.wake$,
    exhausted$,
    claim: async (count, leaving) => {
      const items = kept.length > 0 ? kept.splice(0, count) : await take.frames(count, leaving);
      inFlight += items.length;
      return items;
    },
    perform: async item => {
      const recorded = record(item, store, deps);
      recording.set(item, recorded);
      const outcome = await recorded;
      inFlight--;
      if (outcome === null) {
        keep(item);
        return [];
      }
      return item.missed === 0 ? [outcome] : [outcome, missedFrames(item.missed, 'no frame was taken in the interval')];
    },
    giveBack: async items => {
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
    close: () => source.close(),
  };
}

/**
 * Null when there is no room for its image: it is as it was.
 * @param isLast it can't wait for room.
 */
async function record(item: Collected, store: ImageStore, deps: CollectDeps, isLast = false): Promise<Outcome | null> {
  const { frame, id, monotonicMs, transform } = item;
  const { manifest, tools, runId, bootId, clockSynced } = deps;
  const { taken, cameraIndex } = frame;
  if (frame.kind === 'imported') item.place = { filepath: frame.folder, filename: frame.filename };
  else if (!item.place) {
    const png = await encodePng(transformPixels(frame.pixels, transform)).catch(asError);
    // It would not become one however often it were tried.
    if (png instanceof Error) return { kind: 'discarded', entryId: null, reason: `not an image: ${png.message}` };
    if (deps.room && !(await deps.room.fits(png.length, isLast))) return null;
    item.place = await store.write(frame, png);
  }
  const camera: CameraData = {
    type: 'image',
    ...item.place,
    timestamp_iso: taken.local,
    camera_index: cameraIndex,
    error_flag: false,
    error_message: null,
    original: frame.kind === 'imported',
  };
  const entry: Entry = {
    ...untouchedEntry,
    entry_id: id,
    entry_timestamp_iso: localIso(tools.clock.now()),
    camera_data: camera,
    timestamp_utc: taken.utc,
    monotonic_ms: Math.round(monotonicMs),
    boot_id: bootId,
    clock_synced: clockSynced(),
    timestamp_source: taken.source,
    run_id: runId,
  };
  await manifest.offer([entry]);
  return { entryId: id, kind: 'done', detail: { image: camera.filename } };
}
