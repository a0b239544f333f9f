import type { Config } from '../config/schema.ts';
import type { ExposureSearchOptions } from '../image/searchExposure.ts';

export type ExposureRange = Pick<ExposureSearchOptions, 'start' | 'least' | 'most' | 'round'>;

/** Share of the time between two frames that an exposure may take: the rest is for reading it out. */
const exposedShare = 0.8;
/** Of a camera whose unit nobody knows: so many times more or less than what is set. */
const reach = 1000;
/** `camera_exposure` of V4L2 cameras, s. */
const v4l2Unit = 1e-4;

const threeDigits = (exposure: number): number => Number(exposure.toPrecision(3));

/**
 * Which exposures are tried, in the unit of the camera: none that the pipeline has no time for, where the unit is known.
 * @param most what somebody has set as the longest; undefined: nobody has
 */
export function exposureRange({ Camera, Timing }: Pick<Config, 'Camera' | 'Timing'>, most?: number): ExposureRange {
  const { camera_type: type, camera_exposure: set } = Camera;
  const longestSeconds = exposedShare * Timing.collector_interval_seconds;
  const bounded = (least: number, usual: number, round: ExposureRange['round']): ExposureRange => {
    const longest = Math.max(least, round(most ?? usual));
    return { start: Math.min(longest, Math.max(least, round(set))), least, most: longest, round };
  };
  switch (type) {
    case 'libcamera':
    case 'hawkeye':
      return bounded(0.0001, longestSeconds, threeDigits);
    case 'logitech':
    case 'argus':
      return bounded(1, longestSeconds / v4l2Unit, exposure => Math.max(1, Math.round(exposure)));
    default:
      return bounded(threeDigits(set / reach), set * reach, threeDigits);
  }
}
