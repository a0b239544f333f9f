import type { GreyPicture } from '../../model/framePicture.ts';
import { markColours } from './markColours.ts';

/** Greys are told from each other no finer: each one more is bytes on the line. */
const maxGreys = 32;

/**
 * A picture as DEC sixels, drawn from the cursor on: columns of six pixels, band by band, for each band one grey after another.
 * @param registers colours that the terminal has
 */
export function sixel({ width, height, grey, marks }: GreyPicture, registers: number): string {
  // With few colours what is drawn over the picture is white.
  const hasColours = marks !== undefined && registers >= 4 * markColours.size - 4;
  const greys = Math.max(2, Math.min(maxGreys, registers - (hasColours ? markColours.size : 0)));
  const shadeOf = (at: number): number => {
    const mark = marks?.[at] ?? 0;
    if (mark === 0) return Math.round(((grey[at] as number) * (greys - 1)) / 255);
    return hasColours ? greys + mark - 1 : greys - 1;
  };
  let text = `\u001bP0;1;q"1;1;${width};${height}`;
  for (let i = 0; i < greys; i++) {
    const percent = Math.round((100 * i) / (greys - 1));
    text += `#${i};2;${percent};${percent};${percent}`;
  }
  if (hasColours) {
    for (const [mark, colour] of markColours)
      text += `#${greys + mark - 1};2;${colour.map(part => Math.round((100 * part) / 255)).join(';')}`;
  }
  /** By colour, then by column: which of the six pixels have it. */
  const masks = new Uint8Array((greys + (hasColours ? markColours.size : 0)) * width);
  for (let top = 0; top < height; top += 6) {
    masks.fill(0);
    const used = new Set<number>();
    for (let row = 0; row < Math.min(6, height - top); row++) {
      for (let x = 0, at = (top + row) * width; x < width; x++, at++) {
        const shade = shadeOf(at);
        masks[shade * width + x] |= 1 << row;
        used.add(shade);
      }
    }
    const lines = [...used].map(shade => `#${shade}${runs(masks.subarray(shade * width, (shade + 1) * width))}`);
    text += `${lines.join('$')}-`;
  }
  return `${text}\u001b\\`;
}

/** Columns as characters; the same ones in a row are counted, and empty ones at the end left out. */
function runs(masks: Uint8Array): string {
  let text = '';
  for (let x = 0; x < masks.length; ) {
    const mask = masks[x] as number;
    let end = x + 1;
    while (masks[end] === mask) end++;
    if (end === masks.length && mask === 0) break;
    const sign = String.fromCharCode(63 + mask);
    text += end - x > 3 ? `!${end - x}${sign}` : sign.repeat(end - x);
    x = end;
  }
  return text;
}
