import { type ChipPose, onFrame, type Point, toDerotated, toImage } from '../analysis/chipPose.ts';
import { vertex } from '../analysis/outlines.ts';
import type { Pixels } from '../model/frame.ts';
import type { ChipRectangle } from '../model/roi.ts';
import { type Cv, type Mat, matOf, withMats } from './openCv.ts';

/** A label and its picture: the label bright, all around it dark. */
export interface LabelTemplate {
  readonly label: ChipRectangle;
  readonly picture: Pixels;
}

/** What was found where a label is looked for. */
export interface LabelMatch {
  /** The middle of the label in the image, to parts of a pixel. */
  readonly centre: Point;
  /** Normalised cross-correlation, −1 to 1. */
  readonly quality: number;
}

/** Samples along the shorter side of a label: more make nothing more exact. */
const samples = 56;
/** Samples around the label that must be dark: its outer edges count like its inner ones. */
const margin = 4;

/**
 * Looks for a label near where a pose has it, or near another place.
 *
 * The image is turned, smoothed and sampled in a window there, and the picture is brought to the same scale; the peak of their normalised
 * cross-correlation is found to a part of a sample.
 *
 * @param near where the middle of the label is thought to be, in the image
 * @param reach how far from there it may be, design units
 * @returns null when the window has no room for it in the image
 */
export function matchLabel(
  cv: Cv,
  image: Pixels,
  { label, picture }: LabelTemplate,
  pose: ChipPose,
  near: Point,
  reach: number,
): LabelMatch | null {
  const { scale, angle } = pose;
  const width = label.width * scale;
  const height = label.height * scale;
  const step = Math.max(0.5, Math.min(width, height) / samples);
  const columns = Math.round(width / step) + 2 * margin;
  const rows = Math.round(height / step) + 2 * margin;
  const around = Math.ceil((reach * scale) / step) + 1;
  const [x, y] = toDerotated(near, angle, image);
  const left = x - width / 2 - (margin + around) * step;
  const top = y - height / 2 - (margin + around) * step;
  return withMats(keep => {
    const window = keep(
      derotated(cv, image, angle, left, top, step, columns + 2 * around, rows + 2 * around) ?? new cv.Mat(),
    );
    if (window.empty()) return null;
    const template = keep(scaled(cv, picture, width, height, step, columns, rows));
    const scores = keep(new cv.Mat());
    cv.matchTemplate(window, template, scores, cv.TM_CCOEFF_NORMED);
    const peak = peakOf(scores);
    if (peak === null) return null;
    const corner: Point = [left + (peak.x + margin) * step, top + (peak.y + margin) * step];
    return {
      centre: toImage([corner[0] + width / 2, corner[1] + height / 2], angle, image),
      quality: peak.value,
    };
  });
}

/** A label as it was compared, for people: where it was found, the same by Otsu's threshold, and the picture it was compared with. */
export function matchPictures(
  cv: Cv,
  image: Pixels,
  { label, picture }: LabelTemplate,
  { scale, angle }: ChipPose,
  centre: Point,
): Pixels[] {
  const width = label.width * scale;
  const height = label.height * scale;
  const step = Math.max(width, height) / samples;
  const columns = Math.round(width / step) + 2 * margin;
  const rows = Math.round(height / step) + 2 * margin;
  const [x, y] = toDerotated(centre, angle, image);
  return withMats(keep => {
    const left = x - width / 2 - margin * step;
    const top = y - height / 2 - margin * step;
    const window = keep(derotated(cv, image, angle, left, top, step, columns, rows) ?? new cv.Mat());
    if (window.empty()) return [];
    const shown = keep(new cv.Mat());
    cv.normalize(window, shown, 0, 255, cv.NORM_MINMAX, cv.CV_8U);
    const binary = keep(new cv.Mat());
    cv.threshold(shown, binary, 0, 255, cv.THRESH_BINARY | cv.THRESH_OTSU);
    const wanted = keep(new cv.Mat());
    const template = keep(scaled(cv, picture, width, height, step, columns, rows));
    cv.normalize(template, wanted, 0, 255, cv.NORM_MINMAX, cv.CV_8U);
    return [shown, binary, wanted].map(({ cols, rows: height, data }) => ({
      width: cols,
      height,
      depth: 8,
      data: Uint8Array.from(data as Uint8Array),
    }));
  });
}

/** The middle of a rectangle of the chip, design units. */
export const middleOf = ({ left, top, width, height }: ChipRectangle): Point => [left + width / 2, top + height / 2];

/** The middle of a rectangle of the chip in the image. */
export const middleInImage = (rectangle: ChipRectangle, pose: ChipPose, image: Pixels): Point =>
  toImage(onFrame(middleOf(rectangle), pose), pose.angle, image);

/** A window of the turned and smoothed image; null when less than three quarters of it are in the image. Lengths in pixels. */
function derotated(
  cv: Cv,
  image: Pixels,
  angle: number,
  left: number,
  top: number,
  step: number,
  columns: number,
  rows: number,
): Mat | null {
  const right = left + columns * step;
  const bottom = top + rows * step;
  const corners = [
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ].map(corner => toImage(corner as [number, number], angle, image));
  const sigma = smoothing(step);
  const border = Math.ceil(3 * sigma) + 1;
  const clamp = (value: number, most: number): number => Math.max(0, Math.min(most, value));
  const x0 = clamp(Math.floor(Math.min(...corners.map(([x]) => x))) - border, image.width);
  const x1 = clamp(Math.ceil(Math.max(...corners.map(([x]) => x))) + border, image.width);
  const y0 = clamp(Math.floor(Math.min(...corners.map(([, y]) => y))) - border, image.height);
  const y1 = clamp(Math.ceil(Math.max(...corners.map(([, y]) => y))) + border, image.height);
  const present = ((x1 - x0) * (y1 - y0)) / ((right - left + 2 * border) * (bottom - top + 2 * border));
  if (x1 - x0 < 8 || y1 - y0 < 8 || present < 0.75) return null;
  const part = { left: x0, top: y0, columns: x1 - x0, rows: y1 - y0 };
  return withMats(keep => {
    const smooth = keep(smoothed(cv, image, part, sigma, step));
    const factor = reduction(step);
    // From sample (i, j) of the window to a pixel of the part.
    const at = (i: number, j: number): Point => {
      const [px, py] = toImage([left + (i + 0.5) * step, top + (j + 0.5) * step], angle, image);
      return [(px - x0 + 0.5) / factor - 0.5, (py - y0 + 0.5) / factor - 0.5];
    };
    return warped(cv, smooth, at, columns, rows);
  });
}

/** How much is smoothed before a sample is taken every `step` pixels: the camera's noise, and what lies between samples. */
const smoothing = (step: number): number => Math.max(1, 0.7 * step);

/** So many pixels are taken together before they are smoothed, where a sample covers more. */
const reduction = (step: number): number => Math.max(1, Math.floor(step / 2));

/** A part of an image, smoothed by a Gaussian of so many pixels, and smaller where its samples are far apart. */
function smoothed(
  cv: Cv,
  image: Pixels,
  part: { left: number; top: number; columns: number; rows: number },
  sigma: number,
  step: number,
): Mat {
  const factor = reduction(step);
  return withMats(keep => {
    const plain = keep(matOf(cv, image, part, factor));
    const smooth = new cv.Mat();
    const rest = Math.sqrt(sigma ** 2 - (factor ** 2 - 1) / 12) / factor;
    cv.GaussianBlur(plain, smooth, new cv.Size(0, 0), rest, rest, cv.BORDER_REPLICATE);
    return smooth;
  });
}

/** The picture of a label at the scale of the window, with a dark margin. */
function scaled(
  cv: Cv,
  picture: Pixels,
  width: number,
  height: number,
  step: number,
  columns: number,
  rows: number,
): Mat {
  return withMats(keep => {
    const full = keep(matOf(cv, picture, { left: 0, top: 0, columns: picture.width, rows: picture.height }, 1));
    const padded = keep(new cv.Mat());
    // What one sample covers, smoothed as the window is, in pixels of the picture.
    const pitchX = (step * picture.width) / width;
    const pitchY = (step * picture.height) / height;
    const sigma = smoothing(step) / step;
    const border = Math.ceil((margin + 1) * Math.max(pitchX, pitchY));
    cv.copyMakeBorder(full, padded, border, border, border, border, cv.BORDER_CONSTANT, new cv.Scalar(0));
    const smooth = keep(new cv.Mat());
    cv.GaussianBlur(padded, smooth, new cv.Size(0, 0), sigma * pitchX, sigma * pitchY, cv.BORDER_REPLICATE);
    const at = (i: number, j: number): Point => [
      (i + 0.5 - margin) * pitchX - 0.5 + border,
      (j + 0.5 - margin) * pitchY - 0.5 + border,
    ];
    return warped(cv, smooth, at, columns, rows);
  });
}

/** @param at where a sample is in the source: an affine map */
function warped(cv: Cv, source: Mat, at: (i: number, j: number) => Point, columns: number, rows: number): Mat {
  return withMats(keep => {
    const [ox, oy] = at(0, 0);
    const [ix, iy] = at(1, 0);
    const [jx, jy] = at(0, 1);
    const map = keep(cv.matFromArray(2, 3, cv.CV_64F, [ix - ox, jx - ox, ox, iy - oy, jy - oy, oy]));
    const target = new cv.Mat();
    const size = new cv.Size(columns, rows);
    cv.warpAffine(
      source,
      target,
      map,
      size,
      cv.INTER_LINEAR | cv.WARP_INVERSE_MAP,
      cv.BORDER_REPLICATE,
      new cv.Scalar(),
    );
    return target;
  });
}

/** The highest value, its place refined by the parabola through its neighbours. Null when there is none that is a number. */
function peakOf(scores: Mat): { x: number; y: number; value: number } | null {
  const { rows, cols } = scores;
  const values = scores.data32F as Float32Array;
  let best = -1;
  for (let i = 0; i < values.length; i++)
    if (Number.isFinite(values[i]) && (best < 0 || values[i] > values[best])) best = i;
  if (best < 0) return null;
  const x = best % cols;
  const y = Math.floor(best / cols);
  const value = (column: number, row: number): number => values[row * cols + column];
  return {
    x: x + (x > 0 && x < cols - 1 ? vertex(value(x - 1, y), value(x, y), value(x + 1, y)) : 0),
    y: y + (y > 0 && y < rows - 1 ? vertex(value(x, y - 1), value(x, y), value(x, y + 1)) : 0),
    value: values[best],
  };
}
