import { type GreyPicture, pictureMarks } from '../../model/framePicture.ts';
import type { Drawing } from '../drawing.ts';
import type { Ink, Line, Segment, Tone } from '../views/line.ts';

/** A picture as text, two pixels in a row of characters: half blocks in shades of grey, or signs of growing weight. */
export function greyBlocks(picture: GreyPicture, { unicode, colours }: Pick<Drawing, 'unicode' | 'colours'>): Line[] {
  return unicode && colours === 256 ? halfBlocks(picture) : signs(picture);
}

/** Of the 256-colour table: black, 24 greys, white. */
function greyColour(grey: number): number {
  const step = Math.round((grey / 255) * 25);
  return step === 0 ? 16 : step === 25 ? 231 : 231 + step;
}

/** What is drawn over a picture: its colour, and its sign where there are no half blocks. */
const looks: Readonly<Record<number, { colour: Ink; sign: string; style: Tone }>> = {
  [pictureMarks.outline]: { colour: 'outline', sign: 'o', style: 'warning' },
  [pictureMarks.fit]: { colour: 51, sign: '|', style: 'accent' },
  [pictureMarks.top]: { colour: 196, sign: '!', style: 'bad' },
};

function halfBlocks({ width, height, grey, marks }: GreyPicture): Line[] {
  const colour = (x: number, y: number): Ink => {
    const at = y * width + x;
    return looks[marks?.[at] ?? 0]?.colour ?? greyColour(grey[at] ?? 0);
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

/** Without shades of grey: the mean of two pixels as a sign; what is drawn over it has signs of its own. */
function signs({ width, height, grey, marks }: GreyPicture): Line[] {
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const segments: { text: string; style: Segment['style'] }[] = [];
    for (let x = 0; x < width; x++) {
      const upper = 2 * row * width + x;
      const lower = Math.min(2 * row + 1, height - 1) * width + x;
      const mark = looks[marks?.[upper] || marks?.[lower] || 0];
      const mean = ((grey[upper] ?? 0) + (grey[lower] ?? 0)) / 2;
      const text = mark?.sign ?? (weights[Math.round((mean / 255) * (weights.length - 1))] as string);
      const style = mark?.style ?? 'plain';
      const last = segments.at(-1);
      if (last?.style === style) last.text += text;
      else segments.push({ text, style });
    }
    return segments;
  });
}
