import { type ImageSize, onFrame, type Point, toDerotated } from '../analysis/chipPose.ts';
import type { Roi } from '../model/roi.ts';
import { toldLabels } from './calibrationReport.ts';
import type { Calibration } from './locateChip.ts';

/** An image as a part of a drawing. */
export interface Background {
  /** `data:image/png;base64,…` */
  readonly url: string;
  /** Of the image itself, whose picture may be smaller. */
  readonly size: ImageSize;
  /** Pixels of the drawing for one of the image. */
  readonly zoom: number;
}

const colours = { found: '#3ddc84', missed: '#9aa0a6', wrong: '#ff5252', first: '#ffb300', second: '#40c4ff' };

/** `Label_locations.png` as SVG: every label of the chip over the image, turned; found ones green, a wrong click red. */
export function labelDrawing(calibration: Calibration, background: Background): string {
  const { chip, pose, labels } = calibration;
  const unit = 1 / background.zoom;
  const parts = chip.labels.flatMap(label => {
    const located = labels.find(one => one.label === label.label);
    const isFound = located !== undefined && located.centre !== null;
    const corners = [label.left, label.top, label.left + label.width, label.top + label.height] as const;
    const [left, top] = onFrame([corners[0], corners[1]], pose);
    const [right, bottom] = onFrame([corners[2], corners[3]], pose);
    const colour = isFound ? colours.found : colours.missed;
    const name = isFound ? `${label.label} ${located.quality.toFixed(2)}` : label.label;
    return [
      rectangle(left, top, right - left, bottom - top, colour, unit, isFound ? '' : '6 6'),
      text(right + 4 * unit, top + 12 * unit, name, colour, 14 * unit),
    ];
  });
  const clicks = toldLabels(calibration).flatMap(({ click, centre, remark }) => {
    if (click === null) return [];
    const at = toDerotated(click, pose.angle, background.size);
    const to = centre === null ? null : toDerotated(centre, pose.angle, background.size);
    return cross(at, to, remark === null ? colours.second : colours.wrong, unit);
  });
  return drawing([...parts, ...clicks], pose.angle, background);
}

/** `Grating_locations.png` as SVG: regions of interest over the image, turned; mirrored ones in one colour, the others in another. */
export function roiDrawing(rois: readonly Roi[], angle: number, background: Background): string {
  const unit = 1 / background.zoom;
  const parts = rois.flatMap(({ label, flip, coords: [row, column], size: [rows, columns] }) => {
    const colour = flip ? colours.first : colours.second;
    const font = Math.min(14 * unit, rows / 2, (1.5 * columns) / label.length);
    return [
      rectangle(column, row, columns, rows, colour, unit),
      text(column + 2 * unit, row + font, label, colour, font),
    ];
  });
  return drawing(parts, angle, background);
}

/** `Label_matches.png` as SVG: of each label what was found, the same by Otsu's threshold, and the picture it was compared with. */
export function matchDrawing(rows: readonly { words: string; urls: readonly string[] }[]): string {
  const [cell, pitch] = [160, 200];
  const width = 3 * pitch + 20;
  const height = Math.max(1, rows.length) * pitch + 10;
  const parts = rows.flatMap(({ words, urls }, row) => [
    text(10, row * pitch + 22, words, '#202124', 14),
    ...urls.map(
      (url, column) =>
        `<image xlink:href="${url}" x="${10 + column * pitch}" y="${row * pitch + 32}" width="${cell}" height="${cell}"/>`,
    ),
  ]);
  return svg(width, height, 1, [`<rect width="${width}" height="${height}" fill="#fff"/>`, ...parts]);
}

const svg = (width: number, height: number, zoom: number, parts: readonly string[]): string =>
  [
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"',
    ` width="${Math.round(width * zoom)}" height="${Math.round(height * zoom)}" viewBox="0 0 ${width} ${height}">`,
    ...parts,
    '</svg>',
  ].join('\n');

/** What lies over an image, in pixels of the derotated frame. */
function drawing(parts: readonly string[], angle: number, { url, zoom, size: { width, height } }: Background): string {
  const centre = `${Math.floor(width / 2) + 0.5} ${Math.floor(height / 2) + 0.5}`;
  return svg(width, height, zoom, [
    `<rect width="${width}" height="${height}" fill="#000"/>`,
    `<image xlink:href="${url}" width="${width}" height="${height}" preserveAspectRatio="none" transform="rotate(${angle} ${centre})"/>`,
    ...parts,
  ]);
}

function rectangle(
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
  unit: number,
  dashes = '',
): string {
  const dash = dashes === '' ? '' : ` stroke-dasharray="${dashes.replace(/\d+/g, one => String(Number(one) * unit))}"`;
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="${colour}" stroke-width="${1.2 * unit}"${dash}/>`;
}

function text(x: number, y: number, words: string, colour: string, size: number): string {
  const escaped = words.replace(/[&<>"]/g, char => `&#${char.charCodeAt(0)};`);
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans" font-size="${size}" fill="${colour}">${escaped}</text>`;
}

/** A click, and a line from it to what was meant. */
function cross([x, y]: Point, to: Point | null, colour: string, unit: number): string[] {
  const arm = 6 * unit;
  const line = (x1: number, y1: number, x2: number, y2: number): string =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="${1.5 * unit}"/>`;
  return [
    line(x - arm, y - arm, x + arm, y + arm),
    line(x - arm, y + arm, x + arm, y - arm),
    ...(to === null ? [] : [line(x, y, to[0], to[1])]),
  ];
}
