import type { LineProblem } from './lineProblem.ts';
import { createRowData } from './rowData.ts';

/**
 * Least squares of the Fano line amplitude·(q·gamma + d)²/(gamma² + d²) + offset, d = x − resonance, reduced to resonance
 * (position) and gamma (width).
 *
 * With t = d/gamma, L = 1/(1 + t²) and D = t·L the line is c0 + c1·L + c2·D, where c1 = amplitude·(q² − 1),
 * c2 = 2·amplitude·q and c0 = amplitude + offset. Since t² = 1/L − 1, every product that squares and derivatives need is
 * one of Lⁿ and D·Lⁿ: fourteen sums over the row, with one division a pixel.
 */
export function createFanoProblem(): LineProblem {
  const row = createRowData();
  /**
   * Sums over the row at resonance and gamma, with t = (x − resonance)/gamma, L = 1/(1 + t²), D = t·L, y = value − mean: of L,
   * L², L³, L⁴, D, D·L, D·L², D·L³, y·L, y·D, y·L², y·D·L, y·L³, y·D·L². (In an array, since the engine makes a new object of
   * every number that a variable of this scope is given.)
   */
  const sums = new Float64Array(14);

  let resonance = 0;
  let gamma = 1;
  let c0 = 0; // less the mean
  let c1 = 0;
  let c2 = 0;
  // Products of L and D less their means.
  let cLL = 0;
  let cLD = 0;
  let cDD = 0;

  function sum(atResonance: number, atGamma: number): void {
    let sa1 = 0;
    let sa2 = 0;
    let sa3 = 0;
    let sa4 = 0;
    let sb0 = 0;
    let sb1 = 0;
    let sb2 = 0;
    let sb3 = 0;
    let sL = 0;
    let sD = 0;
    let sL2 = 0;
    let sDL = 0;
    let sL3 = 0;
    let sDL2 = 0;
    const { values, offset, length, mean, ceiling } = row;
    const step = 1 / atGamma;
    let t = -atResonance * step;
    for (let i = offset; i < offset + length; i++, t += step) {
      const value = values[i];
      if (!(value < ceiling)) continue;
      const y = value - mean;
      const l = 1 / (1 + t * t);
      const d = t * l;
      const l2 = l * l;
      const dl = d * l;
      const l3 = l2 * l;
      const dl2 = dl * l;
      sa1 += l;
      sa2 += l2;
      sa3 += l3;
      sa4 += l2 * l2;
      sb0 += d;
      sb1 += dl;
      sb2 += dl2;
      sb3 += dl * l2;
      sL += y * l;
      sD += y * d;
      sL2 += y * l2;
      sDL += y * dl;
      sL3 += y * l3;
      sDL2 += y * dl2;
    }
    sums[0] = sa1;
    sums[1] = sa2;
    sums[2] = sa3;
    sums[3] = sa4;
    sums[4] = sb0;
    sums[5] = sb1;
    sums[6] = sb2;
    sums[7] = sb3;
    sums[8] = sL;
    sums[9] = sD;
    sums[10] = sL2;
    sums[11] = sDL;
    sums[12] = sL3;
    sums[13] = sDL2;
  }

  /** The linear parameters from the sums. @returns the squares */
  function solve(): number {
    const a1 = sums[0];
    const a2 = sums[1];
    const b0 = sums[4];
    const b1 = sums[5];
    const yL = sums[8];
    const yD = sums[9];
    const { count } = row;
    cLL = a2 - (a1 * a1) / count;
    cLD = b1 - (a1 * b0) / count;
    cDD = a1 - a2 - (b0 * b0) / count;
    const determinant = cLL * cDD - cLD * cLD;
    if (!(determinant > 1e-12 * cLL * cDD)) return Number.POSITIVE_INFINITY;
    c1 = (cDD * yL - cLD * yD) / determinant;
    c2 = (cLL * yD - cLD * yL) / determinant;
    c0 = -(c1 * a1 + c2 * b0) / count;
    return Math.max(0, row.total - c1 * yL - c2 * yD);
  }

  /** What solving for c1 and c2 takes from the product of two derivatives, given by their products with L and D. */
  function eliminated(l1: number, d1: number, l2: number, d2: number): number {
    return (cDD * l1 * l2 - cLD * (l1 * d2 + d1 * l2) + cLL * d1 * d2) / (cLL * cDD - cLD * cLD);
  }

  return {
    row,

    evaluate(position, width) {
      resonance = position;
      gamma = width;
      sum(position, width);
      return solve();
    },

    shift(u, v) {
      // dL = 2·D·L·u + 2·(L − L²)·v and dD = (L − 2·L²)·u + (D − 2·D·L)·v.
      const a1 = sums[0];
      const a2 = sums[1];
      const a3 = sums[2];
      const b0 = sums[4];
      const b1 = sums[5];
      const b2 = sums[6];
      const yL = sums[8];
      const yD = sums[9];
      const yL2 = sums[10];
      const yDL = sums[11];
      const dL = 2 * b1 * u + 2 * (a1 - a2) * v;
      const dD = (a1 - 2 * a2) * u + (b0 - 2 * b1) * v;
      const dLL = 4 * b2 * u + 4 * (a2 - a3) * v;
      const dDL = (3 * a2 - 4 * a3) * u + (3 * b1 - 4 * b2) * v;
      const dyL = 2 * yDL * u + 2 * (yL - yL2) * v;
      const dyD = (yL - 2 * yL2) * u + (yD - 2 * yDL) * v;
      sums[0] += dL;
      sums[4] += dD;
      sums[1] += dLL;
      sums[5] += dDL;
      sums[8] += dyL;
      sums[9] += dyD;
      resonance += u * gamma;
      gamma *= 1 + v;
      return solve();
    },

    expand(into) {
      const { count } = row;
      const a1 = sums[0];
      const a2 = sums[1];
      const a3 = sums[2];
      const a4 = sums[3];
      const b0 = sums[4];
      const b1 = sums[5];
      const b2 = sums[6];
      const b3 = sums[7];
      const yL2 = sums[10];
      const yDL = sums[11];
      const yL3 = sums[12];
      const yDL2 = sums[13];
      // Residuals times L², D·L, L³, D·L² (they are orthogonal to 1, L and D).
      const rL2 = yL2 - c0 * a2 - c1 * a3 - c2 * b2;
      const rDL = yDL - c0 * b1 - c1 * b2 - c2 * (a2 - a3);
      const rL3 = yL3 - c0 * a3 - c1 * a4 - c2 * b3;
      const rDL2 = yDL2 - c0 * b2 - c1 * b3 - c2 * (a3 - a4);
      // Products of the basis functions, less their means (which is what eliminating c0 comes to).
      const gLL2 = a3 - (a1 * a2) / count;
      const gLDL = b2 - (a1 * b1) / count;
      const gDL2 = b2 - (b0 * a2) / count;
      const gDDL = a2 - a3 - (b0 * b1) / count;
      const gL2L2 = a4 - (a2 * a2) / count;
      const gL2DL = b3 - (a2 * b1) / count;
      const gDLDL = a3 - a4 - (b1 * b1) / count;
      // M = dm/dt and T = t·dm/dt of the line m, with dL/dt = −2·D·L and dD/dt = 2·L² − L; each times the basis, then with
      // each other.
      const lM = -2 * c1 * gLDL + 2 * c2 * gLL2 - c2 * cLL;
      const dM = -2 * c1 * gDDL + 2 * c2 * gDL2 - c2 * cLD;
      const l2M = -2 * c1 * gL2DL + 2 * c2 * gL2L2 - c2 * gLL2;
      const dlM = -2 * c1 * gDLDL + 2 * c2 * gL2DL - c2 * gLDL;
      const lT = 2 * c1 * gLL2 - 2 * c1 * cLL + 2 * c2 * gLDL - c2 * cLD;
      const dT = 2 * c1 * gDL2 - 2 * c1 * cLD + 2 * c2 * gDDL - c2 * cDD;
      const l2T = 2 * c1 * gL2L2 - 2 * c1 * gLL2 + 2 * c2 * gL2DL - c2 * gDL2;
      const dlT = 2 * c1 * gL2DL - 2 * c1 * gLDL + 2 * c2 * gDLDL - c2 * gDDL;
      const mm = -2 * c1 * dlM + 2 * c2 * l2M - c2 * lM;
      const mt = -2 * c1 * dlT + 2 * c2 * l2T - c2 * lT;
      const tt = 2 * c1 * l2T - 2 * c1 * lT + 2 * c2 * dlT - c2 * dT;
      // Residuals times first and second derivatives: m'' = c1·(6·L² − 8·L³) + c2·(2·D·L − 8·D·L²).
      const rM = -2 * c1 * rDL + 2 * c2 * rL2;
      const rT = 2 * c1 * rL2 + 2 * c2 * rDL;
      const rMM = c1 * (6 * rL2 - 8 * rL3) + c2 * (2 * rDL - 8 * rDL2);
      const rMT = c1 * (6 * rDL - 8 * rDL2) + c2 * (8 * rL3 - 10 * rL2);
      const rTT = c1 * (8 * rL3 - 14 * rL2) + c2 * (8 * rDL2 - 10 * rDL);
      // Mixed derivatives with c1 and c2.
      const v1l = -lM - 2 * rDL;
      const v1d = -dM + 2 * rL2;
      const v2l = -lT + 2 * rL2;
      const v2d = -dT + 2 * rDL;
      let uu = mm - rMM - eliminated(v1l, v1d, v1l, v1d);
      let uv = mt - rMT - rM - eliminated(v1l, v1d, v2l, v2d);
      let vv = tt - rTT - 2 * rT - eliminated(v2l, v2d, v2l, v2d);
      if (!(uu > 0 && vv > 0 && uu * vv - uv * uv > 1e-3 * uu * vv)) {
        uu = mm - eliminated(lM, dM, lM, dM);
        uv = mt - eliminated(lM, dM, lT, dT);
        vv = tt - eliminated(lT, dT, lT, dT);
      }
      into[0] = uu;
      into[1] = uv;
      into[2] = vv;
      into[3] = -rM;
      into[4] = -rT;
    },

    isDip: () => c1 < 0,

    write(out) {
      // Two pairs of amplitude and q give the same curve (their q multiply to −1). This is the one with |q| ≤ 1, which
      // the Python system's fits end at: a peak has a negative amplitude.
      const size = Math.hypot(c1, c2);
      const amplitude = c1 > 0 ? -(c1 + size) / 2 : (size - c1) / 2;
      out[0] = amplitude;
      out[1] = amplitude === 0 ? 0 : c2 / (2 * amplitude);
      out[2] = resonance;
      out[3] = gamma;
      out[4] = c0 + row.mean - amplitude;
    },
  };
}
