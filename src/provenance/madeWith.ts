import { z } from 'zod';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Files } from '../files/files.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { clockIso, parseIso } from '../model/localTime.ts';

const kinds = ['code_version', 'config_hash', 'roi_manifest_hash', 'reference'] as const;
type Made = Readonly<Record<(typeof kinds)[number], string | null>>;

/** What results were made with, of each kind: one after the other in order of their images, each with the time of the first image that it counts for. */
export type MadeWith = Readonly<Record<(typeof kinds)[number], readonly { value: string; since: string }[]>>;

export interface MadeWithOptions {
  paths: Pick<ResolvedPaths, 'manifestFile' | 'results'>;
  files: Files;
  /** Of local time, ms, from `from` up to but without `end`. */
  span: { from: number; end: number };
  warn: (message: string) => void;
}

/** So many results are looked at, and more where what they were made with has changed between two. */
const sampled = 256;
const mostLooked = 2048;
/** What identifies a result stands so near to the beginning of its line. */
const headBytes = 2048;

const headSchema = z.object({
  code_version: z.string().nullish(),
  config_hash: z.string().nullish(),
  roi_manifest_hash: z.string().nullish(),
  reference: z.string().nullish(),
});

/** Where the result of an image stands that counts. */
interface Place {
  time: number;
  segment: number;
  offset: number;
}

/**
 * What the results of a span of time were made with, as their lines say. Reads the manifest, and of the results the beginnings of a few hundred: what has
 * changed and changed back between two of these is not seen.
 *
 * @throws the file system's errors
 */
export async function madeWith({ paths, files, span, warn }: MadeWithOptions): Promise<MadeWith> {
  const places: Place[] = [];
  const note = (level: string, message: string): void => (level === 'info' ? undefined : warn(message));
  for await (const { entries } of readEntries({ file: paths.manifestFile, files, isSettled, note })) {
    for (const { result, camera_data: camera } of entries) {
      if (!result || !camera) continue;
      const time = parseIso(`${camera.timestamp_iso}Z`);
      if (time >= span.from && time < span.end) places.push({ time, segment: result.segment, offset: result.offset });
    }
  }
  places.sort((a, b) => a.time - b.time);
  const log = new SegmentedFile(files, paths.results, 'processing_results', 'jsonl');
  const looked = new Map<number, Made | null>();
  const look = async (at: number): Promise<Made | null> => {
    if (!looked.has(at)) looked.set(at, await headOf(log, files, places[at]!));
    return looked.get(at)!;
  };
  const between = async (low: number, high: number): Promise<void> => {
    if (high - low < 2 || looked.size >= mostLooked || isSame(await look(low), await look(high))) return;
    const middle = (low + high) >> 1;
    await look(middle);
    await between(low, middle);
    await between(middle, high);
  };
  const count = Math.min(sampled, places.length);
  const samples = Array.from({ length: count }, (_, i) =>
    Math.round((i * (places.length - 1)) / Math.max(1, count - 1)),
  );
  for (const at of samples) await look(at);
  for (let i = 1; i < samples.length; i++) await between(samples[i - 1]!, samples[i]!);
  const inOrder = [...looked].sort(([a], [b]) => a - b);
  const found = Object.fromEntries(kinds.map(kind => [kind, [] as { value: string; since: string }[]]));
  for (const [at, made] of inOrder) {
    for (const kind of kinds) {
      const value = made?.[kind] ?? null;
      if (value !== null && value !== found[kind]!.at(-1)?.value)
        found[kind]!.push({ value, since: clockIso(places[at]!.time) });
    }
  }
  return found as unknown as MadeWith;
}

const isSame = (a: Made | null, b: Made | null): boolean =>
  a === null || b === null || kinds.every(kind => a[kind] === b[kind]);

/** Null where no line begins there, or it would be dear to find: a compressed segment is unpacked from its beginning. */
async function headOf(log: SegmentedFile, files: Files, { segment, offset }: Place): Promise<Made | null> {
  if (offset > headBytes && (await files.stat(log.path(segment))) === null) return null;
  const parts: Buffer[] = [];
  try {
    for await (const part of log.read(segment, offset, offset + headBytes)) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const end = text.indexOf(',"manifest_entry_timestamp"');
    const head = headSchema.parse(JSON.parse(`${text.slice(0, end)}}`));
    return Object.fromEntries(kinds.map(kind => [kind, head[kind] ?? null])) as unknown as Made;
  } catch (error) {
    if (
      error instanceof SyntaxError ||
      error instanceof z.ZodError ||
      (error as NodeJS.ErrnoException).code === 'ENOENT'
    )
      return null;
    throw error;
  }
}

/** Changes that are told; of more, the first and the last. */
const mostTold = 6;

/** `a1b2; c3d4 from 2026-11-28 14:05:10 on`. @param wordsOf what is said of a value */
export function madeWords(made: MadeWith['reference'], wordsOf = (value: string): string => value): string {
  if (made.length === 0) return 'not known: no result says it';
  const words = made.map(({ value, since }, i) => `${wordsOf(value)}${i === 0 ? '' : ` ${sinceWords(since)}`}`);
  const left = words.length - mostTold;
  return (left > 0 ? [...words.slice(0, mostTold - 1), `${left} others`, words.at(-1)] : words).join('; ');
}

export const sinceWords = (since: string): string => `from ${since.slice(0, 19).replace('T', ' ')} on`;
