import { absentWords, impossibleNumbers } from '../../config/cameraProblems.ts';
import type { PresentCamera } from '../../config/sections/camera.ts';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import type { DeviceClaim, DeviceClaims } from '../../files/deviceClaims.ts';
import type { Files } from '../../files/files.ts';
import type { CallGate } from '../../files/filesWithDeadline.ts';
import type { ToolRunner } from '../../files/runTool.ts';
import type { Clock } from '../../model/clock.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { openImageFolder } from '../folder/imageFolderSource.ts';
import { openWatchFolder } from '../watchFolder/openWatchFolder.ts';
import type { Camera, CaptureSettings } from './camera.ts';
import { CameraError } from './cameraFaults.ts';
import { openCameraSource } from './cameraSource.ts';
import { commandCamera } from './commandCamera.ts';
import { filledPipeline, gstreamerCamera } from './gstreamer/gstreamerCamera.ts';
import { tisCamera } from './gstreamer/tisCamera.ts';
import { libcameraCamera } from './libcamera/libcameraCamera.ts';
import type { Flip } from './libcamera/stillOptions.ts';
import { openSimulatedCamera } from './simulated/simulatedCamera.ts';
import { lightAndCounts, patternAndSensor, simulatorOptions } from './simulated/simulatorOptions.ts';
import { v4l2Camera } from './v4l2/v4l2Camera.ts';
import { identityIn } from './v4l2/videoDevice.ts';

export interface SourceDeps {
  clock: Clock;
  files: Files;
  signal: AbortSignal;
  /** Of this process. */
  tools: ToolRunner;
  /** For a folder that may hang, on a share: what hangs there is one call, however often the source is opened. Absent: one of its own. */
  gate?: CallGate;
  /** Of this process; absent: no camera is claimed. */
  claims?: DeviceClaims;
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

/** @throws CameraError for numbers that the camera can't have, or that its tool would bend without a word */
function refuseImpossible({ type, camera, section }: SourceSettings): void {
  const wrong = impossibleNumbers(type, camera, section).map(({ message }) => message);
  if (wrong.length > 0) throw new CameraError('camera_settings', 'alarm', wrong.join('. '));
}

function libcameraOf(
  { cameraId, camera: c }: SourceSettings,
  flip: Flip,
  { tools }: Pick<SourceDeps, 'tools'>,
): Camera {
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

type MakeCamera = (settings: SourceSettings, deps: Pick<SourceDeps, 'tools' | 'note'>) => Camera;

/** What the cameras of Video4Linux and GStreamer are asked for; 0 × 0: as they are. */
const frameOptions = ({ camera: c }: SourceSettings, usual: { width: number; height: number }) => ({
  width: c.camera_width || usual.width,
  height: c.camera_height || usual.height,
  pixelFormat: c.camera_pixel_format,
  discardedFrames: c.camera_discard_frames,
  timeoutMs: c.camera_timeout_seconds * 1000,
});

/** A camera with a device of Video4Linux. */
const videoCamera: MakeCamera = (settings, deps) => {
  const { type, cameraId } = settings;
  return v4l2Camera({ type, cameraId, ...frameOptions(settings, { width: 640, height: 480 }) }, deps);
};

const pipelineCamera: MakeCamera = (settings, { tools }) => {
  const items = settings.camera.camera_pipeline;
  const options = {
    ...frameOptions(settings, { width: 0, height: 0 }),
    name: `camera ${settings.cameraId} (gstreamer)`,
    pipeline: (numbers: CaptureSettings) => filledPipeline(items, numbers),
    identity: () => identityIn(items, settings.cameraId),
    // Its unit is known to its pipeline only.
    exposureSeconds: () => 0,
  };
  return gstreamerCamera(options, tools);
};

/** Cameras behind a tool, by their words; each makes its camera, and throws a CameraError for settings that it can't have. */
const toolCameras = {
  libcamera: (settings, deps) => libcameraOf(settings, 'NONE', deps),
  hawkeye: (settings, deps) => {
    const { camera } = settings;
    const full = camera.camera_width === 0 || camera.camera_height === 0 ? hawkeyeSize : {};
    return libcameraOf({ ...settings, camera: { ...camera, ...full } }, 'VERTICAL_FLIP', deps);
  },
  logitech: videoCamera,
  argus: videoCamera,
  tis: (settings, deps) =>
    tisCamera({ cameraId: settings.cameraId, ...frameOptions(settings, { width: 4000, height: 3000 }) }, deps),
  gstreamer: pipelineCamera,
  command: ({ cameraId, camera: { camera_command: command, camera_timeout_seconds: timeout } }, { tools }) =>
    commandCamera({ command, timeoutMs: timeout * 1000, cameraId }, tools),
} as const satisfies Partial<Record<PresentCamera, MakeCamera>>;

/** The camera behind a tool that the settings name; null: its frames come without one. @throws CameraError for settings that it can't have */
export function toolCamera(settings: SourceSettings, deps: Pick<SourceDeps, 'tools' | 'note'>): Camera | null {
  const [absent] = absentWords(settings.type, settings.camera);
  if (absent) throw new CameraError('camera_settings', 'alarm', absent.message);
  refuseImpossible(settings);
  return (toolCameras as Partial<Record<string, MakeCamera>>)[settings.type]?.(settings, deps) ?? null;
}

/**
 * Claims the camera that the settings name, before anything is taken from it. Null: it needs no claim, or can't be asked which it is; its
 * first frame tells why.
 * @throws DeviceHeldError
 */
export async function claimCamera(
  settings: SourceSettings,
  { claims, signal, ...deps }: Pick<SourceDeps, 'tools' | 'note' | 'signal'> & { claims: DeviceClaims },
): Promise<DeviceClaim | null> {
  let camera: Camera | null;
  let key: string;
  try {
    camera = toolCamera(settings, deps);
    if (camera === null) return null;
    key = await camera.identity(signal);
  } catch {
    return null;
  }
  return claims.claim(key, camera.name);
}

type OpenSource = (settings: SourceSettings, deps: SourceDeps) => Promise<FrameSource>;

/** Sources of other frames, by their words. */
const otherSources: Readonly<Record<Exclude<PresentCamera, keyof typeof toolCameras>, OpenSource>> = {
  simulated: (settings, deps) => {
    refuseImpossible(settings);
    const { cameraId, camera, section, simulator: s, roiManifestFile, truthFile } = settings;
    const simulator = simulatorOptions(s.preset, {
      seed: s.seed,
      lineShape: s.line_shape,
      imageAngle: s.image_angle,
      driftPixels: s.drift_pixels,
      driftPeriodSeconds: s.drift_period_seconds,
      stepPixels: s.step_pixels,
      stepPeriodSeconds: s.step_period_seconds,
      ...patternAndSensor(s),
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
    // A fault is asked for by the number of the frame among those that are analysed.
    const asked = section === 'Brightfield' ? {} : { faults };
    return openSimulatedCamera({ simulator, ...asked, cameraIndex: cameraId, roiManifestFile, truthFile }, deps);
  },
  file_importer: (settings, deps) => openImageFolder(settings, deps),
  watch_folder: (settings, deps) => openWatchFolder(settings, deps),
};

/**
 * Every word of `Camera.camera_type` that there is. A new camera is a file, its word, and a line in one of the two above, which the compiler
 * asks for.
 */
export const sourceWords: readonly string[] = [...Object.keys(otherSources), ...Object.keys(toolCameras)];

/** Opens the source that the settings name. @throws Error for one that this version does not have; CameraError */
export async function openSource(settings: SourceSettings, deps: SourceDeps): Promise<FrameSource> {
  const camera = toolCamera(settings, deps);
  if (camera) return cameraSource(camera, settings, deps);
  const open = (otherSources as Readonly<Record<string, OpenSource>>)[settings.type];
  if (open) return open(settings, deps);
  throw new Error(
    `Camera.camera_type "${settings.type}" is not in this version yet; it has: ${sourceWords.join(', ')}`,
  );
}
