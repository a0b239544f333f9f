import { filter, type Observable, type OperatorFunction, Subject, tap, timer } from 'rxjs';
import type { Manifest } from '../manifest/manifest.ts';
import { deterministicId } from '../manifest/normaliseEntry.ts';
import type { CameraData, Entry } from '../model/entry.ts';
import type { StageEvent } from '../model/event.ts';
import type { SourceFrame } from '../model/frame.ts';
import { localIso } from '../model/localTime.ts';
import type { Files } from '../storage/files.ts';
import { ImageStore } from './imageStore.ts';
import { type Outcome, type StageTools, type Station, stage } from './stage.ts';
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
}

/** Images that may wait for the processor before a folder's next ones are taken in. */
const mostWaiting = 500;
/** Imported images recorded in one go. */
const importBatch = 64;
const longestRetryMs = 60_000;

const missedFrame: Outcome = {
  kind: 'discarded',
  entryId: null,
  reason: 'missed: the capture before it took longer than the interval',
};

interface Collected {
  frame: SourceFrame;
  id: string;
  /** Frames that should have been taken between the one before and this one. */
  missed: number;
}

/**
 * The collector: takes frames from a camera or a folder, makes them durable, and offers them to the manifest.
 *
 * A camera is triggered each interval; an interval that went by during a longer capture is a missed frame, and told as
 * discarded. A folder gives its images as fast as the processor has room for them, or at their recorded pace. A captured
 * frame is written before its entry; when that fails it is kept, and written first once the disk takes it. Images that
 * the manifest already knows are passed over, so an import that was interrupted goes on where it was. Exclusive: one for a
 * root. The generation ends with its source; a camera has no end.
 */
export function collect(deps: CollectDeps): OperatorFunction<CollectSettings, StageEvent> {
  const store = new ImageStore(deps.dataFolder, deps.files);
  /** Captured, and not yet written, because writing failed. */
  const kept: Collected[] = [];
  return stage<CollectSettings, Collected>({
    name: 'collector',
    tools: deps.tools,
    isEnabled: ({ enabled }) => enabled,
    entriesOf: ({ id }) => [id],
    backOff: ({ retryDelayMs }) => ({ firstMs: retryDelayMs, longestMs: Math.max(longestRetryMs, retryDelayMs) }),
    open: async (settings, signal) => {
      const source = await deps.openSource(settings, signal);
      try {
        const known = source.pace === 'own' ? await archivedIds(deps.manifest) : new Set<string>();
        return openStation(source, settings, known, store, kept, deps);
      } catch (error) {
        await source.close();
        throw error;
      }
    },
  });
}

async function archivedIds(manifest: Manifest): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { entry_id: id } of manifest.archived()) ids.add(id);
  return ids;
}

function openStation(
  source: OpenSource,
  settings: CollectSettings,
  known: ReadonlySet<string>,
  store: ImageStore,
  kept: Collected[],
  deps: CollectDeps,
): Station<Collected> {
  const exhausted$ = new Subject<void>();
  const triggered = source.pace === 'triggered';
  const take = triggered
    ? triggeredFrames(source, settings, deps)
    : ownPaceFrames(source, settings, known, deps, () => exhausted$.next());
  return {
    concurrency: triggered ? 1 : importBatch,
    batch: triggered ? 1 : importBatch,
    wake$: take.wake$,
    exhausted$,
    claim: async (count, leaving) => {
      if (kept.length) return kept.splice(0, count);
      try {
        return await take.frames(count, leaving);
      } catch (error) {
        if (leaving.aborted) return [];
        throw error;
      }
    },
    perform: async ({ frame, id, missed }) => [
      await record(frame, id, settings, store, deps),
      ...Array.from({ length: missed }, () => missedFrame),
    ],
    giveBack: async items => {
      kept.push(...items.filter(({ frame }) => frame.kind === 'captured'));
    },
    close: () => source.close(),
  };
}

interface Frames {
  wake$: Observable<unknown>;
  frames(count: number, leaving: AbortSignal): Promise<Collected[]>;
}

/** A frame each interval. */
function triggeredFrames(source: OpenSource, { intervalMs }: CollectSettings, { tools }: CollectDeps): Frames {
  let due = 0;
  return {
    wake$: timer(0, intervalMs, tools.scheduler).pipe(tap(() => due++)),
    frames: async (_count, leaving) => {
      if (due === 0) return [];
      const missed = due - 1;
      due = 0;
      const frame = await source.next(leaving);
      return frame ? [{ frame, id: tools.newId(), missed }] : [];
    },
  };
}

/** Images of a folder, as there is room for them and, unless the speed is infinite, as their time comes. */
function ownPaceFrames(
  source: OpenSource,
  { speed }: CollectSettings,
  known: ReadonlySet<string>,
  { manifest, tools }: CollectDeps,
  onEnd: () => void,
): Frames {
  let ended = false;
  /** Taken from the source, its time not yet come. */
  let early: SourceFrame | null = null;
  let began: { clock: number; elapsed: number } | null = null;

  const next = async (signal: AbortSignal): Promise<SourceFrame | null> => {
    const frame = early ?? (await source.next(signal));
    early = null;
    if (frame?.kind !== 'imported' || !Number.isFinite(speed)) return frame;
    began ??= { clock: tools.clock.monotonic(), elapsed: frame.elapsedMs };
    const wait = began.clock + (frame.elapsedMs - began.elapsed) / speed - tools.clock.monotonic();
    if (wait > 0) {
      early = frame;
      await delay(wait, signal, tools);
      early = null;
    }
    return frame;
  };

  return {
    wake$: manifest.changes$.pipe(filter(() => !ended && manifest.waiting('processor') < mostWaiting)),
    frames: async (count, leaving) => {
      const room = Math.min(count, mostWaiting - manifest.waiting('processor'), Number.isFinite(speed) ? 1 : count);
      const taken: Collected[] = [];
      while (!ended && taken.length < room && !leaving.aborted) {
        const frame = await next(leaving);
        if (!frame) {
          ended = true;
          onEnd();
          break;
        }
        const id =
          frame.kind === 'imported' ? deterministicId(frame.folder, frame.filename, frame.taken.local) : tools.newId();
        if (!known.has(id) && !manifest.get(id)) taken.push({ frame, id, missed: 0 });
      }
      return taken;
    },
  };
}

function delay(ms: number, signal: AbortSignal, { scheduler }: StageTools): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      waiting.unsubscribe();
      reject(signal.reason);
    };
    const waiting = timer(ms, scheduler).subscribe(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

async function record(
  frame: SourceFrame,
  id: string,
  { transform }: CollectSettings,
  store: ImageStore,
  deps: CollectDeps,
): Promise<Outcome> {
  const { manifest, tools, runId, bootId, clockSynced } = deps;
  const { taken, cameraIndex } = frame;
  const place =
    frame.kind === 'captured'
      ? await store.write({ ...frame, pixels: transformPixels(frame.pixels, transform) })
      : { filepath: frame.folder, filename: frame.filename };
  const camera: CameraData = {
    type: 'image',
    ...place,
    timestamp_iso: taken.local,
    camera_index: cameraIndex,
    error_flag: false,
    error_message: null,
    original: frame.kind === 'imported',
  };
  const entry: Entry = {
    entry_id: id,
    entry_timestamp_iso: localIso(tools.clock.now()),
    collection_error: false,
    collection_error_msg: null,
    camera_data: camera,
    temperature_data: null,
    processing_status: 'pending',
    processing_timestamp_iso: null,
    processing_error: false,
    processing_error_msg: null,
    compression_attempted: false,
    image_synced: false,
    data_transmitted: false,
    timestamp_utc: taken.utc,
    monotonic_ms: Math.round(tools.clock.monotonic()),
    boot_id: bootId,
    clock_synced: clockSynced(),
    timestamp_source: taken.source,
    run_id: runId,
    rev: 0,
    attempt: 0,
    claims: {},
  };
  await manifest.offer([entry]);
  return { entryId: id, kind: 'done', detail: { image: camera.filename } };
}
