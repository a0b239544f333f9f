/**
 * Times of the images of a Micro-Manager run, from its `metadata.txt` (1.4: blocks `FrameKey-<frame>-<channel>-<slice>`;
 * 2.0: blocks `Metadata-<path>`). The file may have hundreds of megabytes and, when the run was cut off, no end: it is
 * read as a stream of JSON tokens, keeps a name and two times a frame, and what stands whole before the cut counts.
 */

import { createReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';
import { elapsedBetween, later, parseWallTime, type WallTime } from './wallTime.ts';

export interface MicroManagerMetadata {
  /** Time by file name (the last part of it: it is only ever compared with names that a folder really lists). */
  times: ReadonlyMap<string, WallTime>;
  /** Blocks that describe a frame of this folder. */
  frames: number;
  /** `ElapsedTime-ms` stands still or starts again, so that `ReceivedTime` (or `Time`) is used. */
  stopWatchFails: boolean;
  /** The first time written for a frame that is in no known form. */
  unreadTime: string | null;
  /** A file that holds many frames (Micro-Manager's image stacks), with how many; null when there is none. */
  stack: { name: string; frames: number } | null;
  /** The file ends before its closing brace. */
  cutOff: boolean;
}

/** What is kept of a block while it is read. */
interface Block {
  key: string;
  FileName: string | null;
  StartTime: string | null;
  ReceivedTime: string | null;
  Time: string | null;
  'ElapsedTime-ms': string | null;
}

const fields = ['FileName', 'StartTime', 'ReceivedTime', 'Time', 'ElapsedTime-ms'] as const;
type Field = (typeof fields)[number];
const fieldLengths = new Set<number>(fields.map(field => field.length));
/** A token longer than this is no JSON of Micro-Manager's: a quote is missing. */
const tokenLimit = 1 << 22;

const quote = 0x22;
const backslash = 0x5c;
const newline = 0x0a;

/**
 * Reads a metadata file.
 *
 * @throws Node's error when it can't be read, the signal's reason when aborted.
 */
export async function readMicroManagerMetadata(path: string, signal?: AbortSignal): Promise<MicroManagerMetadata> {
  const reader = new MetadataReader();
  const stream = createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) });
  for await (const chunk of stream) reader.push(chunk as Buffer);
  return reader.end(basename(dirname(path)));
}

/** Takes the file in pieces of any size. */
export class MetadataReader {
  #carry: Buffer = Buffer.alloc(0);
  #depth = 0;
  #opened = false;
  #isValue = false;
  #field: Field | null = null;
  #nextKey = '';
  #block: Block | null = null;
  #start: string | null = null;
  readonly #blocks: Block[] = [];

  push(chunk: Buffer): void {
    const data = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    this.#carry = data.subarray(this.#scan(data));
    if (this.#carry.length > tokenLimit) this.#carry = Buffer.alloc(0);
    // A copy, so that a tail of a few bytes does not keep a megabyte alive.
    else this.#carry = Buffer.from(this.#carry);
  }

  /** @param folder name of the folder that the file is in: a file of several positions names images of other folders too. */
  end(folder = ''): MicroManagerMetadata {
    const cutOff = this.#opened && this.#depth > 0;
    this.#close();
    const start = this.#start === null ? null : parseWallTime(this.#start);
    const frames = inFolder(this.#blocks, folder);
    const elapsed = frames.map(({ block }) => elapsedOf(block, start));
    const stopWatchFails = doesFail(frames, elapsed);
    const times = new Map<string, WallTime>();
    const perFile = new Map<string, number>();
    let stack: MicroManagerMetadata['stack'] = null;
    for (const [i, { name, block }] of frames.entries()) {
      const count = (perFile.get(name) ?? 0) + 1;
      perFile.set(name, count);
      if (count > (stack?.frames ?? 1)) stack = { name, frames: count };
      const time = (stopWatchFails ? null : elapsed[i]) ?? receivedOf(block);
      if (time && !times.has(name)) times.set(name, time);
    }
    const written = frames.find(
      ({ block }) => (block.ReceivedTime ?? block.Time) !== null && !receivedOf(block),
    )?.block;
    const unreadTime = written ? (written.ReceivedTime ?? written.Time) : null;
    return { times, frames: frames.length, stopWatchFails, unreadTime, stack, cutOff };
  }

  /** Reads whole tokens and returns where the first one begins that is not whole yet. */
  #scan(data: Buffer): number {
    const length = data.length;
    let i = 0;
    while (i < length) {
      const c = data[i];
      if (c <= 0x20) i++;
      else if (c === quote) {
        let end = i + 1;
        while (end < length) {
          const d = data[end];
          // JSON has no line breaks within strings: one there means that the closing quote is missing.
          if (d === quote || d === newline) break;
          end += d === backslash ? 2 : 1;
        }
        if (end >= length) return i;
        this.#string(data, i + 1, end);
        i = end + 1;
      } else if (c === 0x7b || c === 0x5b) {
        this.#opened = true;
        this.#depth++;
        if (this.#depth === 2 && this.#isValue) this.#open();
        this.#isValue = false;
        this.#field = null;
        i++;
      } else if (c === 0x7d || c === 0x5d) {
        if (this.#depth === 2) this.#close();
        this.#depth = Math.max(0, this.#depth - 1);
        this.#isValue = false;
        i++;
      } else if (c === 0x3a) {
        this.#isValue = true;
        i++;
      } else if (c === 0x2c) {
        this.#isValue = false;
        this.#field = null;
        i++;
      } else {
        let end = i + 1;
        while (end < length && isScalar(data[end])) end++;
        if (end >= length) return i;
        this.#value(data, i, end);
        i = end;
      }
    }
    return length;
  }

  #string(data: Buffer, from: number, to: number): void {
    if (this.#isValue) {
      this.#value(data, from, to);
      return;
    }
    // A block's key puts the depth right again after damage in the block before it.
    if (this.#depth !== 1 && startsBlock(data, from, to)) {
      this.#close();
      this.#depth = 1;
    }
    if (this.#depth === 1) this.#nextKey = data.toString('utf8', from, to);
    else if (this.#depth === 2 && this.#block && fieldLengths.has(to - from)) {
      const name = data.toString('latin1', from, to);
      this.#field = fields.includes(name as Field) ? (name as Field) : null;
    }
  }

  #value(data: Buffer, from: number, to: number): void {
    if (this.#isValue && this.#depth === 2 && this.#block && this.#field) {
      const raw = data.toString('utf8', from, to);
      this.#block[this.#field] = raw.includes('\\') ? unescapeJson(raw) : raw;
      this.#field = null;
    }
    this.#isValue = false;
  }

  #open(): void {
    const key = this.#nextKey;
    const wanted = key === 'Summary' || key.startsWith('FrameKey-') || key.startsWith('Metadata-');
    if (wanted)
      this.#block = { key, FileName: null, StartTime: null, ReceivedTime: null, Time: null, 'ElapsedTime-ms': null };
  }

  #close(): void {
    const block = this.#block;
    this.#block = null;
    if (!block) return;
    if (block.key === 'Summary') this.#start = block.StartTime ?? block.Time;
    else this.#blocks.push(block);
  }
}

const isScalar = (c: number): boolean =>
  c > 0x20 && c !== 0x2c && c !== 0x7d && c !== 0x5d && c !== 0x3a && c !== quote;

function startsBlock(data: Buffer, from: number, to: number): boolean {
  const c = data[from];
  if ((c !== 0x46 && c !== 0x4d) || to - from < 10) return false;
  const start = data.toString('latin1', from, from + 9);
  return start === 'FrameKey-' || start === 'Metadata-';
}

/** JSON's escapes; text that is not valid JSON stays as it is (it will match no file). */
function unescapeJson(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

interface NamedBlock {
  name: string;
  /** The folder in which the file was written; empty when it is not told. */
  parent: string;
  block: Block;
}

/** Frames of images in `folder`, as far as the paths in the file tell: a folder that was renamed holds them all. */
function inFolder(blocks: readonly Block[], folder: string): NamedBlock[] {
  const named: NamedBlock[] = [];
  const parents = new Set<string>();
  for (const block of blocks) {
    const path = block.FileName ?? (block.key.startsWith('Metadata-') ? block.key.slice('Metadata-'.length) : '');
    const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
    const name = path.slice(end + 1);
    const parent =
      end < 0 ? '' : path.slice(Math.max(path.lastIndexOf('/', end - 1), path.lastIndexOf('\\', end - 1)) + 1, end);
    parents.add(parent);
    if (name !== '') named.push({ name, parent, block });
  }
  const own = [...parents].filter(parent => foldedName(parent) === foldedName(folder));
  return own.length === 0 ? named : named.filter(({ parent }) => parent === '' || own.includes(parent));
}

/** Names that differ in case or in the form of their accents only (a Mac writes them decomposed) are equal in this form. */
export const foldedName = (name: string): string => name.normalize('NFC').toLowerCase();

/** Start of the run plus the frame's own stop-watch, which has fractions of milliseconds. */
function elapsedOf(block: Block, start: WallTime | null): WallTime | null {
  const elapsed = block['ElapsedTime-ms'] === null ? Number.NaN : Number(block['ElapsedTime-ms']);
  return start && Number.isFinite(elapsed) ? later(start, elapsed) : null;
}

/** The time written for the frame. */
const receivedOf = (block: Block): WallTime | null =>
  parseWallTime(block.ReceivedTime ?? '') ?? parseWallTime(block.Time ?? '');

/** Whether the stop-watch stands still, or goes back, at more frames than the time that was written for them. */
function doesFail(frames: readonly NamedBlock[], elapsed: readonly (WallTime | null)[]): boolean {
  const stands = (times: readonly (WallTime | null)[], i: number): boolean => {
    const [before, now] = [times[i - 1], times[i]];
    return before != null && now != null && elapsedBetween(before, now) <= 0;
  };
  const places = [...frames.keys()].slice(1);
  if (!places.some(i => stands(elapsed, i))) return false;
  const received = frames.map(({ block }) => receivedOf(block));
  const failures = (one: readonly (WallTime | null)[], other: readonly (WallTime | null)[]): number =>
    places.filter(i => other[i - 1] && other[i] && stands(one, i) && !stands(other, i)).length;
  return failures(elapsed, received) > failures(received, elapsed);
}
