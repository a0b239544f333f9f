import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { nodeFiles } from '../files/files.ts';
import { livenessOf } from '../files/processIdentity.ts';
import { findImage } from '../image/findImage.ts';
import { isFree } from '../manifest/isFree.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { isRemoved } from '../manifest/workRules.ts';
import { type Entry, isBrightfield, type ProcessingStatus } from '../model/entry.ts';
import { parseIso } from '../model/localTime.ts';
import { SourceError } from '../streams/folder/sourceError.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { zoneMinutesOf } from '../streams/folder/wallTime.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

export interface RequeueOptions {
  status?: ProcessingStatus;
  from?: string;
  to?: string;
  every?: number;
  skip?: true;
  yes?: true;
  dryRun?: true;
  json?: true;
}

/** What would be changed, and what is left alone. */
export interface Selection {
  /** Oldest first; the live entries last, with `segment` null. */
  groups: { segment: string | null; ids: Set<string> }[];
  count: number;
  byStatus: Partial<Record<ProcessingStatus, number>>;
  inFlight: number;
  withoutImage: number;
}

/**
 * What a requeue would change. Reads all entries, the archived ones too, without a lock, and writes nothing.
 * @throws ExitError `usage` for times that are none.
 */
export async function selectEntries(
  options: RequeueOptions,
  paths: ResolvedPaths,
  warn: (message: string) => void,
): Promise<Selection> {
  const target: ProcessingStatus = options.skip ? 'skip' : 'pending';
  const wanted: readonly ProcessingStatus[] = options.status
    ? [options.status]
    : options.skip
      ? ['pending', 'processed', 'failed']
      : ['processed', 'failed'];
  const isInTime = timesOf(options);
  const selection: Selection = { groups: [], count: 0, byStatus: {}, inFlight: 0, withoutImage: 0 };
  const found: { segment: string | null; chosen: Map<string, ProcessingStatus> }[] = [];
  for await (const { segment, entries } of readEntries({
    file: paths.manifestFile,
    files: nodeFiles,
    isSettled,
    note: (level, message) => (level === 'info' ? undefined : warn(message)),
  })) {
    const chosen = new Map<string, ProcessingStatus>();
    for (const entry of entries) {
      const { processing_status: status } = entry;
      if (isBrightfield(entry.camera_data) || status === target || !wanted.includes(status) || !isInTime(entry))
        continue;
      if (!isFree(entry, livenessOf)) selection.inFlight++;
      else if (!options.skip && !(await hasImage(entry, paths.data))) selection.withoutImage++;
      else chosen.set(entry.entry_id, status);
    }
    found.push({ segment, chosen });
  }
  const every = options.every ?? 1;
  let place = 0;
  // The archive comes newest first, and the live entries are the newest of all.
  for (const { segment, chosen } of found.reverse()) {
    const ids = new Set<string>();
    for (const [id, status] of chosen) {
      if (place++ % every !== 0) continue;
      ids.add(id);
      selection.count++;
      selection.byStatus[status] = (selection.byStatus[status] ?? 0) + 1;
    }
    if (ids.size > 0) selection.groups.push({ segment, ids });
  }
  return selection;
}

function timesOf({ from, to }: RequeueOptions): (entry: Entry) => boolean {
  try {
    return entryTimes(from, to);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new ExitError(exitCodes.usage, error.message, { cause: error });
  }
}

/** One that the ring buffer has removed has none, though its copy on the share may be in reach. */
async function hasImage(entry: Entry, dataFolder: string): Promise<boolean> {
  const { camera_data: camera } = entry;
  if (!camera || isRemoved(entry)) return false;
  return findImage(camera, dataFolder, nodeFiles).then(
    () => true,
    () => false,
  );
}

/** A moment that `--from` or `--to` names: ms since 1970, of the images' own clock or, when it was given with a zone, UTC. */
interface Bound {
  ms: number;
  zoned: boolean;
}

const zone = /^(.*\d\d:\d\d.*?)\s*(Z|[+-]\d\d:?\d\d)$/;

/**
 * Whether an entry's image was taken from `from` to `to`. Both are local times as `replay` takes them, or carry a zone; `to`
 * takes in the whole of what it names: the day of `2025-07-24`, the minute of `2025-07-24T13:45Z`.
 *
 * @throws SourceError `usage` for text that is no time, and for a `from` that is later than `to`.
 */
export function entryTimes(from: string | undefined, to: string | undefined): (entry: Entry) => boolean {
  const first = from === undefined ? null : bound(from, local => timeRange(local, undefined).from);
  const last = to === undefined ? null : bound(to, local => timeRange(undefined, local).end);
  if (first && last && first.zoned === last.zoned && first.ms >= last.ms)
    throw new SourceError('usage', `from ${from} is later than to ${to}`);
  return entry => {
    const { timestamp_utc: utc, camera_data: camera, entry_timestamp_iso: recorded } = entry;
    const taken = camera?.timestamp_iso ?? recorded;
    const at = ({ zoned }: Bound): number => (zoned ? parseIso(utc ?? taken) : parseIso(`${taken}Z`));
    return (!first || at(first) >= first.ms) && (!last || at(last) < last.ms);
  };
}

function bound(text: string, msOf: (local: string) => number): Bound {
  const [, local, offset] = zone.exec(text.trim()) ?? [];
  if (local === undefined) return { ms: msOf(text), zoned: false };
  return { ms: msOf(local) - zoneMinutesOf(offset)! * 60_000, zoned: true };
}
