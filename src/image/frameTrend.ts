import type { MeasuredFrame } from './measureFrame.ts';

/** The course of one figure from frame to frame. */
export interface Course {
  /** The highest so far. */
  best: number;
  /** The last five frames against the five before them, beyond what frames differ by themselves. */
  trend: 'rising' | 'falling' | 'steady';
  /** The last ones, oldest first. */
  history: readonly number[];
}

const kept = 60;
const span = 5;
/** A change of less than this share is none, nor one of less than so many of its own standard errors. */
const noticeable = { share: 0.01, errors: 3 };

/** Follows a figure from frame to frame. */
export class Trend {
  readonly #history: number[] = [];
  #best = Number.NEGATIVE_INFINITY;

  add(value: number): Course {
    this.#history.push(value);
    if (this.#history.length > kept) this.#history.shift();
    this.#best = Math.max(this.#best, value);
    return { best: this.#best, trend: trendOf(this.#history), history: [...this.#history] };
  }
}

/** Where the figures of a frame go, as somebody turns the focus or the light. */
export interface FrameTrend {
  sharpness: Course;
  brightness: Course;
  saturated: Course;
}

/** Follows the figures from frame to frame. @returns what takes each next frame */
export function frameTrend(): (frame: MeasuredFrame) => FrameTrend {
  const [sharpness, brightness, saturated] = [new Trend(), new Trend(), new Trend()];
  return frame => ({
    sharpness: sharpness.add(frame.sharpness),
    brightness: brightness.add(frame.reduced.brightness),
    saturated: saturated.add(frame.reduced.saturated),
  });
}

function trendOf(history: readonly number[]): Course['trend'] {
  if (history.length < 2 * span) return 'steady';
  const before = history.slice(-2 * span, -span);
  const now = history.slice(-span);
  const change = mean(now) - mean(before);
  const error = Math.sqrt((jitter(before) + jitter(now)) / span);
  const least = Math.max(noticeable.share * Math.abs(mean(before)), noticeable.errors * error);
  if (Math.abs(change) <= least) return 'steady';
  return change > 0 ? 'rising' : 'falling';
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Variance of frames by themselves: from each frame to the next, so that what changes steadily is not taken for it. */
function jitter(values: readonly number[]): number {
  const steps = values.slice(1).map((value, i) => value - (values[i] as number));
  const middle = mean(steps);
  return mean(steps.map(step => (step - middle) ** 2)) / 2;
}
