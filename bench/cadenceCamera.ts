import { setTimeout } from 'node:timers/promises';
import type { CapturedFrame } from '../src/model/frame.ts';
import type { FrameSource } from '../src/model/frameSource.ts';
import { localIso, utcIso } from '../src/model/localTime.ts';
import { openSimulatedCamera as open } from '../src/streams/cameras/simulated/simulatedCamera.ts';

/**
 * The simulated camera with one frame, which takes `CADENCE_EXPOSE_MS` each time and no processor: to draw frames takes longer where the machine
 * is busy.
 */
export async function openSimulatedCamera(...[options, deps]: Parameters<typeof open>): Promise<FrameSource> {
  const real = await open(options, deps);
  const frame = (await real.next(new AbortController().signal)) as CapturedFrame;
  return {
    pace: 'triggered',
    total: null,
    next: async signal => {
      const now = deps.clock.now();
      await setTimeout(Number(process.env.CADENCE_EXPOSE_MS), undefined, { signal });
      const pixels = { ...frame.pixels, data: frame.pixels.data.slice() };
      return { ...frame, pixels, taken: { local: localIso(now), utc: utcIso(now), source: 'camera' } };
    },
    close: () => real.close(),
  };
}
