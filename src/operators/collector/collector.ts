import { join, resolve } from 'node:path';
import { framesPerMinute, isFolder } from '../stage/stage.ts';
import { captureStage } from './captureStage.ts';
import { Schedule } from './schedule.ts';

/**
 * The collector: takes frames from a camera or a folder, makes them durable, and offers them to the manifest.
 *
 * A camera is triggered each interval of a schedule that does not drift. An interval without a frame is a missed frame, and told as
 * discarded, whatever it was lost to: a longer capture, a busy machine, a camera that failed. A folder gives its images as fast as the
 * processor has room for them, or at their recorded pace. A captured frame is written before its entry; when that fails the frame is
 * kept, and written first once the disk takes it; at the end it is tried once more, and what can't be written then is told as
 * discarded. Images that the manifest already knows are passed over, so an import that was interrupted goes on where it was.
 * Exclusive: one for a root. The generation ends with its source; a camera has no end.
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
