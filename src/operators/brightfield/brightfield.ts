import { join } from 'node:path';
import { captureStage } from '../collector/collector.ts';
import { MainFrames } from './mainFrames.ts';

/** Sources that give images of others: nothing can be taken beside them. */
const importing: readonly string[] = ['file_importer', 'watch_folder'];

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
  settings: ({ Brightfield, Camera, Services, Simulator, Timing, Retries }, { paths, replay }) => {
    const { camera_id, camera_exposure, camera_gain, camera_brightness, camera_contrast } = Brightfield;
    const isImported = replay !== null || importing.includes(Camera.camera_type);
    return {
      enabled: !isImported && Services.enable_camera && Services.enable_brightfield,
      source: {
        type: Camera.camera_type,
        cameraId: camera_id,
        camera: { ...Camera, camera_id, camera_exposure, camera_gain, camera_brightness, camera_contrast },
        simulator: Simulator,
        roiManifestFile: paths.newRoiManifest,
        truthFile: join(paths.generatedFiles, 'simulator_truth_brightfield.jsonl'),
        folder: paths.data,
      },
      intervalMs: Timing.collector_interval_seconds * 1000,
      everyNth: Brightfield.every_nth_frame,
      speed: Number.POSITIVE_INFINITY,
      transform: Camera.camera_transform,
      retryDelayMs: Retries.collector_retry_delay_seconds * 1000,
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
