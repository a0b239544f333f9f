import { join } from 'node:path';
import { captureStage } from '../collector/captureStage.ts';
import { isFolder } from '../stage/stage.ts';
import { MainFrames } from './mainFrames.ts';

/**
 * Brightfield: takes a frame with settings of its own beside every Nth frame of the collector, and records it in `brightfield_dir`. All
 * that {@link captureStage} promises of frames holds for it. Nothing analyses its entries; they are compressed, copied and removed like others.
 *
 * It asks for the camera once the collector's frame is recorded, and so delays the next one only where the two exposures don't
 * fit into an interval. What goes wrong with it is an alarm of its own: the collector goes on. A frame of the collector that went by
 * without one is told as missed.
 */
export const brightfield = captureStage({
  name: 'brightfield',
  type: 'brightfield',
  settings: ({ Brightfield, Camera, Services, Simulator, Watch_Folder, Timing, Retries }, { paths, replay }) => {
    const { camera_id, camera_exposure, camera_gain, camera_brightness, camera_contrast } = Brightfield;
    // Nothing can be taken beside images of others.
    const isImported = replay !== null || isFolder(Camera);
    return {
      enabled: !isImported && Services.enable_camera && Services.enable_brightfield,
      source: {
        type: Camera.camera_type,
        cameraId: camera_id,
        camera: { ...Camera, camera_id, camera_exposure, camera_gain, camera_brightness, camera_contrast },
        section: 'Brightfield',
        simulator: Simulator,
        // That belongs to the frames that are analysed.
        roiManifestFile: null,
        truthFile: join(paths.generatedFiles, 'simulator_truth_brightfield.jsonl'),
        folder: paths.data,
        watch: Watch_Folder,
        flags: null,
      },
      intervalMs: Timing.collector_interval_seconds * 1000,
      everyNth: Brightfield.every_nth_frame,
      speed: Number.POSITIVE_INFINITY,
      transform: Camera.camera_transform,
      format: Camera.image_format,
      retryDelayMs: Retries.collector_retry_delay_seconds * 1000,
      failureLimit: Retries.collector_failure_limit,
    };
  },
  pace: ({ Timing, Brightfield }) => ({
    intervalMs: Timing.collector_interval_seconds * Brightfield.every_nth_frame * 1000,
    perMinute: null,
  }),
  triggers: ({ queue }) => {
    const frames = new MainFrames(queue);
    return { begin: ({ everyNth = 1 }) => frames.every(everyNth), dispose: () => frames.dispose() };
  },
});
