import type { Files } from '../../src/files/files.ts';
import { Manifest, type ManifestOptions } from '../../src/manifest/manifest.ts';
import type { Entry, ProcessIdentity } from '../../src/model/entry.ts';
import { exclusiveHere } from './exclusiveHere.ts';

/** Where the manifest of a test in memory stands. */
export const manifestFile = '/root/data/metadata_manifest.json';

export const identity = (pid: number): ProcessIdentity => ({ host: 'pi', boot_id: 'boot', pid, pid_start: pid });

/** A pending entry as the collector makes it. */
export function sampleEntry(id: string, set: Partial<Entry> = {}): Entry {
  return {
    entry_id: id,
    entry_timestamp_iso: '2025-07-24T13:45:13.569672',
    collection_error: false,
    collection_error_msg: null,
    camera_data: {
      type: 'image',
      filename: `image_${id}.png`,
      filepath: '/root/data/20250724',
      timestamp_iso: '2025-07-24T13:45:13.569672',
      camera_index: 0,
      error_flag: false,
      error_message: null,
      original: false,
    },
    temperature_data: null,
    processing_status: 'pending',
    processing_timestamp_iso: null,
    processing_error: false,
    processing_error_msg: null,
    compression_attempted: false,
    image_synced: false,
    data_transmitted: false,
    timestamp_utc: '2025-07-24T12:45:13.569672Z',
    monotonic_ms: 0,
    boot_id: 'boot',
    clock_synced: true,
    timestamp_source: 'camera',
    run_id: 'run',
    rev: 0,
    attempt: 0,
    claims: {},
    ...set,
  };
}

/** Nothing is left to do with it, as the graph decides it with every service off. */
export const isSettled = (entry: Entry): boolean =>
  Object.keys(entry.claims).length === 0 &&
  (entry.processing_status === 'failed' ||
    entry.processing_status === 'skip' ||
    (entry.processing_status === 'processed' && entry.data_transmitted));

let writers = 0;

/** Options of a manifest on some files; every call is another writer. */
export function sampleOptions(files: Files, changes: Partial<ManifestOptions> = {}): ManifestOptions {
  let now = 1_753_364_713_000;
  return {
    file: manifestFile,
    files,
    isSettled,
    note: () => undefined,
    exclusive: exclusiveHere(),
    liveEntries: 5_000,
    writer: `w${writers++}`,
    clock: { now: () => now++, monotonic: () => now++ },
    own: identity(1),
    liveness: () => 'alive',
    ...changes,
  };
}

export const openSample = (files: Files, changes: Partial<ManifestOptions> = {}): Promise<Manifest> =>
  Manifest.open(sampleOptions(files, changes));

export const ids = (entries: Iterable<Entry>): string[] => [...entries].map(entry => entry.entry_id);
