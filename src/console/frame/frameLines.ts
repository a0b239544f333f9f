import type { FramePicture } from '../../model/framePicture.ts';
import { localIso } from '../../model/localTime.ts';
import { number } from '../../model/quantity.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { layoutOf } from '../layout.ts';
import { greyBlocks } from '../terminalPicture/greyBlocks.ts';
import { cleanText } from './cleanText.ts';
import { clip, type Line, seg, titleRule } from './line.ts';
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
  const picture = greyBlocks(frame, drawing, marked);
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
