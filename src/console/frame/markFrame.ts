import { type FramePicture, pictureMarks } from '../../model/framePicture.ts';
import type { ConsoleState } from '../consoleState.ts';
import { letterHeight, letters, letterWidth } from './pixelLetters.ts';
import { fittedLines, followedChip, type Place, resultOf, roiOutlines } from './roiLines.ts';

/** Below so many pixels of the picture an outline would hide what it surrounds: its middle is marked instead, unless its fit shows where it is. */
const smallestOutline = 4;

type Shown = Pick<ConsoleState, 'frameView' | 'history' | 'settings' | 'reading' | 'mode'>;

/** What is drawn over a picture: pixels at full scale, outlines of ROIs and fitted lines, and names where letters are of pixels. */
export function markFrame(picture: FramePicture, shown: Shown, withNames: boolean): Uint8Array {
  const { frameView, history } = shown;
  const { width, height, atTop } = picture;
  const marks = new Uint8Array(width * height);
  if (atTop) for (let i = 0; i < marks.length; i++) if (atTop[i] === 1) marks[i] = pictureMarks.top;
  const mark =
    (what: number) =>
    (x: number, y: number): void => {
      const [column, row] = [Math.floor(x), Math.floor(y)];
      if (column >= 0 && column < width && row >= 0 && row < height) marks[row * width + column] = what;
    };
  const moved = followedChip(picture, shown);
  const outlines = frameView.outlines ? roiOutlines(picture, moved) : [];
  const result = frameView.fits ? resultOf(picture, history) : null;
  const fits = result ? fittedLines(picture, history!, result.sample, moved) : new Map<string, [Place, Place]>();
  for (const { corners, label } of outlines) outline(corners, mark(pictureMarks.outline), !fits.has(label));
  for (const [from, to] of fits.values()) draw(from, to, mark(pictureMarks.fit));
  if (withNames && frameView.names) nameRois(outlines, marks, picture);
  return marks;
}

function outline(corners: readonly Place[], mark: (x: number, y: number) => void, marksSmall: boolean): void {
  const length = (a: Place, b: Place): number => Math.hypot(b[0] - a[0], b[1] - a[1]);
  const [a, b, c, d] = corners as [Place, Place, Place, Place];
  if (length(a, b) < smallestOutline || length(b, c) < smallestOutline) {
    if (marksSmall) mark((a[0] + c[0]) / 2, (a[1] + c[1]) / 2);
    return;
  }
  for (const [from, to] of [
    [a, b],
    [b, c],
    [c, d],
    [d, a],
  ] as const)
    draw(from, to, mark);
}

function draw(from: Place, to: Place, mark: (x: number, y: number) => void): void {
  const steps = Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1));
  for (let k = 0; k <= steps; k++)
    mark(from[0] + ((to[0] - from[0]) * k) / steps, from[1] + ((to[1] - from[1]) * k) / steps);
}

/** Names in letters of pixels, at the upper left corner within each ROI, where they fit and cover no other. */
function nameRois(
  outlines: ReturnType<typeof roiOutlines>,
  marks: Uint8Array,
  { width, height }: { width: number; height: number },
): void {
  const taken: [left: number, top: number, right: number, bottom: number][] = [];
  for (const { label, corners } of outlines) {
    const side = Math.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1]);
    const wide = label.length * letterWidth + 1;
    const scale = side >= 2.5 * wide ? 2 : 1;
    const [w, h] = [wide * scale, (letterHeight + 2) * scale];
    if (side < w) continue;
    const left = Math.max(0, Math.round(corners[0][0]) + 1);
    const top = Math.max(0, Math.round(corners[0][1]) + 1);
    const [right, bottom] = [left + w, top + h];
    if (right > width || bottom > height) continue;
    if (taken.some(([l, t, r, b]) => left < r && right > l && top < b && bottom > t)) continue;
    taken.push([left, top, right, bottom]);
    for (let y = top; y < bottom; y++) marks.fill(pictureMarks.shade, y * width + left, y * width + right);
    for (const [x, y] of letters(label)) {
      for (let dy = 0; dy < scale; dy++) {
        const from = (top + scale * (y + 1) + dy) * width + left + scale * (x + 1);
        marks.fill(pictureMarks.letter, from, from + scale);
      }
    }
  }
}
