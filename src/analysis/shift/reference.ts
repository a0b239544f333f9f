import type { AnalysisMethod } from '../../model/method.ts';
import type { RoiReference } from './shiftFit.ts';

/** What the shift of every ROI is measured from. */
export interface Reference {
  method: AnalysisMethod;
  /** Counts without light. */
  darkLevel: number;
  darkSource: 'configured' | 'estimated';
  /** By label. A ROI without a line in the reference's frames has none. */
  rois: ReadonlyMap<string, ReferenceRoi>;
}

/** One ROI of the reference. */
export interface ReferenceRoi {
  /** Mean of the frames' positions, and its standard error, pixels. */
  position: number;
  positionError: number;
  /** Null: the ROI has no static pattern to compare, only positions (methods that fit no line). */
  fit: FittedReference | null;
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
  rois: RoiHeader[];
}

interface RoiHeader {
  label: string;
  position: number;
  positionError: number;
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
export function encodeReference({ method, darkLevel, darkSource, rois }: Reference): Uint8Array<ArrayBuffer> {
  const header: Header = { method, darkLevel, darkSource, rois: [] };
  const parts: ArrayBufferView[] = [];
  for (const [label, { position, positionError, fit }] of rois) {
    header.rois.push({ label, position, positionError, fit: fit && headerOf(fit) });
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
  for (const { label, position, positionError, fit } of header.rois) {
    if (fit === null) {
      rois.set(label, { position, positionError, fit });
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
    rois.set(label, { position, positionError, fit: { layout, sign, parameters, information, logs, byX, byY, noise } });
  }
  const { method, darkLevel, darkSource } = header;
  return { method, darkLevel, darkSource, rois };
}
