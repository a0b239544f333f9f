import { createGaussian } from './gaussian.ts';
import { quantile } from './quantile.ts';
import type { RowMethod } from './rowMethod.ts';

/** Half widths between the line's extremum and the border from which on both flanks tell enough. */
const reach = 1.5;
/** Half widths over which the demand on the asymmetry rises from nothing, at `reach`, to its full size. */
const rise = 0.9;
/**
 * Full demand: mean over the rows of ln(squares of the symmetric fit / squares of the Fano fit). Symmetric lines stay
 * below 0.048 in simulation (the reference's noise, σ 20 to 30 px) and below 0.051 on the reference's edge frame, by which
 * it was chosen. The price: simulated Fano lines (|q| 3 to 6, γ 18 to 26 px) nearer than 20 px to a border are 3 to 4 px
 * off (r.m.s. of ROI medians) instead of 1.5, since some pass for symmetric; from 25 px on nothing changes for them.
 */
const demand = 0.055;

/**
 * Fano fits of lines that the ROI's border cuts off.
 *
 * What tells a line's asymmetry is the comparison of its flanks. Where the outer one is missing, a Fano shape fits a
 * symmetric line as well as any, but with its resonance half a line width inside (14 px on the reference's edge frame).
 * So when the fitted extremum is that near to a border, the rows are fitted with a Gaussian too; and when over the whole
 * ROI that is hardly worse, the asymmetry is not established, and the rows become the symmetric Fano line of the same
 * height, centre and half width: assymetry 0. A line that is seen to be asymmetric keeps its fit.
 */
export function createSymmetricRevision(): NonNullable<RowMethod['revise']> {
  const gaussian = createGaussian();
  const fit = new Float64Array(gaussian.parameters.length);
  const halfWidthOfSigma = Math.sqrt(2 * Math.LN2);

  return (values, length, ceiling, { parameters, rejections }) => {
    const used = parameters.filter((_, row) => rejections[row] === null);
    if (used.length === 0) return;
    const extremum = median(used.map(([, assymetry, resonance, gamma]) => resonance - assymetry * gamma));
    const halfWidth = median(used.map(([, , , gamma]) => gamma));
    const distance = Math.min(extremum, length - 1 - extremum) / halfWidth;
    if (distance > reach) return;

    const symmetric: (Float64Array | null)[] = [];
    let logRatio = 0;
    let compared = 0;
    for (let row = 0; row < parameters.length; row++) {
      const fitted = gaussian.fitRow(values, row * length, length, ceiling, fit) === null;
      if (fitted && rejections[row] === null) {
        logRatio += 2 * Math.log(Math.max(fit[4], Number.MIN_VALUE) / Math.max(parameters[row][5], Number.MIN_VALUE));
        compared++;
      }
      symmetric.push(fitted ? fit.slice() : null);
    }
    const needed = demand * Math.min(1, (reach - distance) / rise);
    if (compared === 0 || logRatio / compared > needed) return;

    symmetric.forEach((row, index) => {
      if (row === null) {
        rejections[index] ??= 'no_convergence';
        return;
      }
      const [amplitude, mu, sigma, offset, error] = row;
      parameters[index].set([-amplitude, 0, mu, sigma * halfWidthOfSigma, offset + amplitude, error]);
      rejections[index] = null;
    });
  };
}

const median = (values: number[]): number => quantile(Float64Array.from(values).sort(), 0.5);
