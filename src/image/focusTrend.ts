/** Where the sharpness goes as somebody turns the focus. */
export interface Focus {
  /** The highest so far. */
  best: number;
  /** The last five frames against the five before them, beyond what frames differ by themselves. */
  trend: 'better' | 'worse' | 'steady';
  /** The last ones, oldest first. */
  history: readonly number[];
}

const kept = 60;
const span = 5;
/** A change of less than this share is none, nor one of less than so many of its own standard errors. */
const noticeable = { share: 0.01, errors: 3 };

/** Follows the sharpness from frame to frame. */
export class FocusTrend {
  readonly #history: number[] = [];
  #best = Number.NEGATIVE_INFINITY;

  add(sharpness: number): Focus {
    this.#history.push(sharpness);
    if (this.#history.length > kept) this.#history.shift();
    this.#best = Math.max(this.#best, sharpness);
    return { best: this.#best, trend: trendOf(this.#history), history: [...this.#history] };
  }
}

function trendOf(history: readonly number[]): Focus['trend'] {
  if (history.length < 2 * span) return 'steady';
  const before = history.slice(-2 * span, -span);
  const now = history.slice(-span);
  const change = mean(now) - mean(before);
  const error = Math.sqrt((jitter(before) + jitter(now)) / span);
  const least = Math.max(noticeable.share * Math.abs(mean(before)), noticeable.errors * error);
  if (Math.abs(change) <= least) return 'steady';
  return change > 0 ? 'better' : 'worse';
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Variance of frames by themselves: from each frame to the next, so that what changes steadily is not taken for it. */
function jitter(values: readonly number[]): number {
  const steps = values.slice(1).map((value, i) => value - (values[i] as number));
  const middle = mean(steps);
  return mean(steps.map(step => (step - middle) ** 2)) / 2;
}
