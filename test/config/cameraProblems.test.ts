import { expect, it } from 'vitest';
import { cameraProblems } from '../../src/config/cameraProblems.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const doubtOf = (type: string, exposure: number, discarded = 5): string | undefined => {
  const text = `[Services]\nenable_camera = true\n[Camera]\ncamera_type = "${type}"\ncamera_exposure = ${exposure}\ncamera_discard_frames = ${discarded}\n[Timing]\ncollector_interval_seconds = 5\n`;
  return cameraProblems(parseConfig(text, 'f').config)[0]?.message;
};

it('an exposure is held against the interval in the unit of its camera, with the frames that are thrown away', () => {
  expect(doubtOf('logitech', 8_000)).toBeUndefined();
  expect(doubtOf('logitech', 10_000)).toMatch(
    /10000, which is 1 s for this kind of camera \(it counts in 0\.0001 s\); 6 frames of it .* take 6 s, and one is due every 5 s/,
  );
  expect(doubtOf('logitech', 10_000, 1)).toBeUndefined();
  expect(doubtOf('tis', 15_000)).toBeUndefined();
  expect(doubtOf('tis', 1_000_000)).toMatch(/which is 1 s .*\(it counts in 0\.000001 s\)/);
  expect(doubtOf('gstreamer', 1e9)).toBeUndefined();
});
