import { describe, expect, it } from 'vitest';
import { ToolRunner } from '../../../src/files/runTool.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { FrameSource } from '../../../src/model/frameSource.ts';
import type { Camera, Shot } from '../../../src/streams/cameras/camera.ts';
import { openCameraSource } from '../../../src/streams/cameras/cameraSource.ts';

const never = new AbortController().signal;
const shot: Shot = { pixels: { width: 2, height: 1, depth: 8, data: Uint8Array.of(1, 2) }, metadata: {} };

/** A source, and what becomes of the claim of its camera. */
function world(capture: Camera['capture'], refusal: Error | null = null): { source: FrameSource; told: string[] } {
  const told: string[] = [];
  const camera: Camera = {
    name: 'camera 0',
    device: 'camera 0',
    programs: [],
    settlingFrames: 0,
    identity: async () => 'serial 7',
    capture: (settings, signal) => {
      told.push('frame');
      return capture(settings, signal);
    },
  };
  const claims = {
    claim: async (key: string) => {
      told.push(`claim ${key}`);
      if (refusal) throw refusal;
      return { release: (afterMs = 0) => void told.push(`release after ${afterMs}`) };
    },
  };
  const settings = { exposure: 1, gain: 1, brightness: 0, contrast: 1 };
  const deps = { tools: new ToolRunner(), clock: systemClock, claims, note: () => undefined };
  return { told, source: openCameraSource(camera, { settings, cameraIndex: 0 }, deps) };
}

describe('the claim of a camera', () => {
  it('is taken before the first frame, once, and let go when the source is closed', async () => {
    const { source, told } = world(async () => shot);
    await source.next(never);
    await source.next(never);
    await source.close();
    expect(told).toEqual(['claim serial 7', 'frame', 'frame', 'release after 0']);
  });

  it('that another experiment has is its error: no frame is taken, and nothing is let go', async () => {
    const { source, told } = world(async () => shot, new Error('camera 0 is used by the experiment in /data/run7'));
    await expect(source.next(never)).rejects.toThrow('/data/run7');
    await source.close();
    expect(told).toEqual(['claim serial 7']);
  });

  it('stays for a while after a failure, so that the next try still has its camera', async () => {
    const { source, told } = world(() => Promise.reject(new Error('no frame')));
    await expect(source.next(never)).rejects.toThrow('no frame');
    await source.close();
    expect(told.at(-1)).toBe('release after 120000');
  });

  it('is let go at once when a capture was cut short, as by a pause', async () => {
    const { source, told } = world((_settings, signal) => {
      const { promise, reject } = Promise.withResolvers<Shot>();
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      queueMicrotask(() => leaving.abort(new Error('paused')));
      return promise;
    });
    const leaving = new AbortController();
    await expect(source.next(leaving.signal)).rejects.toThrow('paused');
    await source.close();
    expect(told.at(-1)).toBe('release after 0');
  });
});
