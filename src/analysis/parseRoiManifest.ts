import { distance } from 'fastest-levenshtein';
import { jsonFault } from '../model/jsonFault.ts';
import type { MadeFor, Roi, RoiManifest } from '../model/roi.ts';
import { oneLine } from '../model/shownText.ts';

/** What is more takes minutes a frame. */
const maxRois = 100_000;
/** No image has more: what a decoder takes at most. */
const maxPixels = 0x3fff * 0x3fff;

/**
 * Reads the text of a `ROI_manifest.json`: an object of ROIs (every key with `ROI` in it, as the Python system has it)
 * and `image_angle` in degrees. Coordinates and sizes are rounded to the nearest pixel; other keys are passed over, unless they
 * look like ROIs that were to count. A byte order mark is passed over too.
 *
 * Throws an `Error` that names file and key, what was found and what is allowed, in one line.
 *
 * @param file what messages call it
 */
export function parseRoiManifest(text: string, file: string): RoiManifest {
  const fail = (key: string | null, message: string): never => {
    throw new Error(`${file}: ${key === null ? '' : `${oneLine(key)}: `}${message}`);
  };

  const json = text.replace(/^\ufeff/, '');
  let manifest: unknown;
  try {
    manifest = JSON.parse(json);
  } catch {
    throw new Error(`${file}: not valid JSON: ${jsonMistake(json) ?? jsonFault(json)}`);
  }
  if (!isRecord(manifest)) return fail(null, `${described(manifest)} instead of an object of ROIs by their keys`);

  for (const key of duplicateKeys(json)) {
    if (isRoiKey(key) || key === 'image_angle') fail(key, 'this key is there twice; only one of the two would count');
  }
  for (const [key, value] of Object.entries(manifest)) {
    if (isRoiKey(key) || !isRecord(value)) continue;
    if (Object.keys(value).some(isRoiKey))
      fail(key, 'ROIs stand in it, and would not count: they belong at the top, beside image_angle');
    if (['coords', 'size'].some(part => Object.hasOwn(value, part)))
      fail(key, `would not count as a ROI, because its key has no "ROI" in it: did you mean ${roiKeyLike(key)}?`);
  }

  const imageAngle = manifest.image_angle;
  if (imageAngle === undefined) {
    const like = Object.keys(manifest).find(key => !isRoiKey(key) && distance(key.toLowerCase(), 'image_angle') <= 3);
    const hint = like === undefined ? '' : `; is it ${oneLine(like)}?`;
    return fail(
      'image_angle',
      `missing; it is the angle of the chip in degrees (0 when the frame is not turned)${hint}`,
    );
  }
  if (!isFiniteNumber(imageAngle) || Math.abs(imageAngle) > 360)
    return fail('image_angle', `${described(imageAngle)} instead of a number of degrees from -360 to 360`);

  const rois: Roi[] = [];
  const keyOfLabel = new Map<string, string>();
  for (const [key, value] of Object.entries(manifest)) {
    if (!isRoiKey(key)) continue;
    if (!isRecord(value))
      return fail(key, `${described(value)} instead of an object with label, flip, coords and size`);
    for (const part of ['label', 'flip', 'coords', 'size']) {
      if (value[part] === undefined) fail(key, `"${part}" is missing`);
    }
    const { label, flip } = value;
    if (typeof label !== 'string' || label === '')
      return fail(key, `label: ${described(label)} instead of a name in quotes`);
    if (typeof flip !== 'boolean') return fail(key, `flip: ${described(flip)} instead of true or false`);
    if (/\p{Cc}/u.test(label))
      return fail(key, `label: ${described(label)} has a line break or control character in it`);
    const other = keyOfLabel.get(label);
    if (other !== undefined) fail(key, `label "${label}" is that of ${other} too; each ROI needs its own`);
    keyOfLabel.set(label, key);
    rois.push({
      label,
      flip,
      coords: pixelPair(value.coords, 0, message => fail(key, `coords: ${message}`)),
      size: pixelPair(value.size, 1, message => fail(key, `size: ${message}`)),
    });
  }
  if (rois.length === 0) fail(null, 'no ROI in it (no key contains "ROI")');
  if (rois.length > maxRois) fail(null, `${rois.length} ROIs; up to ${maxRois} are analysed`);
  const madeFor = parseMadeFor(manifest.calibration, message => fail('calibration', message));
  return madeFor === null ? { rois, imageAngle } : { rois, imageAngle, madeFor };
}

/** What `phorest locate` adds. A key of that name from elsewhere, which has no `image_size`, is passed over. */
function parseMadeFor(value: unknown, fail: (message: string) => never): MadeFor | null {
  if (!isRecord(value) || value.image_size === undefined) return null;
  const { chip_type: chipType, scale, offset } = value;
  const [width, height] = pixelPair(value.image_size, 1, message => fail(`image_size: ${message}`));
  if (typeof chipType !== 'string') return fail(`chip_type: ${described(chipType)} instead of a name in quotes`);
  if (!isFiniteNumber(scale) || scale <= 0)
    return fail(`scale: ${described(scale)} instead of pixels a unit, more than 0`);
  if (!Array.isArray(offset) || offset.length !== 2 || !offset.every(isFiniteNumber))
    return fail(`offset: ${described(offset)} instead of two numbers of pixels, [x, y]`);
  const gratings = value.gratings ?? [];
  if (!Array.isArray(gratings) || !gratings.every(isArea))
    return fail('gratings: they must be lists of four numbers, [left, top, width, height], in design units');
  return {
    width,
    height,
    chipType,
    scale,
    offset: [offset[0], offset[1]],
    gratings: gratings.map(([left, top, areaWidth, areaHeight]) => ({
      left,
      top,
      width: areaWidth,
      height: areaHeight,
    })),
  };
}

/** Whether results can be made with a text. */
export function isRoiManifest(text: string): boolean {
  try {
    parseRoiManifest(text, '');
    return true;
  } catch {
    return false;
  }
}

const isRoiKey = (key: string): boolean => key.includes('ROI');

/** `roi_b` and `RIO_B` are meant to be `ROI_B`, `grating` is `ROI_grating`. */
function roiKeyLike(key: string): string {
  const [, start = '', rest = ''] = /^(\w{2,4}?)[_\- ](.+)$/.exec(key) ?? [];
  const isRoi = distance(start.toUpperCase(), 'ROI') <= 2;
  return oneLine(`ROI_${isRoi ? (start === start.toLowerCase() ? rest.toUpperCase() : rest) : key}`);
}

/** What people write that is no JSON, and how it is put right; the first that stands in the text, with its line. */
function jsonMistake(text: string): string | null {
  // What stands in quotes is blanked, so that places stay.
  let bare = '';
  for (const [from, to] of quotedParts(text)) bare += text.slice(bare.length, from) + '"'.padEnd(to - from);
  bare += text.slice(bare.length);
  const found = slips
    .map(([form, message]) => ({ at: bare.search(form), message }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  if (found.length === 0) return null;
  const [{ at, message }] = found as [{ at: number; message: string }];
  return `line ${text.slice(0, at).split('\n').length}: ${message}`;
}

const slips: readonly (readonly [RegExp, string])[] = [
  [/\/\/|\/\*|#/, 'a comment; JSON has none'],
  [/'/, 'single quotes; JSON takes double quotes'],
  [/,\s*[}\]]/, 'a comma before a closing bracket; nothing follows it'],
  [/:\s*[+-]?\d+,\d+\s*[,}]/, 'a comma within a number; decimals take a point'],
  [/[:[,]\s*[+-]?(?:NaN|Infinity|inf|nan)\b/, 'NaN or Infinity; a number is needed'],
  [/\b(?:True|False|None)\b/, 'a word of Python; JSON has true, false and null'],
  [/[\u201c\u201d\u2018\u2019]/, 'curly quotes; JSON takes "straight" ones'],
];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isArea = (value: unknown): value is [number, number, number, number] =>
  Array.isArray(value) && value.length === 4 && value.every(isFiniteNumber) && value[2] > 0 && value[3] > 0;

const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function described(value: unknown): string {
  const json = oneLine(asJson(value));
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
}

/** What is nested a thousand times is too much for `stringify`. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}

function pixelPair(value: unknown, least: number, fail: (message: string) => never): [number, number] {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isFiniteNumber)) {
    return fail(`${described(value)} instead of two numbers, row and column`);
  }
  const [rows, cols] = value.map(Math.round);
  if (rows < least || cols < least) fail(`${described(value)}; both must be at least ${least}`);
  if (rows > maxPixels || cols > maxPixels || rows * cols > maxPixels)
    fail(`${described(value)} is more than any image has`);
  return [rows, cols];
}

/** Keys that stand more than once at the top level: `JSON.parse` would silently keep the last. */
function duplicateKeys(text: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  let depth = 0;
  let end = 0;
  // Strings (with the colon that makes them keys) and brackets are all that matters in text known to be valid JSON.
  for (const [from, to] of quotedParts(text)) {
    for (; end < from; end++) {
      if (text[end] === '{' || text[end] === '[') depth++;
      else if (text[end] === '}' || text[end] === ']') depth--;
    }
    end = to;
    if (depth !== 1 || !/^\s*:/.test(text.slice(to, to + 100))) continue;
    const key = JSON.parse(text.slice(from, to)) as string;
    if (seen.has(key)) twice.push(key);
    seen.add(key);
  }
  return twice;
}

/** Where strings begin and end, quotes included. Not by a regular expression: a long string would be too much for one. */
function* quotedParts(text: string): Generator<[from: number, to: number]> {
  for (let from = text.indexOf('"'); from >= 0; ) {
    let to = from;
    let slashes = 0;
    do {
      to = text.indexOf('"', to + 1);
      if (to < 0) return;
      for (slashes = 0; text[to - 1 - slashes] === '\\'; ) slashes++;
    } while (slashes % 2 === 1);
    yield [from, to + 1];
    from = text.indexOf('"', to + 1);
  }
}
