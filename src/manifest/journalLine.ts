import { crc32 } from 'node:zlib';
import type { Change } from './change.ts';

/** Version of the journal's form; a journal of a newer one is refused. */
export const journalFormat = 1;

/**
 * First line of a journal: its number, and up to which byte the journal before it counts. Null: none does; the snapshot holds all that was
 * before.
 */
export interface JournalHeader {
  journal: number;
  format: number;
  sealed: { number: number; length: number } | null;
}

/** A snapshot as a journal knows it. */
export interface PublishedSnapshot {
  size: number;
  crc: string;
}

/** Says which snapshot was published from the state at the beginning of this journal. */
export interface SnapshotMark {
  snapshot: PublishedSnapshot;
  /** The state was built on a snapshot that no journal knew (edited by hand): who built on another reads all anew. */
  anew?: true;
}

export type JournalRecord = Change | JournalHeader | SnapshotMark;

const form = /^\{"len":(\d+),"crc":"([0-9a-f]{8})","record":/;
const hex = (crc: number): string => crc.toString(16).padStart(8, '0');

/**
 * One record as journal text. It begins and ends with a newline, so that a torn line before or behind it never takes it
 * along, and carries length and CRC-32 of the record's bytes.
 */
export function encodeLine(record: JournalRecord): string {
  const text = JSON.stringify(record);
  return `\n{"len":${Buffer.byteLength(text)},"crc":"${hex(crc32(text))}","record":${text}}\n`;
}

/** The record of a line (without its newlines), or null for a torn, damaged or foreign line. */
export function parseLine(line: string): JournalRecord | null {
  const match = form.exec(line);
  if (!match || !line.endsWith('}')) return null;
  const text = line.slice(match[0].length, -1);
  if (Buffer.byteLength(text) !== Number(match[1]) || hex(crc32(text)) !== match[2]) return null;
  const record = JSON.parse(text) as JournalRecord | null;
  return typeof record === 'object' ? record : null;
}

/**
 * A writer that finds a torn line puts this behind it. If only its last newline is missing, the one with which the next line
 * begins would make it whole, and it would count before what was written without knowing of it.
 */
export const tornMark = '#';

/**
 * Whether a line that can't be parsed, and has an end, was changed after it had been written. One that was cut short, or that a power
 * cut left as zeros, was never acknowledged, and whoever wrote next has marked it.
 */
export function isChangedLine(line: string): boolean {
  if (line.endsWith(tornMark)) return false;
  if (line.includes('\0')) return true;
  const [head, length] = form.exec(line) ?? [];
  return head !== undefined && Buffer.byteLength(line) >= head.length + Number(length) + 1;
}

export const isHeader = (record: JournalRecord): record is JournalHeader => 'journal' in record;
export const isSnapshotMark = (record: JournalRecord): record is SnapshotMark => 'snapshot' in record;

/** CRC-32 in the form that journals carry, over chunks. */
export class Checksum {
  #value = 0;

  add(chunk: Uint8Array): void {
    this.#value = crc32(chunk, this.#value);
  }

  text(): string {
    return hex(this.#value);
  }
}
