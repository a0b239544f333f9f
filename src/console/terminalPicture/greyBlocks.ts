import type { GreyPicture } from '../../model/framePicture.ts';
import type { Drawing } from '../drawing.ts';
import type { Ink, Line, Segment } from '../views/line.ts';

/** A picture as text, two pixels in a row of characters: half blocks in shades of grey, or signs of growing weight. @param marked pixels to stand out */
export function greyBlocks(
  picture: GreyPicture,
  { unicode, colours }: Pick<Drawing, 'unicode' | 'colours'>,
  marked: ReadonlySet<number> = new Set(),
): Line[] {
  return unicode && colours === 256 ? halfBlocks(picture, marked) : signs(picture, marked);
}

/** Of the 256-colour table: black, 24 greys, white. */
function greyColour(grey: number): number {
  const step = Math.round((grey / 255) * 25);
  return step === 0 ? 16 : step === 25 ? 231 : 231 + step;
}

function halfBlocks({ width, height, grey }: GreyPicture, marked: ReadonlySet<number>): Line[] {
  const colour = (x: number, y: number): Ink => {
    const at = y * width + x;
    return marked.has(at) ? 'outline' : greyColour(grey[at] ?? 0);
  };
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const segments: { text: string; style: { fg: Ink; bg?: Ink } }[] = [];
    for (let x = 0; x < width; x++) {
      const fg = colour(x, 2 * row);
      const bg = 2 * row + 1 < height ? colour(x, 2 * row + 1) : undefined;
      const last = segments.at(-1);
      if (last && last.style.fg === fg && last.style.bg === bg) last.text += '▀';
      else segments.push({ text: '▀', style: bg === undefined ? { fg } : { fg, bg } });
    }
    return segments;
  });
}

const weights = ' .:-=+*%#@';

/** Without shades of grey: the mean of two pixels as a sign, ROIs as `o`. */
function signs({ width, height, grey }: GreyPicture, marked: ReadonlySet<number>): Line[] {
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const segments: { text: string; style: Segment['style'] }[] = [];
    for (let x = 0; x < width; x++) {
      const upper = 2 * row * width + x;
      const lower = Math.min(2 * row + 1, height - 1) * width + x;
      const isMarked = marked.has(upper) || marked.has(lower);
      const mean = ((grey[upper] ?? 0) + (grey[lower] ?? 0)) / 2;
      const text = isMarked ? 'o' : (weights[Math.round((mean / 255) * (weights.length - 1))] as string);
      const style = isMarked ? 'accent' : 'plain';
      const last = segments.at(-1);
      if (last?.style === style) last.text += text;
      else segments.push({ text, style });
    }
    return segments;
  });
}
