/**
 * `camera_type = "tis"`: a camera of The Imaging Source, by `tcambin` of their tiscamera for GStreamer. `camera_id` is its serial number; 0
 * is the first that is found. `camera_exposure` is in microseconds, `camera_gain` in the camera's own unit (mostly dB).
 */
import type { ToolRunner } from '../../../files/runTool.ts';
import type { Camera, CaptureSettings, Shot } from '../camera.ts';
import { CameraError } from '../cameraFaults.ts';
import { gstreamerCamera } from './gstreamerCamera.ts';

export interface TisCameraOptions {
  cameraId: number | string;
  width: number;
  height: number;
  /** `GRAY16_LE` or `GRAY8`; empty: the first of these that the camera has. */
  pixelFormat: string;
  discardedFrames: number;
  timeoutMs: number;
}

export interface TisCameraDeps {
  tools: Pick<ToolRunner, 'run' | 'find'>;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

const microsecond = 1e-6;
const listingMs = 15_000;

/** @throws CameraError for a `camera_id` that is no serial number */
export function tisCamera(options: TisCameraOptions, { tools, note }: TisCameraDeps): Camera {
  const { cameraId, pixelFormat } = options;
  const name = `camera ${cameraId} (tis)`;
  const serial = serialOf(cameraId);
  const exposureSeconds = ({ exposure }: CaptureSettings): number => exposure * microsecond;
  const pipeline = ({ exposure, gain }: CaptureSettings): string[] => [
    'tcambin',
    ...(serial === null ? [] : [`serial=${serial}`]),
    `tcam-properties=tcam,ExposureAuto=Off,ExposureTime=${exposure},GainAuto=Off,Gain=${gain}`,
  ];
  const identity = async (): Promise<string> => `tis ${serial ?? 'first'}`;
  const formats = pixelFormat === '' ? ['GRAY16_LE', 'GRAY8'] : [pixelFormat];
  const cameras = formats.map(format =>
    gstreamerCamera({ ...options, name, pipeline, identity, exposureSeconds, pixelFormat: format }, tools),
  );
  const exposed = exposureReader(serial, tools);

  const captureIn = async (settings: CaptureSettings, signal: AbortSignal): Promise<Shot> => {
    try {
      return await cameras[0]!.capture(settings, signal);
    } catch (error) {
      const isFormat = error instanceof CameraError && error.code === 'frame_format';
      if (!isFormat || cameras.length === 1) throw error;
      const shot = await cameras[1]!.capture(settings, signal);
      cameras.shift();
      note({ level: 'info', message: `${name}: its frames have 8 bits, it does not give GRAY16_LE of this size` });
      return shot;
    }
  };
  return {
    ...cameras[0]!,
    capture: async (settings, signal) => {
      const { pixels, metadata } = await captureIn(settings, signal);
      return { pixels, metadata: { ...metadata, ...(await exposed(signal)) } };
    },
  };
}

function serialOf(cameraId: number | string): string | null {
  const text = String(cameraId);
  if (text === '0') return null;
  if (/^\w[\w-]*$/.test(text)) return text;
  throw new CameraError(
    'camera_settings',
    'alarm',
    `Camera.camera_id is "${text}"; for camera_type = "tis" it must be the serial number of the camera (tcam-ctrl -l lists them), or 0 for the first`,
  );
}

/** Reads the exposure back once, where `tcam-ctrl` is there to say it. A camera that does not say it takes frames all the same. */
function exposureReader(serial: string | null, tools: TisCameraDeps['tools']) {
  let known: { exposure_seconds?: number } | null = null;
  return async (signal: AbortSignal): Promise<{ exposure_seconds?: number }> => {
    if (known) return known;
    if (serial === null || (await tools.find('tcam-ctrl')) === null) return (known = {});
    const words = ['tcam-ctrl', '-p', serial];
    const output = await tools.run(words, { signal, timeoutMs: listingMs, device: words[0]! }).catch(() => null);
    signal.throwIfAborted();
    const found = /^\s*Exposure(?:Time)?\b[^\n]*\bvalue=\s*([\d.]+)/im.exec(output?.stdout.toString() ?? '')?.[1];
    return (known = found === undefined ? {} : { exposure_seconds: Number(found) * microsecond });
  };
}
