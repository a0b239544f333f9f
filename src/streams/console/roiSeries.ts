import type { RoiHistory, RoiSample } from '../../model/roiHistory.ts';
import type { ResultSample } from './resultSample.ts';

/** Shortest time that matters in a chart, ms. */
const finestMs = 1_000;

/**
 * Gathers samples of results, in whatever order they are read, to the bounded history that charts show. Pure memory.
 *
 * Where there are too many, the one goes that is missed least: half of the samples lie evenly over the whole run, the others
 * the denser the more recent (evenly over the logarithm of their age), so that a chart of any length has some.
 */
export class RoiSeries {
  readonly #most: number;
  readonly #indexOf = new Map<string, number>();
  #labels: readonly string[] = [];
  #baseline = new Float64Array();
  /** When the result was taken that a ROI's baseline is from; −∞ for the first of the run. */
  #baselineAt: number[] = [];
  #samples: RoiSample[] = [];

  /** @param most samples that are kept; at least 3. */
  constructor(most: number) {
    this.#most = most;
  }

  get labels(): readonly string[] {
    return this.#labels;
  }

  /** Whether every ROI seen so far has its baseline from the first results of the run. */
  get hasBaseline(): boolean {
    return this.#labels.length > 0 && this.#baselineAt.every(at => at === Number.NEGATIVE_INFINITY);
  }

  /** The next of the first results of the run: it gives a baseline to each ROI that has none from an earlier one. */
  addFirst(sample: ResultSample): void {
    this.#takeBaseline(sample, Number.NEGATIVE_INFINITY);
    this.add(sample);
  }

  add(sample: ResultSample): void {
    this.#takeBaseline(sample, sample.at);
    const positions = this.#inOrder(sample);
    const { at, temperatures } = sample;
    let place = this.#samples.length;
    while (place > 0 && this.#samples[place - 1].at > at) place--;
    if (place > 0 && this.#samples[place - 1].at === at) this.#samples[place - 1] = { at, positions, temperatures };
    else this.#samples.splice(place, 0, { at, positions, temperatures });
    if (this.#samples.length > this.#most) this.#samples.splice(leastMissed(this.#samples), 1);
  }

  /** The history as it is now; later samples do not change it. */
  history(): RoiHistory {
    return { labels: this.#labels, baseline: this.#baseline.slice(), samples: this.#samples.slice() };
  }

  #takeBaseline({ labels, positions }: ResultSample, at: number): void {
    this.#admit(labels);
    for (let i = 0; i < labels.length; i++) {
      const roi = this.#indexOf.get(labels[i])!;
      if (Number.isNaN(positions[i]) || this.#baselineAt[roi] <= at) continue;
      this.#baseline[roi] = positions[i];
      this.#baselineAt[roi] = at;
    }
  }

  /** ROIs that were not there before: the ROI manifest was changed. */
  #admit(labels: readonly string[]): void {
    const news = labels.filter(label => !this.#indexOf.has(label));
    if (news.length === 0) return;
    this.#labels = [...this.#labels, ...new Set(news)];
    for (const [index, label] of this.#labels.entries()) this.#indexOf.set(label, index);
    const longer = (values: Float64Array): Float64Array<ArrayBuffer> => {
      const all = new Float64Array(this.#labels.length).fill(Number.NaN);
      all.set(values);
      return all;
    };
    this.#baseline = longer(this.#baseline);
    while (this.#baselineAt.length < this.#labels.length) this.#baselineAt.push(Number.POSITIVE_INFINITY);
    this.#samples = this.#samples.map(sample => ({ ...sample, positions: longer(sample.positions) }));
  }

  #inOrder({ labels, positions }: ResultSample): Float64Array {
    const same = labels.length === this.#labels.length && labels.every((label, i) => label === this.#labels[i]);
    if (same) return positions;
    const ordered = new Float64Array(this.#labels.length).fill(Number.NaN);
    for (let i = 0; i < labels.length; i++) ordered[this.#indexOf.get(labels[i])!] = positions[i];
    return ordered;
  }
}

/** Place of the sample that leaves the least gap, measured in what the gap there should be. Never the first or last. */
function leastMissed(samples: readonly RoiSample[]): number {
  const newest = samples.at(-1)!.at;
  const span = Math.max(finestMs, newest - samples[0].at);
  const logSpan = Math.log1p(span / finestMs);
  let least = Number.POSITIVE_INFINITY;
  let place = 1;
  for (let i = 1; i < samples.length - 1; i++) {
    const gap = samples[i + 1].at - samples[i - 1].at;
    const age = newest - samples[i].at + finestMs;
    const missed = gap * (1 / span + 1 / (age * logSpan));
    if (missed >= least) continue;
    least = missed;
    place = i;
  }
  return place;
}
