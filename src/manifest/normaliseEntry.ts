import { createHash } from 'node:crypto';
import type { Claim, Entry, ProcessingStatus } from '../model/entry.ts';
import { untouchedEntry } from './untouchedEntry.ts';

const statuses: readonly ProcessingStatus[] = ['pending', 'processing', 'processed', 'failed', 'skip'];

/**
 * The id of an entry that has none (the Python system's, or added by hand), and of an imported image: from folder, name
 * and time, so that two processes, or two imports of one folder, agree.
 */
export function deterministicId(filepath: string, filename: string, timestamp: string): string {
  return `i-${createHash('sha256').update(`${filepath}\0${filename}\0${timestamp}`).digest('hex').slice(0, 24)}`;
}

/**
 * Makes an entry of what a manifest file holds: fields that are missing take what they meant in the Python system, all
 * others stay as they are. `ordinal` tells apart entries that agree in path, name and time.
 *
 * @returns the entry, or text that says why it can't be one.
 */
export function normaliseEntry(raw: Readonly<Record<string, unknown>>, ordinal = 0): Entry | string {
  const camera = (raw.camera_data ?? null) as Entry['camera_data'];
  const timestamp = String(raw.entry_timestamp_iso ?? camera?.timestamp_iso ?? '');
  if (camera !== null && (typeof camera !== 'object' || typeof camera.filename !== 'string')) {
    return 'camera_data has no filename';
  }
  if (camera === null && timestamp === '') return 'neither camera_data nor entry_timestamp_iso is there';
  const status = (raw.processing_status ?? 'pending') as ProcessingStatus;
  if (!statuses.includes(status)) {
    return `processing_status is ${JSON.stringify(status)}; one of ${statuses.join(', ')} is allowed`;
  }
  const ownId = raw.entry_id;
  const id =
    typeof ownId === 'string' && ownId !== ''
      ? ownId
      : deterministicId(camera?.filepath ?? '', camera?.filename ?? '', timestamp) + (ordinal ? `-${ordinal}` : '');
  const claims = claimsOf(raw.claims);
  return {
    ...untouchedEntry,
    ...Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, isTooDeep(value) ? tooDeep : value])),
    // A revision that is no number would never be followed by another: the entry could not change any more.
    rev: countOf(raw.rev),
    attempt: countOf(raw.attempt),
    entry_id: id,
    entry_timestamp_iso: timestamp,
    camera_data: camera && { ...camera, original: camera.original ?? false },
    claims,
    // The Python system had no claims: what it left in `processing` nobody works on.
    processing_status: status === 'processing' && !claims.processor ? 'pending' : status,
  };
}

/** Nothing that is meant is nested deeper, and what is can't be written: JSON is made by a function that calls itself. */
const maxLevels = 100;
const tooDeep = `(left out: a value of more than ${maxLevels} levels)`;

function isTooDeep(value: unknown, levels = maxLevels): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(each => isTooDeep(each, levels - 1));
}

function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}

/** Claims that name an owner; the others nobody could ever end. */
function claimsOf(value: unknown): Entry['claims'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const named = Object.entries(value as Record<string, Partial<Claim> | null>).filter(
    ([, claim]) =>
      typeof claim?.host === 'string' && typeof claim.boot_id === 'string' && typeof claim.pid === 'number',
  );
  return Object.fromEntries(named) as Entry['claims'];
}
