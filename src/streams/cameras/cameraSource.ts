import type { DeviceClaim, DeviceClaims } from '../../files/deviceClaims.ts';
import type { ToolRunner } from '../../files/runTool.ts';
import type { Clock } from '../../model/clock.ts';
import type { CapturedFrame, FrameMetadata, Pixels } from '../../model/frame.ts';
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
  /** Of this process; absent: the camera is nobody else's. */
  claims?: Pick<DeviceClaims, 'claim'> | undefined;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

/**
 * The frames of a camera, as a source.
 *
 * Contract: each `next` waits for its turn at the device, and takes one frame. The first ones after opening are thrown away while
 * they show that the camera has not settled (uniform, as a buffer that nothing was written to, or overexposed), a few at most: what is there
 * then counts, and is noted. A rejection is that of {@link Camera}, or tells which other experiment uses the device: it is claimed before the first
 * frame, and let go by `close`, which ends what is on its way. After a failure it stays claimed for a while: whoever opens the camera
 * anew must not lose it to another experiment.
 */
export function openCameraSource(
  camera: Camera,
  { settings, cameraIndex }: CameraSourceOptions,
  { tools, clock, claims, note }: CameraSourceDeps,
): FrameSource {
  const closing = new AbortController();
  const capture = (signal: AbortSignal): Promise<TimedShot> =>
    tools.turn(camera.device, signal, async () => {
      const begunMs = clock.monotonic();
      const shot = await camera.capture(settings, signal);
      return { ...shot, atMs: momentOf(shot, begunMs, clock) };
    });
  let isSettled = false;
  let claim: DeviceClaim | null = null;
  let hasFailed = false;
  const takeFrame = async (signal: AbortSignal): Promise<TimedShot> => {
    if (claims && claim === null) {
      const key = await tools.turn(camera.device, signal, () => camera.identity(signal));
      claim = await claims.claim(key, camera.name);
      if (closing.signal.aborted) claim.release();
    }
    const taken = await (isSettled ? capture(signal) : settle(signal));
    isSettled = true;
    return taken;
  };
  const noteOddities = oddities(camera.name, note);
  const settle = async (signal: AbortSignal): Promise<TimedShot> => {
    for (let thrownAway = 0; ; thrownAway++) {
      const shot = await capture(signal);
      const trouble = unsettled(shot.pixels);
      if (trouble === null) return shot;
      if (thrownAway < camera.settlingFrames) continue;
      note({
        level: 'warning',
        message: `${camera.name}: the first frames are ${trouble}; frames are kept as they come`,
      });
      return shot;
    }
  };
  return {
    pace: 'triggered',
    total: null,
    next: async (caller): Promise<CapturedFrame> => {
      const signal = AbortSignal.any([caller, closing.signal]);
      signal.throwIfAborted();
      const shot = await takeFrame(signal).catch((error: unknown) => {
        hasFailed = !signal.aborted;
        throw error;
      });
      hasFailed = false;
      noteOddities(shot);
      return {
        kind: 'captured',
        pixels: shot.pixels,
        taken: { local: localIso(shot.atMs), utc: utcIso(shot.atMs), source: 'camera' },
        cameraIndex,
        metadata: shot.metadata,
      };
    },
    close: async () => {
      closing.abort(new Error(`${camera.name} is closed`));
      claim?.release(hasFailed ? heldAfterFailureMs : 0);
    },
  };
}

/** A frame, and when it was taken, ms since 1970. */
type TimedShot = Shot & { atMs: number };

/**
 * When a frame was taken: at the moment that the sensor tells, by the wall clock or by the clock that runs since the boot, where that lies within
 * the capture; else at its end.
 */
function momentOf({ metadata }: Shot, begunMs: number, clock: Clock): number {
  const now = clock.now();
  const elapsed = clock.monotonic() - begunMs;
  const { frame_wall_clock_ns: wallClock, sensor_timestamp_ns: sinceBoot } = metadata;
  const agoes = [
    ...(wallClock === undefined ? [] : [now - wallClock / 1e6]),
    ...(sinceBoot === undefined ? [] : [clock.monotonic() - sinceBoot / 1e6]),
  ];
  const ago = agoes.find(each => each >= 0 && each <= elapsed) ?? 0;
  return now - ago;
}

/** Longer than the longest wait before a camera that has failed is opened anew, ms. */
const heldAfterFailureMs = 120_000;

/** Pixels looked at. */
const samples = 4096;
/** Share of pixels at the highest count, whatever the camera's full scale is, that no scene has by intention. */
const overexposedShare = 0.5;

/** What shows that a camera has not settled; null: nothing does. */
function unsettled({ data }: Pixels): 'uniform' | 'overexposed' | null {
  const step = Math.max(1, Math.floor(data.length / samples));
  let most = 0;
  let isUniform = true;
  for (let i = 0; i < data.length; i += step) {
    most = Math.max(most, data[i]!);
    if (data[i] !== data[0]) isUniform = false;
  }
  // Where a few pixels are lit, the samples may all have missed them.
  if (isUniform) return data.some(value => value !== data[0]) ? null : 'uniform';
  let clipped = 0;
  for (let i = 0; i < data.length; i += step) if (data[i] === most) clipped++;
  return clipped > overexposedShare * Math.ceil(data.length / step) ? 'overexposed' : null;
}

/** A sensor exposes whole rows: what it got differs a little from what was asked for. */
const exposureTolerance = { share: 0.02, seconds: 0.0002 };

/** Says once, and again when it changes, what is odd about frames that came all the same. */
function oddities(name: string, note: CameraSourceDeps['note']): (shot: Shot) => void {
  let said = '';
  return ({ metadata, oddity = '' }) => {
    const messages = [oddity, oddExposure(metadata)].filter(each => each !== '').join('; ');
    if (messages !== '' && messages !== said) note({ level: 'warning', message: `${name}: ${messages}` });
    said = messages;
  };
}

function oddExposure({ exposure_asked_seconds: asked, exposure_seconds: got }: FrameMetadata): string {
  if (asked === undefined || got === undefined) return '';
  const { share, seconds } = exposureTolerance;
  if (Math.abs(got - asked) <= Math.max(share * asked, seconds)) return '';
  return `it was asked to expose for ${asked} s, and exposes for ${got} s; its limits, or another control, stand against it`;
}
