import { crc32 } from 'node:zlib';
import type { Change } from './change.ts';

/** Version of the journal's form; a journal of a newer one is refused. */
export const journalFormat = 1;

/** First line of a journal: its number, and up to which byte the journal before it counts. */
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

/** Says which snapshot was published from the state at this place. */
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
