import { BehaviorSubject, of, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { RoiLook } from '../../../src/model/roiInspection.ts';
import { type LookedFrame, roiLook$ } from '../../../src/streams/console/roiLook.ts';

describe('a ROI of the newest frame', () => {
  const frame = (image: string): LookedFrame => ({ look: label => ({ label, image, at: 0, seen: 'nothing' }) });

  it('opens no frame while no ROI is open, one for all ROIs of it, and each newer one', async () => {
    const scheduler = new VirtualTimeScheduler();
    const clock = { now: () => scheduler.now(), monotonic: () => scheduler.now() };
    const labels = new BehaviorSubject<string | null>(null);
    const frames: (LookedFrame | null)[] = [frame('1'), null, frame('2')];
    let looks = 0;
    const seen: string[] = [];
    const look = async (): Promise<LookedFrame | null> => {
      looks++;
      return frames.shift() ?? null;
    };
    const watched = roiLook$({ look: of(look), onError: () => undefined }, labels, { clock, scheduler }).subscribe(
      ({ label, image }: RoiLook) => seen.push(`${label} of ${image}`),
    );
    expect(looks).toBe(0);
    labels.next('A');
    await Promise.resolve();
    await Promise.resolve();
    labels.next('B');
    expect(seen).toEqual(['A of 1', 'B of 1']);
    expect(looks).toBe(1);
    labels.next(null);
    scheduler.flush();
    expect(looks).toBe(1);
    watched.unsubscribe();
  });
});
