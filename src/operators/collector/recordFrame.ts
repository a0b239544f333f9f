import { encodeImage, imageExtensions } from '../../image/encodeImage.ts';
import { transformPixels } from '../../image/transformPixels.ts';
import { untouchedEntry } from '../../manifest/untouchedEntry.ts';
import { asError } from '../../model/asError.ts';
import { codecOf } from '../../model/compression.ts';
import type { CameraData, Entry } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import type { CapturedFrame } from '../../model/frame.ts';
import { localIso } from '../../model/localTime.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Experiment } from '../stage/experiment.ts';
import { outcomeEvent } from '../stage/outcomeEvent.ts';
import type { Outcome } from '../stage/stage.ts';
import type { Admission } from './admission.ts';
import type { ImageStore } from './imageStore.ts';
import type { Collected } from './takeFrames.ts';

/** What records the frames of a stage. */
export interface Recorder {
  stage: StageName;
  type: CameraData['type'];
  store: ImageStore;
  admission: Admission;
  experiment: Pick<Experiment, 'queue' | 'tools' | 'freshFrames' | 'runId' | 'bootId' | 'clockSynced'>;
}

/**
 * Makes a frame durable: the image under its name, then its entry.
 * @param isLast it can't wait for room.
 * @returns null when there is no room for its image: it is as it was.
 */
export async function recordFrame(item: Collected, recorder: Recorder, isLast = false): Promise<Outcome | null> {
  const { frame, id } = item;
  if (frame.kind === 'imported') item.place = { filepath: frame.folder, filename: frame.filename };
  else if (!item.place) {
    const refused = await writeImage(item, frame, recorder, isLast);
    if (refused === 'no room') return null;
    if (refused) return { kind: 'discarded', entryId: null, reason: `not an image: ${refused.message}` };
  }
  const entry = entryOf(item, item.place!, recorder);
  await recorder.experiment.queue.offer([entry]);
  const { filename } = item.place!;
  return { entryId: id, kind: 'done', detail: { image: filename, ...(item.bytes > 0 && { bytes: item.bytes }) } };
}

/** Null: it stands there. An error: these pixels would not become an image however often it were tried. */
async function writeImage(
  item: Collected,
  frame: CapturedFrame,
  { type, store, admission, experiment }: Recorder,
  isLast: boolean,
): Promise<null | 'no room' | Error> {
  const { id, transform, format } = item;
  const pixels = transformPixels(frame.pixels, transform);
  const bytes = await encodeImage(pixels, format).catch(asError);
  if (bytes instanceof Error) return bytes;
  if (!(await admission.fits(bytes.length, isLast))) return 'no room';
  item.place = await store.write(frame, bytes, imageExtensions[format]);
  item.bytes = bytes.length;
  if (type === 'image') experiment.freshFrames.keep(id, pixels);
  return null;
}

function entryOf(
  { frame, id, monotonicMs, temperature }: Collected,
  place: Pick<CameraData, 'filepath' | 'filename'>,
  { type, experiment: { tools, runId, bootId, clockSynced } }: Recorder,
): Entry {
  const { taken, cameraIndex } = frame;
  const camera: CameraData = {
    type,
    ...place,
    timestamp_iso: taken.local,
    camera_index: cameraIndex,
    error_flag: false,
    error_message: null,
    original: frame.kind === 'imported',
    ...(frame.kind === 'captured' && Object.keys(frame.metadata ?? {}).length > 0 && { metadata: frame.metadata }),
  };
  return {
    ...untouchedEntry,
    entry_id: id,
    entry_timestamp_iso: localIso(tools.clock.now()),
    camera_data: camera,
    compression_attempted: !camera.original && codecOf(camera.filename) !== null,
    temperature_data: temperature,
    ...(type === 'brightfield' && { processing_status: 'skip' }),
    timestamp_utc: taken.utc,
    monotonic_ms: Math.round(monotonicMs),
    boot_id: bootId,
    clock_synced: clockSynced(),
    timestamp_source: taken.source,
    run_id: runId,
  };
}

/** The last try for frames that could not be written: afterwards they are gone with the process, and that is said. */
export async function recordAtEnd(kept: Collected[], recorder: Recorder): Promise<StageEvent[]> {
  const { clock } = recorder.experiment.tools;
  const events: StageEvent[] = [];
  for (const item of kept.splice(0)) {
    const startedMs = clock.monotonic();
    const gone = (why: string): Outcome => ({
      kind: 'discarded',
      entryId: null,
      reason: `the frame of ${item.frame.taken.local} could not be recorded: ${why}`,
    });
    const outcome = await recordFrame(item, recorder, true).catch((error: unknown) => gone(asError(error).message));
    events.push(outcomeEvent(recorder.stage, outcome ?? gone('there is no room on the disk'), { clock, startedMs }));
  }
  return events;
}
