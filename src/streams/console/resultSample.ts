import { localIso, parseIso } from '../../model/localTime.ts';

/** What a chart needs of one result line. */
export interface ResultSample {
  /** When the image was taken, milliseconds since 1970 UTC. */
  at: number;
  /** ROIs in the order of the line. */
  labels: readonly string[];
  /** Of each ROI, pixels; NaN where it has none. */
  positions: Float64Array;
  /** Degrees Celsius by sensor; silent ones are left out. */
  temperatures: Readonly<Record<string, number>>;
}

/**
 * Reads a line of `processing_results.jsonl` (with or without its newline). Null when it is no result, or one of an image
 * that could not be analysed.
 *
 * A line of 644 ROIs has half a megabyte, nearly all of it parameters. So a line as this program writes it is searched for
 * its positions and not parsed; whatever looks otherwise in any detail is parsed as a whole.
 */
export function readResultSample(line: Buffer): ResultSample | null {
  // One byte, one character: what is found in the text stands at the same place in the bytes.
  const text = line.toString('latin1', 0, line.at(-1) === newline ? line.length - 1 : line.length);
  const quick = searchLine(line, text);
  return quick === undefined ? parseLine(line) : quick;
}

const newline = 0x0a;
const analysisKey = ',"image_analysis":';
const roiStart = '{"ROI-label":"';
const positionKey = '"position":';
const afterPosition = ',"uncertainty":';

/**
 * Undefined when the line is not exactly of the known form. No key or marker can be found inside a string: quotes in there
 * have a backslash before them. What is between two ROIs' beginnings must hold one position only, where it belongs.
 */
function searchLine(line: Buffer, text: string): ResultSample | null | undefined {
  const analysis = text.indexOf(analysisKey);
  if (analysis < 0 || !text.endsWith('}]}')) return undefined;
  // The end of a torn line with another behind it.
  if (text.includes(analysisKey, analysis + 1)) return undefined;
  let head: unknown;
  try {
    head = JSON.parse(`${line.toString('utf8', 0, analysis)}}`);
  } catch {
    return undefined;
  }
  const labels: string[] = [];
  const positions: number[] = [];
  let start = text.indexOf(roiStart, analysis);
  if (start < 0) return undefined;
  let found = text.indexOf(positionKey, analysis);
  while (start >= 0) {
    const labelStart = start + roiStart.length;
    const labelEnd = text.indexOf('"', labelStart);
    const next = text.indexOf(roiStart, labelEnd);
    if (text[labelEnd - 1] === '\\' || found < labelEnd || (next >= 0 && found > next)) return undefined;
    const valueStart = found + positionKey.length;
    const valueEnd = text.indexOf(',', valueStart);
    if (valueEnd < 0 || !text.startsWith(afterPosition, valueEnd)) return undefined;
    const value = text.slice(valueStart, valueEnd);
    const position = value === 'null' ? Number.NaN : Number(value);
    if (value === '' || (Number.isNaN(position) && value !== 'null')) return undefined;
    found = text.indexOf(positionKey, valueEnd);
    if (found >= 0 && (next < 0 || found < next)) return undefined;
    labels.push(line.toString('utf8', labelStart, labelEnd));
    positions.push(position);
    start = next;
  }
  return sampleOf(head, labels, Float64Array.from(positions));
}

function parseLine(line: Buffer): ResultSample | null {
  let result: unknown;
  try {
    result = JSON.parse(line.toString());
  } catch {
    return null;
  }
  const analysis = (result as { image_analysis?: unknown } | null)?.image_analysis;
  if (!Array.isArray(analysis)) return null;
  const labels: string[] = [];
  const positions: number[] = [];
  for (const roi of analysis as ({ 'ROI-label'?: unknown; position?: unknown } | null)[]) {
    if (typeof roi?.['ROI-label'] !== 'string') continue;
    labels.push(roi['ROI-label']);
    positions.push(typeof roi.position === 'number' ? roi.position : Number.NaN);
  }
  return sampleOf(result, labels, Float64Array.from(positions));
}

function sampleOf(head: unknown, labels: readonly string[], positions: Float64Array): ResultSample | null {
  const {
    image_timestamp,
    image_timestamp_utc,
    manifest_entry_timestamp,
    processing_successful,
    temperature_readings,
  } = (head ?? {}) as Readonly<Record<string, unknown>>;
  if (processing_successful === false || labels.length === 0) return null;
  // Within the hour that comes twice in autumn, only UTC tells which of the two it is.
  const instant = typeof image_timestamp_utc === 'string' ? parseIso(image_timestamp_utc) : Number.NaN;
  const isHere = !Number.isNaN(instant) && localIso(instant) === image_timestamp;
  const at = [isHere ? image_timestamp_utc : null, image_timestamp, manifest_entry_timestamp]
    .map(time => (typeof time === 'string' ? parseIso(time) : Number.NaN))
    .find(time => !Number.isNaN(time));
  if (at === undefined) return null;
  const temperatures = Object.entries((temperature_readings ?? {}) as Record<string, unknown>).filter(
    (reading): reading is [string, number] => typeof reading[1] === 'number',
  );
  return { at, labels, positions, temperatures: Object.fromEntries(temperatures) };
}
