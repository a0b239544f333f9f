import type { LineProblem } from './lineProblem.ts';
import { createRowData } from './rowData.ts';

/** Below this the exponential adds nothing to sums of counts. */
const negligible = 1e-24;

/**
 * Least squares of a·exp(−(x − mu)²/(2·sigma²)) + c, reduced to mu (position) and sigma (width).
 *
 * All that squares and derivatives need are fifteen sums over the row. The exponential comes by recurrence outwards from
 * the centre: g(k+1) = g(k)·q(k), q(k+1) = q(k)·exp(−1/sigma²), with an error near 4e-14.
 */
export function createGaussianProblem(): LineProblem {
  const row = createRowData();
  /**
   * Sums over the row at mu and sigma, with g = exp(−d²/2σ²), d = x − mu, y = value − mean: Σ g·dᵏ, Σ g²·dᵏ and Σ y·g·dᵏ for
   * k = 0 … 4. (In an array, since the engine makes a new object of every number that a variable of this scope is given.)
   */
  const sums = new Float64Array(15);
  let mu = 0;
  let sigma = 1;
  let amplitude = 0;
  let base = 0; // offset − mean

  function sum(atMu: number, atSigma: number): void {
    sums.fill(0);
    const inverse = 1 / (atSigma * atSigma);
    const centre = Math.min(row.length - 1, Math.max(0, Math.round(atMu)));
    const delta = centre - atMu;
    const ratio = Math.exp(-inverse);
    const top = Math.exp(-0.5 * delta * delta * inverse);
    const right = Math.exp(-(0.5 + delta) * inverse);
    const left = Math.exp(-(0.5 - delta) * inverse);
    half(centre, 1, delta, top, right, ratio);
    half(centre - 1, -1, delta - 1, top * left, left * ratio, ratio);
  }

  /** One flank: from index `from` outwards in direction `step`, where d = `d`, g = `g` and the next g is g·`q`. */
  function half(from: number, step: 1 | -1, d: number, g: number, q: number, ratio: number): void {
    let sg0 = 0;
    let sg1 = 0;
    let sg2 = 0;
    let sg3 = 0;
    let sg4 = 0;
    let sh0 = 0;
    let sh1 = 0;
    let sh2 = 0;
    let sh3 = 0;
    let sh4 = 0;
    let sy0 = 0;
    let sy1 = 0;
    let sy2 = 0;
    let sy3 = 0;
    let sy4 = 0;
    const { values, offset, length, mean, ceiling } = row;
    const end = offset + (step > 0 ? length : -1);
    for (let i = offset + from; i !== end && g > negligible; i += step) {
      const value = values[i];
      if (value < ceiling) {
        const y = value - mean;
        const gd = g * d;
        const gdd = gd * d;
        const gddd = gdd * d;
        const gdddd = gddd * d;
        sg0 += g;
        sg1 += gd;
        sg2 += gdd;
        sg3 += gddd;
        sg4 += gdddd;
        sh0 += g * g;
        sh1 += g * gd;
        sh2 += gd * gd;
        sh3 += gd * gdd;
        sh4 += gdd * gdd;
        sy0 += y * g;
        sy1 += y * gd;
        sy2 += y * gdd;
        sy3 += y * gddd;
        sy4 += y * gdddd;
      }
      g *= q;
      q *= ratio;
      d += step;
    }
    sums[0] += sg0;
    sums[1] += sg1;
    sums[2] += sg2;
    sums[3] += sg3;
    sums[4] += sg4;
    sums[5] += sh0;
    sums[6] += sh1;
    sums[7] += sh2;
    sums[8] += sh3;
    sums[9] += sh4;
    sums[10] += sy0;
    sums[11] += sy1;
    sums[12] += sy2;
    sums[13] += sy3;
    sums[14] += sy4;
  }

  /** Amplitude and base from the sums. @returns the squares */
  function solve(): number {
    const g0 = sums[0];
    const h0 = sums[5];
    const y0 = sums[10];
    const determinant = h0 * row.count - g0 * g0;
    if (!(determinant > 1e-12 * h0 * row.count)) return Number.POSITIVE_INFINITY;
    amplitude = (row.count * y0) / determinant;
    base = (-g0 * y0) / determinant;
    return Math.max(0, row.total - amplitude * y0);
  }

  /** What solving for amplitude and base takes from the product of two derivatives, given by their products with g and 1. */
  function eliminated(ag: number, a1: number, bg: number, b1: number): number {
    const { count } = row;
    const g0 = sums[0];
    const h0 = sums[5];
    return (count * ag * bg - g0 * (ag * b1 + a1 * bg) + h0 * a1 * b1) / (h0 * count - g0 * g0);
  }

  return {
    row,

    evaluate(position, width) {
      mu = position;
      sigma = width;
      sum(position, width);
      return solve();
    },

    shift(u, v) {
      // dg = g·d·m + g·d²·s.
      const m = u / sigma;
      const s = v / (sigma * sigma);
      const g1 = sums[1];
      const g2 = sums[2];
      const h1 = sums[6];
      const h2 = sums[7];
      const y1 = sums[11];
      const y2 = sums[12];
      sums[0] += g1 * m + g2 * s;
      sums[5] += 2 * (h1 * m + h2 * s);
      sums[10] += y1 * m + y2 * s;
      mu += u * sigma;
      sigma *= 1 + v;
      return solve();
    },

    expand(into) {
      // With Δmu = σ²·m and Δσ = σ³·s the model's derivatives are amplitude·g·d and amplitude·g·d². `r…`: sums of the
      // residuals times g·d…, over the amplitude. Amplitude and base are eliminated by Schur's complement.
      const g1 = sums[1];
      const g2 = sums[2];
      const g3 = sums[3];
      const g4 = sums[4];
      const h1 = sums[6];
      const h2 = sums[7];
      const h3 = sums[8];
      const h4 = sums[9];
      const y1 = sums[11];
      const y2 = sums[12];
      const y3 = sums[13];
      const y4 = sums[14];
      const variance = sigma * sigma;
      const r1 = (y1 - amplitude * h1 - base * g1) / amplitude;
      const r2 = (y2 - amplitude * h2 - base * g2) / amplitude;
      const r3 = (y3 - amplitude * h3 - base * g3) / amplitude;
      const r4 = (y4 - amplitude * h4 - base * g4) / amplitude;
      let mm = h2 - r2 - eliminated(h1 - r1, g1, h1 - r1, g1);
      let ms = h3 - r3 + 2 * variance * r1 - eliminated(h1 - r1, g1, h2 - r2, g2);
      let ss = h4 - r4 + 3 * variance * r2 - eliminated(h2 - r2, g2, h2 - r2, g2);
      if (!(mm > 0 && ss > 0 && mm * ss - ms * ms > 1e-3 * mm * ss)) {
        mm = h2 - eliminated(h1, g1, h1, g1);
        ms = h3 - eliminated(h1, g1, h2, g2);
        ss = h4 - eliminated(h2, g2, h2, g2);
      }
      const power = amplitude * amplitude;
      into[0] = (power * mm) / variance;
      into[1] = (power * ms) / (variance * sigma);
      into[2] = (power * ss) / (variance * variance);
      into[3] = (power * r1) / sigma;
      into[4] = (power * r2) / variance;
    },

    isDip: () => amplitude < 0,

    write(out) {
      out[0] = amplitude;
      out[1] = mu;
      out[2] = sigma;
      out[3] = base + row.mean;
    },
  };
}
