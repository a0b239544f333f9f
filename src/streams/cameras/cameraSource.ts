import type { ToolRunner } from '../../files/runTool.ts';
import type { Clock } from '../../model/clock.ts';
import type { CapturedFrame, Pixels } from '../../model/frame.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { localIso, utcIso } from '../../model/localTime.ts';
import type { Camera, CaptureSettings, Shot } from './camera.ts';

export interface CameraSourceOptions {
  settings: CaptureSettings;
  cameraIndex: number | string;
}

export interface CameraSourceDeps {
  tools: Pick<ToolRunner, 'turn'>;
  clock: Clock;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

/**
 * The frames of a camera, as a source.
 *
 * Contract: each `next` waits for its turn at the device, and takes one frame. The first ones after opening are thrown away while
 * they show that the camera has not settled (uniform, as a buffer that nothing was written to, or overexposed), a few at most: what is there
 * then counts, and is noted. A rejection is that of {@link Camera}. `close` ends what is on its way.
 */
export function openCameraSource(
  camera: Camera,
  { settings, cameraIndex }: CameraSourceOptions,
  { tools, clock, note }: CameraSourceDeps,
): FrameSource {
  const closing = new AbortController();
  const capture = async (signal: AbortSignal): Promise<{ shot: Shot; endedAt: number }> => {
    const shot = await tools.turn(camera.device, signal, () => camera.capture(settings, signal));
    return { shot, endedAt: clock.now() };
  };
  let isSettled = false;
  const noteExposure = exposureNotes(camera.name, note);
  const settle = async (signal: AbortSignal): Promise<{ shot: Shot; endedAt: number }> => {
    for (let thrownAway = 0; ; thrownAway++) {
      const taken = await capture(signal);
      const trouble = unsettled(taken.shot.pixels);
      if (trouble === null) return taken;
      if (thrownAway < camera.settlingFrames) continue;
      note({
        level: 'warning',
        message: `${camera.name}: the first frames are ${trouble}; frames are kept as they come`,
      });
      return taken;
    }
  };
  return {
    pace: 'triggered',
    total: null,
    next: async (caller): Promise<CapturedFrame> => {
      const signal = AbortSignal.any([caller, closing.signal]);
      signal.throwIfAborted();
      const { shot, endedAt } = await (isSettled ? capture(signal) : settle(signal));
      isSettled = true;
      noteExposure(shot);
      const at = shot.takenMs ?? endedAt;
      return {
        kind: 'captured',
        pixels: shot.pixels,
        taken: { local: localIso(at), utc: utcIso(at), source: 'camera' },
        cameraIndex,
        metadata: shot.metadata,
      };
    },
    close: async () => closing.abort(new Error(`${camera.name} is closed`)),
  };
}

/** Pixels looked at. */
const samples = 4096;
/** Share of saturated pixels that no scene has by intention. */
const overexposedShare = 0.5;

/** What shows that a camera has not settled; null: nothing does. */
export function unsettled({ data, depth }: Pixels): 'uniform' | 'overexposed' | null {
  const full = 2 ** depth - 1;
  const step = Math.max(1, Math.floor(data.length / samples));
  const first = data[0];
  let isUniform = true;
  let saturated = 0;
  let count = 0;
  for (let i = 0; i < data.length; i += step, count++) {
    if (data[i] !== first) isUniform = false;
    if (data[i] === full) saturated++;
  }
  if (saturated > overexposedShare * count) return 'overexposed';
  // Where a few pixels are lit, the samples may all have missed them.
  return isUniform && data.every(value => value === first) ? 'uniform' : null;
}

/** A sensor exposes whole rows: what it got differs a little from what was asked for. */
const exposureTolerance = { share: 0.02, seconds: 0.0002 };

/** Says once, and again when it changes, that the camera exposes otherwise than it was asked to. */
function exposureNotes(name: string, note: CameraSourceDeps['note']): (shot: Shot) => void {
  let said = '';
  return ({ metadata: { exposure_asked_seconds: asked, exposure_seconds: got } }) => {
    if (asked === undefined || got === undefined) return;
    const { share, seconds } = exposureTolerance;
    const isOff = Math.abs(got - asked) > Math.max(share * asked, seconds);
    const message = isOff
      ? `${name}: it was asked to expose for ${asked} s, and exposes for ${got} s; its limits, or another control, stand against it`
      : '';
    if (isOff && message !== said) note({ level: 'warning', message });
    said = message;
  };
}
