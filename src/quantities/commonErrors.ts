import type { Plateau } from './plateau.ts';

/** A scatter of less than half of the ROI's own error, also of few values, is not that of its own error. */
const mostDoubt = 0.75;
/** Own errors that are so many times as large, squared, as on the quietest level: the line lies on another part of the pattern. */
const grown = 4;

/** Values of a level: their own standard errors, px (those that are not above 0 are unknown), and what they are together. */
export interface LevelValues {
  sigmas: ArrayLike<number>;
  level: Plateau;
  /** Error of the level that is known already, px: noise in it that is slower than the level lasts is in their own errors too. */
  known: number;
}

/**
 * Errors of levels that no averaging makes smaller, px: what is in common to all values of a level. It is what a ROI's own standard errors have in
 * them beside its scatter, where that is sure, also where few values tell the scatter.
 *
 * Where they are much larger on one level than on the quietest, that is the pattern of the chip under the line, which does not change from
 * frame to frame (the reference has it only where the line was then): it counts unless the scatter surely is as large.
 */
export function commonErrors(levels: readonly LevelValues[]): number[] {
  const own = levels.map(({ sigmas }) => meanSquare(sigmas));
  const quiet = Math.min(...own.filter(square => square > 0));
  return levels.map(({ level: { scatter, count }, known }, i) => {
    const square = own[i]!;
    const error = Math.sqrt(2 / count);
    if (square > grown * quiet) {
      return Math.sqrt(Math.max(0, square - quiet - known ** 2 - scatter ** 2 * Math.max(0, 1 - 2 * error)));
    }
    const rest = square - known ** 2 - scatter ** 2;
    return rest > Math.min(3 * error, mostDoubt) * square ? Math.sqrt(rest) : 0;
  });
}

/** NaN without any. */
function meanSquare(sigmas: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < sigmas.length; i++) {
    if (!(sigmas[i]! > 0)) continue;
    sum += sigmas[i]! ** 2;
    count++;
  }
  return sum / count;
}
