import { expect, test } from 'vitest';
import { LightWatch } from '../../../src/operators/processor/lightWatch.ts';

const clock = { now: () => 1e12, monotonic: () => 0 };

/** @param frames of each, how many of ten ROIs are seen, from the last one on; a name: the ROI manifest is another one from here on */
function told(frames: readonly (number | string)[], limit = 3): string[] {
  const watch = new LightWatch(clock);
  const events: string[] = [];
  watch.alarms$.subscribe(event => events.push(event.kind === 'alarm' ? event.message : event.kind));
  let roiManifestText = 'first';
  for (const [at, frame] of frames.entries()) {
    if (typeof frame === 'string') roiManifestText = frame;
    else {
      const seen = Array.from({ length: 10 }, (_, roi) => roi >= 10 - frame);
      watch.see(
        { seen, statistics: { brightness: 20 * frame, contrast: 1 } },
        { taken: `${at} s`, limit, roiManifestText },
      );
    }
  }
  return events;
}

const times = (count: number, frame: number): number[] => Array.from({ length: count }, () => frame);

test('a light that goes out is one alarm, which says since when, how many ROIs and what to look at; it is over with the light', () => {
  expect(told([...times(11, 10), ...times(9, 0), 10])).toEqual([
    expect.stringMatching(
      /^10 of 10 ROIs that had a resonance before are lost or have too little light in 3 frames, .* since 11 s; the brightness of a frame is 0\.0 \(200\.0 before\)\. Look at the light/,
    ),
    'well',
  ]);
});

test('ROIs that go out one after the other are an alarm when most are gone', () => {
  expect(told([...times(10, 10), ...times(20, 7), ...times(20, 5), ...times(3, 4)])).toEqual([
    expect.stringMatching(/^6 of 10 .* since 50 s;/),
  ]);
});

test('ROIs that were never seen do not count, nor do a few dark frames', () => {
  expect(told([...times(30, 3), ...times(2, 0), ...times(5, 3)])).toEqual([]);
  expect(told([...times(10, 3), ...times(3, 1)])).toEqual([expect.stringMatching(/^2 of 3 ROIs that had/)]);
});

test('a start in the dark is an alarm; one with few good ROIs is not', () => {
  expect(told(times(5, 0))).toEqual([
    expect.stringMatching(/^10 of 10 ROIs are lost .* since 0 s; the brightness of a frame is 0\.0\. /),
  ]);
  expect(told(times(9, 1))).toEqual([]);
});

test('another ROI manifest begins anew, and 0 is never', () => {
  expect(told([...times(10, 10), 'second', ...times(20, 3)])).toEqual([]);
  expect(told([...times(10, 10), ...times(20, 0)], 0)).toEqual([]);
});
