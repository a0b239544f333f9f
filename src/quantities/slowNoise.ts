import type { AllanPoint } from './allan.ts';

/** An octave counts from so many independent differences on. */
const independent = 4;
/** So much more noise than the neighbours of a fit tell is surely slow. */
const sure = 1.7;
/** What the estimate lacks, on average over white noise, 1/f noise and random walks. */
const margin = 1.1;

/**
 * By how much the error of a slope is larger than the correlation of neighbours tells: noise that wanders slowly (1/f, a random walk) is hardly seen in
 * neighbours, and most of what bends a line. The longest averages that are known (Allan) tell how far they are from what the error says of
 * them, and how that goes on to half of the run; what the slope itself makes of them is taken out as far as it is sure.
 *
 * @param slope px a frame, and its error from neighbours
 * @param frames of the fit
 */
export function slowNoise(allan: readonly AllanPoint[], slope: number, sigma: number, frames: number): number {
  const longest = allan.findLastIndex(({ frames: of, differences }) => differences >= independent * Math.min(4, of));
  if (longest < 3 || !(sigma > 0)) return 1;
  const first = factorOf(allan, longest, slope, sigma, frames);
  if (first === 1) return 1;
  const rest = Math.sqrt(Math.max(0, slope ** 2 - (first * sigma) ** 2));
  return margin * factorOf(allan, longest, rest, sigma, frames);
}

function factorOf(allan: readonly AllanPoint[], longest: number, slope: number, sigma: number, frames: number): number {
  const varianceAt = (octave: number): number => {
    const { deviation, frames: of } = allan[octave]!;
    return Math.max(deviation ** 2 - (slope * of) ** 2 / 2, deviation ** 2 / 10);
  };
  const { frames: averaged } = allan[longest]!;
  // Of white noise of variance V a slope has the variance 12 V / n³, and an average V / m.
  const told = (sigma ** 2 * frames ** 3) / 12 / averaged;
  const ratio = varianceAt(longest) / told;
  if (!(ratio > sure)) return 1;
  // From white noise (-1) to a random walk (1).
  const grows = Math.min(1, Math.max(-1, Math.log2(varianceAt(longest) / varianceAt(longest - 2)) / 2));
  const further = Math.max(1, frames / 2 / averaged);
  return Math.sqrt(ratio * further ** (grows + 1));
}
