/** Block letters, 5 by 7 cells: row by row from the top, the leftmost cell is the highest of 5 bits. */
const glyphs: Readonly<Record<string, readonly number[]>> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 2, 4, 8, 31],
  '3': [31, 2, 4, 2, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 14],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
};

export const glyphWidth = 5;
export const glyphHeight = 7;

/** Runs of lit cells of a text, in cells from its top left corner; characters stand one cell apart. */
export function glyphRuns(text: string): { x: number; y: number; length: number }[] {
  const runs: { x: number; y: number; length: number }[] = [];
  [...text].forEach((character, index) => {
    const rows = glyphs[character];
    if (!rows) throw new RangeError(`no glyph for ${JSON.stringify(character)}`);
    rows.forEach((bits, y) => {
      for (let x = 0; x < glyphWidth; x++) {
        if (!isLit(bits, x) || isLit(bits, x - 1)) continue;
        let length = 1;
        while (isLit(bits, x + length)) length++;
        runs.push({ x: index * (glyphWidth + 1) + x, y, length });
      }
    });
  });
  return runs;
}

const isLit = (bits: number, x: number): boolean =>
  x >= 0 && x < glyphWidth && ((bits >> (glyphWidth - 1 - x)) & 1) === 1;
