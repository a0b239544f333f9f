import type { Roi, RoiManifest } from '../model/roi.ts';

/**
 * Reads the text of a `ROI_manifest.json`: an object of ROIs (every key with `ROI` in it, as the Python system has it)
 * and `image_angle` in degrees. Coordinates and sizes are rounded to the nearest pixel; other keys are passed over.
 *
 * Throws an `Error` that names file and key, what was found and what is allowed.
 *
 * @param file what messages call it
 */
export function parseRoiManifest(text: string, file: string): RoiManifest {
  const fail = (key: string | null, message: string): never => {
    throw new Error(`${file}: ${key === null ? '' : `${key}: `}${message}`);
  };

  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isRecord(manifest)) return fail(null, `${described(manifest)} instead of an object of ROIs`);

  for (const key of duplicateKeys(text)) {
    if (isRoiKey(key) || key === 'image_angle') fail(key, 'this key is there twice; only one of the two would count');
  }

  const imageAngle = manifest.image_angle;
  if (imageAngle === undefined) {
    return fail('image_angle', 'missing; it is the angle of the chip in degrees (0 when the frame is not turned)');
  }
  if (!isFiniteNumber(imageAngle))
    return fail('image_angle', `${described(imageAngle)} instead of a number of degrees`);

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
    if (typeof label !== 'string' || label === '') return fail(key, `label: ${described(label)} instead of a name`);
    if (typeof flip !== 'boolean') return fail(key, `flip: ${described(flip)} instead of true or false`);
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
  return { rois, imageAngle };
}

const isRoiKey = (key: string): boolean => key.includes('ROI');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function described(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
}

function pixelPair(value: unknown, least: number, fail: (message: string) => never): [number, number] {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(isFiniteNumber)) {
    return fail(`${described(value)} instead of two numbers, row and column`);
  }
  const [rows, cols] = value.map(Math.round);
  if (rows < least || cols < least) fail(`${described(value)}; both must be at least ${least}`);
  return [rows, cols];
}

/** Keys that stand more than once at the top level: `JSON.parse` would silently keep the last. */
function duplicateKeys(text: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  let depth = 0;
  // Strings (with the colon that makes them keys) and brackets are all that matters in text known to be valid JSON.
  for (const [token, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      if (seen.has(key)) twice.push(key);
      seen.add(key);
    }
  }
  return twice;
}
