import type { FramePicture } from '../../model/framePicture.ts';
import { localIso } from '../../model/localTime.ts';
import { number } from '../../model/quantity.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { layoutOf } from '../layout.ts';
import { cleanText } from './cleanText.ts';
import { clip, type Line, type Segment, seg, titleRule } from './line.ts';
import { roiPixels } from './roiOutlines.ts';

/** Heading and figures. */
const otherRows = 2;

/** How large a picture there is room for, pixels (two in a row of characters); null while none is shown. */
export function pictureSize(state: ConsoleState): { width: number; height: number } | null {
  const rect = layoutOf(state)?.frame;
  return rect ? { width: rect.width, height: Math.max(2, (rect.height - otherRows) * 2) } : null;
}

/** The last frame in half blocks (or signs of growing weight) with its ROIs, and its figures. */
export function frameLines({ frame, outlines, drawing }: ConsoleState, width: number, height: number): Line[] {
  if (!frame) return [titleRule('Frame', width, drawing), [seg(' no frame yet', 'dim')]];
  const name = cleanText(frame.file.slice(frame.file.lastIndexOf('/') + 1), drawing);
  const rows = Math.max(1, height - otherRows);
  const marked = outlines && frame.rois ? roiPixels(frame) : new Set<number>();
  const shades = drawing.unicode && drawing.colours === 256;
  const picture = shades ? halfBlocks(frame, marked) : signs(frame, marked);
  const indent = ' '.repeat(Math.max(0, Math.floor((width - frame.width) / 2)));
  return [
    titleRule('Frame', width, drawing, [seg(`${name} ${localIso(frame.at).slice(11, 19)}`, 'accent')]),
    ...picture.slice(0, rows).map(each => [seg(indent), ...each]),
    figures(frame, drawing),
  ].map(each => clip(each, width, drawing));
}

function figures(
  { frameWidth, frameHeight, depth, brightness, contrast, saturated }: FramePicture,
  { unicode, dot }: Drawing,
): Line {
  const words = [
    `${frameWidth} ${unicode ? '×' : 'x'} ${frameHeight}, ${depth} bit`,
    `brightness ${number(brightness)}`,
    `contrast ${number(contrast)}`,
  ];
  const share = `saturated ${number(Number((saturated * 100).toPrecision(3)))} %`;
  // A hundredth of the pixels at full scale flattens peaks.
  return [seg(` ${words.join(` ${dot} `)} ${dot} `), seg(share, saturated > 0.01 ? 'warning' : 'plain')];
}

/** Of the 256-colour table: black, 24 greys, white. */
function greyColour(grey: number): number {
  const step = Math.round((grey / 255) * 25);
  return step === 0 ? 16 : step === 25 ? 231 : 231 + step;
}

const outlineColour = 214;

function halfBlocks({ width, height, grey }: FramePicture, marked: ReadonlySet<number>): Line[] {
  const colour = (x: number, y: number): number => {
    const at = y * width + x;
    return marked.has(at) ? outlineColour : greyColour(grey[at] ?? 0);
  };
  return Array.from({ length: Math.ceil(height / 2) }, (_, row) => {
    const segments: { text: string; style: { fg: number; bg?: number } }[] = [];
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
function signs({ width, height, grey }: FramePicture, marked: ReadonlySet<number>): Line[] {
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
