import { describe, expect, it } from 'vitest';
import { exposureRange } from '../../src/cli/exposureRange.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const rangeOf = (type: string, exposure: number, most?: number) =>
  exposureRange(
    parseConfig(
      `[Camera]\ncamera_type = "${type}"\ncamera_exposure = ${exposure}\n[Timing]\ncollector_interval_seconds = 5\n`,
      'f',
    ).config,
    most,
  );

describe('the exposures that are tried', () => {
  it('are seconds of a camera of the Raspberry Pi, and no longer than there is time between two frames', () => {
    expect(rangeOf('libcamera', 0.02)).toMatchObject({ start: 0.02, least: 0.0001, most: 4 });
    // The default of other cameras: 150 s.
    expect(rangeOf('hawkeye', 150)).toMatchObject({ start: 4, most: 4 });
  });

  it('are whole tenths of a millisecond of a V4L2 camera', () => {
    const { start, least, most, round } = rangeOf('logitech', 150.4);
    expect({ start, least, most }).toEqual({ start: 150, least: 1, most: 40_000 });
    expect([round(0.2), round(7.6)]).toEqual([1, 8]);
  });

  it('are a thousandth to a thousandfold of what is set, of a camera whose unit nobody knows', () => {
    expect(rangeOf('command', 150)).toMatchObject({ start: 150, least: 0.15, most: 150_000 });
  });

  it('are no longer than somebody wants', () => {
    expect(rangeOf('libcamera', 0.02, 30)).toMatchObject({ most: 30 });
    expect(rangeOf('simulated', 150, 100)).toMatchObject({ start: 100, most: 100 });
  });
});
