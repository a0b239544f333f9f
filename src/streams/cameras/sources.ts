import { impossibleNumbers } from '../../config/cameraProblems.ts';
import type { PresentCamera } from '../../config/sections/camera.ts';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import type { Files } from '../../files/files.ts';
import type { CallGate } from '../../files/filesWithDeadline.ts';
import type { ToolRunner } from '../../files/runTool.ts';
import type { Clock } from '../../model/clock.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { openLegacyFolder } from '../folder/legacyFolder.ts';
import { openWatchFolder } from '../watchFolder/watchFolder.ts';
import type { Camera } from './camera.ts';
import { CameraError } from './cameraFaults.ts';
import { openCameraSource } from './cameraSource.ts';
import { commandCamera } from './commandCamera.ts';
import { libcameraCamera } from './libcamera/libcameraCamera.ts';
import type { Flip } from './libcamera/stillOptions.ts';
import { openSimulatedCamera } from './simulated/simulatedCamera.ts';
import { lightAndCounts, simulatorOptions } from './simulated/simulatorOptions.ts';
import { v4l2Camera } from './v4l2/v4l2Camera.ts';

export interface SourceDeps {
  clock: Clock;
  files: Files;
  signal: AbortSignal;
  /** Of this process. */
  tools: ToolRunner;
  /** For a folder that may hang, on a share: what hangs there is one call, however often the source is opened. Absent: one of its own. */
  gate?: CallGate;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

/** A camera behind a tool, as a source. */
const cameraSource = (camera: Camera, { cameraId, camera: c }: SourceSettings, deps: SourceDeps): FrameSource =>
  openCameraSource(
    camera,
    {
      cameraIndex: cameraId,
      settings: {
        exposure: c.camera_exposure,
        gain: c.camera_gain,
        brightness: c.camera_brightness,
        contrast: c.camera_contrast,
      },
    },
    deps,
  );

const hawkeyeSize = { camera_width: 9152, camera_height: 6944 };

/** @throws CameraError for numbers that the tool would bend without a word */
function libcameraOf({ type, cameraId, camera: c }: SourceSettings, flip: Flip, { tools }: SourceDeps): Camera {
  const [wrong] = impossibleNumbers(type, c);
  if (wrong) throw new CameraError('camera_settings', 'alarm', wrong.message);
  return libcameraCamera(
    {
      cameraId,
      width: c.camera_width,
      height: c.camera_height,
      encoding: c.camera_encoding,
      jpegQuality: c.camera_jpeg_quality,
      flip: c.camera_flip === 'DEFAULT' ? flip : c.camera_flip,
      timeoutMs: c.camera_timeout_seconds * 1000,
    },
    tools,
  );
}

type OpenSource = (settings: SourceSettings, deps: SourceDeps) => Promise<FrameSource>;

/** A camera with a device of Video4Linux. */
const videoSource: OpenSource = async (settings, deps) => {
  const { type, cameraId, camera: c } = settings;
  const options = {
    type,
    cameraId,
    width: c.camera_width || 640,
    height: c.camera_height || 480,
    pixelFormat: c.camera_pixel_format,
    discardedFrames: c.camera_discard_frames,
    timeoutMs: c.camera_timeout_seconds * 1000,
  };
  return cameraSource(v4l2Camera(options, deps), settings, deps);
};

/** Word of `Camera.camera_type` → source. A new camera is a file, its word, and a line here, which the compiler asks for. */
export const sources: Readonly<Record<PresentCamera, OpenSource>> = {
  simulated: ({ cameraId, camera, simulator: s, roiManifestFile, truthFile }, deps) => {
    const simulator = simulatorOptions(s.preset, {
      seed: s.seed,
      lineShape: s.line_shape,
      imageAngle: s.image_angle,
      driftPixels: s.drift_pixels,
      driftPeriodSeconds: s.drift_period_seconds,
      stepPixels: s.step_pixels,
      stepPeriodSeconds: s.step_period_seconds,
      ...lightAndCounts(s, camera),
      dust: s.dust,
    });
    const faults = {
      black: s.black_frames,
      saturated: s.saturated_frames,
      torn: s.torn_frames,
      late: s.late_frames,
      absent: s.absent_frames,
      moved: s.moved_frames,
      lateSeconds: s.late_seconds,
      movedPixels: s.moved_pixels,
    };
    return openSimulatedCamera({ simulator, faults, cameraIndex: cameraId, roiManifestFile, truthFile }, deps);
  },
  libcamera: async (settings, deps) => cameraSource(libcameraOf(settings, 'NONE', deps), settings, deps),
  hawkeye: async (settings, deps) => {
    const { camera } = settings;
    const full = camera.camera_width === 0 || camera.camera_height === 0 ? hawkeyeSize : {};
    const sized = { ...settings, camera: { ...camera, ...full } };
    return cameraSource(libcameraOf(sized, 'VERTICAL_FLIP', deps), settings, deps);
  },
  logitech: videoSource,
  argus: videoSource,
  command: async (settings, deps) => {
    const { camera_command: command, camera_timeout_seconds: timeout } = settings.camera;
    return cameraSource(commandCamera({ command, timeoutMs: timeout * 1000 }, deps.tools), settings, deps);
  },
  file_importer: (settings, deps) => openLegacyFolder(settings, deps),
  watch_folder: (settings, deps) => openWatchFolder(settings, deps),
};

/** Opens the source that the settings name. @throws Error for one that this version does not have. */
export async function openSource(settings: SourceSettings, deps: SourceDeps): Promise<FrameSource> {
  const open = (sources as Readonly<Record<string, OpenSource>>)[settings.type];
  if (!open) {
    const available = Object.keys(sources).join(', ');
    throw new Error(`Camera.camera_type "${settings.type}" is not in this version yet; it has: ${available}`);
  }
  return open(settings, deps);
}
