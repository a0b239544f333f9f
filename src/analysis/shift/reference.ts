import type { AnalysisMethod } from '../../model/method.ts';
import type { PatternErrors } from './patternErrors.ts';
import type { RoiReference } from './shiftFit.ts';

/** What the shift of every ROI is measured from. */
export interface Reference {
  method: AnalysisMethod;
  /** Counts without light. */
  darkLevel: number;
  darkSource: 'configured' | 'estimated';
  /** False: it says only how far the pattern pulls positions. */
  shifts: boolean;
  /** What the pattern does to positions in single frames, and the typical width of a line, pixels; null: there is none; undefined: none was
   * measured, in references of versions before this one. */
  pattern: (PatternErrors & { width: number }) | null | undefined;
  /** By label. A ROI without a line in the reference's frames has none. */
  rois: ReadonlyMap<string, ReferenceRoi>;
}

/** One ROI of the reference. */
export interface ReferenceRoi {
  /** Of the line, and its standard error with the pattern in it, pixels. */
  position: number;
  positionError: number;
  /** What the estimator says of the frames alone: the mean position and its standard error without the pattern, pixels. */
  alone: AlonePosition;
  /** Null: the ROI has no static pattern to compare, only positions (methods that fit no line). */
  fit: FittedReference | null;
}

export interface AlonePosition {
  position: number;
  positionError: number;
}

export interface FittedReference extends RoiReference {
  /** Deviation of a pixel's logarithm between one frame and the mean of the others; null with one frame only. */
  noise: number | null;
}

const magic = 'phorest-reference-1\n';
/** Everything stands at a multiple of it. */
const alignment = 8;

interface Header {
  method: AnalysisMethod;
  darkLevel: number;
  darkSource: Reference['darkSource'];
  /** Absent in references of versions before this one, as what follows. */
  shifts?: boolean;
  pattern?: Reference['pattern'];
  rois: RoiHeader[];
}

interface RoiHeader {
  label: string;
  position: number;
  positionError: number;
  alone?: AlonePosition;
  fit: {
    rows: number;
    count: number;
    width: number;
    groups: number;
    sign: number;
    parameters: number;
    noise: number | null;
  } | null;
}

/**
 * A reference as bytes: a line that names the format, a line of JSON, then for each fitted ROI its numbers, little-endian as every machine
 * here is: parameters and information (f64), logarithms and gradients (f32).
 */
export function encodeReference({ rois, ...of }: Reference): Uint8Array<ArrayBuffer> {
  const header: Header = { ...of, rois: [] };
  const parts: ArrayBufferView[] = [];
  for (const [label, { fit, ...roi }] of rois) {
    header.rois.push({ label, ...roi, fit: fit && headerOf(fit) });
    if (fit === null) continue;
    const { layout, parameters, information, logs, byX, byY } = fit;
    parts.push(parameters, information, layout.centres, layout.waves[0], layout.waves[1], layout.pixels);
    parts.push(logs, Float32Array.from(byX), Float32Array.from(byY));
  }
  const text = new TextEncoder().encode(`${magic}${JSON.stringify(header)}\n`);
  const length = parts.reduce((sum, part) => sum + aligned(part.byteLength), aligned(text.length));
  const bytes = new Uint8Array(length);
  bytes.set(text);
  let at = aligned(text.length);
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += aligned(part.byteLength);
  }
  return bytes;
}

const aligned = (length: number): number => Math.ceil(length / alignment) * alignment;

const headerOf = ({ layout, sign, parameters, noise }: FittedReference): NonNullable<RoiHeader['fit']> => {
  const { rows, count, width, groups } = layout;
  return { rows, count, width, groups, sign, parameters: parameters.length, noise };
};

/** Reads what `encodeReference` has made. @throws Error for anything else */
export function decodeReference(bytes: Uint8Array): Reference {
  const own = bytes.slice();
  const text = new TextDecoder();
  if (text.decode(own.subarray(0, magic.length)) !== magic) throw new Error('not a reference of this version');
  const end = own.indexOf(0x0a, magic.length);
  const header = JSON.parse(text.decode(own.subarray(magic.length, end))) as Header;
  let at = aligned(end + 1);
  const take = (length: number): number => {
    const from = at;
    at += aligned(length);
    if (at > own.length) throw new Error('a reference that ends too early');
    return from;
  };
  const doubles = (count: number): Float64Array<ArrayBuffer> => new Float64Array(own.buffer, take(8 * count), count);
  const singles = (count: number): Float32Array<ArrayBuffer> => new Float32Array(own.buffer, take(4 * count), count);
  const rois = new Map<string, ReferenceRoi>();
  for (const { label, position, positionError, alone = { position, positionError }, fit } of header.rois) {
    if (fit === null) {
      rois.set(label, { position, positionError, alone, fit });
      continue;
    }
    const { rows, count, width, groups, sign, noise } = fit;
    const parameters = doubles(fit.parameters);
    const information = doubles(fit.parameters ** 2);
    const centres = doubles(count);
    const waves: [Float64Array, Float64Array] = [doubles(groups), doubles(groups)];
    const pixels = doubles(groups * count);
    const layout = { rows, count, width, groups, centres, waves, pixels };
    const logs = singles(groups * count);
    const byX = Float64Array.from(singles(groups * count));
    const byY = Float64Array.from(singles(groups * count));
    const fitted = { layout, sign, parameters, information, logs, byX, byY, noise };
    rois.set(label, { position, positionError, alone, fit: fitted });
  }
  const { method, darkLevel, darkSource, shifts = true, pattern } = header;
  return { method, darkLevel, darkSource, shifts, pattern, rois };
}
