/** How bright the gratings are in a frame. */
export interface ExposureView {
  /** Of the brightest grating, counts. */
  level: number;
  /** Count that no pixel can exceed: known of 8 bits, else seen in a saturated frame; Infinity while nobody knows it. */
  clip: number;
  /** What `clip` may be while nobody knows it: the lowest full scale that no pixel exceeds. */
  fullScale: number;
  /** Share of the gratings' pixels that are saturated, 0 to 1. */
  saturated: number;
}

/** One frame of a search. */
export interface ExposureStep extends ExposureView {
  exposure: number;
}

export interface ExposureSearchOptions {
  /** Exposures are in the camera's own unit. */
  start: number;
  least: number;
  most: number;
  /** Share of the full scale that the brightest grating is to reach, between 0 and 1. */
  target: number;
  /** At most so many frames. */
  maxFrames: number;
  /** An exposure that the camera has, near the one given: whole numbers, or few digits. */
  round: (exposure: number) => number;
  onStep?: (step: ExposureStep) => void;
}

/**
 * `found`: the brightest grating is within 5 % of the target. `near`: the frames are used up, or the camera has no exposure between two of
 * them; the best one that is not saturated. `too dark`, `too bright`: also at the end of what the camera may. `no reaction`: another
 * exposure gives the same picture.
 */
export interface ExposureFound {
  verdict: 'found' | 'near' | 'too dark' | 'too bright' | 'no reaction';
  /** The frame that the verdict is about. */
  best: ExposureStep;
  /** Count that the shares are of. */
  fullScale: number;
  /** Whether a frame has shown the full scale, or it is 8 bits'. */
  isScaleSure: boolean;
  frames: number;
}

/** The level may be so far from the target, share of the full scale. */
const tolerance = 0.05;
/** So many of the gratings' pixels may be saturated: hot ones are. */
const maxSaturated = 0.001;
/** The exposure changes at most by this factor from one frame to the next. */
const maxFactor = 8;

/**
 * Searches the exposure at which the brightest grating stays just below saturation. A sensor is linear up to there, so that two frames
 * mostly say where it is; saturated ones only say that it is lower. Of a camera whose full scale nobody knows (12 bits in 16), a saturated frame
 * is sought first.
 *
 * @param measure takes a frame with this exposure; its errors are the search's
 */
export async function searchExposure(
  measure: (exposure: number) => Promise<ExposureView>,
  { start, least, most, target, maxFrames, round, onStep }: ExposureSearchOptions,
): Promise<ExposureFound> {
  const steps: ExposureStep[] = [];
  const within = (exposure: number): number => Math.min(most, Math.max(least, round(exposure)));
  let clip = Number.POSITIVE_INFINITY;

  const scale = (): number => (clip < Number.POSITIVE_INFINITY ? clip : Math.max(...steps.map(step => step.fullScale)));
  const isOver = ({ saturated, level }: ExposureStep): boolean => saturated > maxSaturated || level >= 0.98 * clip;
  const error = ({ level }: ExposureStep): number => Math.abs(level / scale() - target);
  const ended = (verdict: ExposureFound['verdict'], best: ExposureStep): ExposureFound => ({
    verdict,
    best,
    fullScale: scale(),
    isScaleSure: clip < Number.POSITIVE_INFINITY,
    frames: steps.length,
  });
  /** Those that tell how bright the light is, darkest first. */
  const linear = (): ExposureStep[] => steps.filter(step => !isOver(step)).sort((a, b) => a.exposure - b.exposure);
  const wanted = (): number => (clip < Number.POSITIVE_INFINITY ? target * clip : 1.4 * scale());

  for (let exposure = within(start); ; ) {
    const step = { exposure, ...(await measure(exposure)) };
    steps.push(step);
    clip = Math.min(clip, step.clip);
    onStep?.(step);
    if (clip < Number.POSITIVE_INFINITY) {
      const good = linear().find(each => error(each) <= tolerance);
      if (good) return ended('found', good);
    }
    const best = linear().sort((a, b) => error(a) - error(b))[0];
    if (isDeaf(linear())) return ended('no reaction', step);
    const next = within(nextExposure(linear(), steps.filter(isOver), wanted()) ?? exposure / maxFactor);
    const isTried = steps.some(each => each.exposure === next);
    if (steps.length < maxFrames && !isTried) {
      exposure = next;
      continue;
    }
    if (!best)
      return ended(
        'too bright',
        steps.reduce((a, b) => (a.exposure < b.exposure ? a : b)),
      );
    if (error(best) <= tolerance) return ended('found', best);
    const isLowest = best.exposure >= most && best.level < target * scale();
    return ended(
      isLowest ? 'too dark' : best.exposure <= least && best.level > target * scale() ? 'too bright' : 'near',
      best,
    );
  }
}

/** Whether twice the exposure and more gives the same picture. */
function isDeaf(linear: readonly ExposureStep[]): boolean {
  const [darkest, brightest] = [linear[0], linear.at(-1)];
  if (!darkest || !brightest || brightest.exposure < 2 * darkest.exposure) return false;
  return brightest.level > 8 && brightest.level < 1.1 * darkest.level;
}

/** Null where no frame tells how bright the light is. */
function nextExposure(linear: readonly ExposureStep[], over: readonly ExposureStep[], wanted: number): number | null {
  const [nearest, other] = linear
    .toSorted((a, b) => Math.abs(a.level - wanted) - Math.abs(b.level - wanted))
    .filter((step, i, all) => i === 0 || step.exposure !== all[0]?.exposure);
  if (!nearest) return null;
  const slope = other
    ? (nearest.level - other.level) / (nearest.exposure - other.exposure)
    : nearest.level / nearest.exposure;
  // A black frame tells only that there must be more light.
  const straight = slope > 0 ? nearest.exposure + (wanted - nearest.level) / slope : nearest.exposure * maxFactor;
  const bound = Math.min(...over.map(step => step.exposure));
  const next = Math.min(nearest.exposure * maxFactor, Math.max(nearest.exposure / maxFactor, straight));
  return next < bound ? next : Math.sqrt(nearest.exposure * bound);
}
