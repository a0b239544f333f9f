import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Files, nodeFiles, type OpenFile, type OpenFlags } from '../src/files/files.ts';
import { ownIdentity } from '../src/files/processIdentity.ts';
import { Manifest } from '../src/manifest/manifest.ts';
import { systemClock } from '../src/model/clock.ts';
import type { Entry } from '../src/model/entry.ts';
import type { BenchRow } from './benchRow.ts';

/** Transactions asked for at the same moment: they share a commit, as those of a busy pipeline do. */
const concurrent = 50;
/** More than one cycle where a cycle is short, so that an fsync more or less does not show. */
const fewestChanges = 10_000;
const sizes = [
  ['1k', 1_000],
  ['10k', 10_000],
  ['100k', 100_000],
] as const;

interface Cost {
  /** Milliseconds a change. */
  ms: number;
  /** Bytes written a change. */
  bytes: number;
}

/**
 * What one change of one entry costs in a manifest of 1,000 to 100,000 entries that are not settled, compactions included: each
 * is measured over whole compaction cycles, twice, and the better counts: a machine that does other things besides shows in one. The
 * ratio is to 1,000 entries.
 */
export async function manifestBench(): Promise<BenchRow[]> {
  const costs: [string, Cost][] = [];
  for (const [name, size] of sizes) costs.push([name, await costOfChange(size)]);
  const [, first] = costs[0];
  return costs.flatMap(([name, { ms, bytes }]) => [
    { name: `manifest.change.${name}`, value: ms, unit: 'ms', against: 'manifest.change.1k', ratio: ms / first.ms },
    {
      name: `manifest.bytes.${name}`,
      value: bytes,
      unit: 'bytes/change',
      against: 'manifest.bytes.1k',
      ratio: bytes / first.bytes,
    },
  ]);
}

async function costOfChange(size: number): Promise<Cost> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-bench-'));
  const meter = new MeteredFiles();
  const manifest = await Manifest.open({
    file: join(folder, 'metadata_manifest.json'),
    files: meter,
    isSettled: () => false,
    note: (_level, message) => {
      throw new Error(message);
    },
    // One process alone: the lock between processes costs the same at any size and would only add noise.
    exclusive: work => work(),
    liveEntries: 5_000,
    writer: 'bench',
    clock: systemClock,
    own: ownIdentity,
    liveness: () => 'alive',
  });
  try {
    const entries = Array.from({ length: size }, (_, index) => benchEntry(index));
    await manifest.offer(entries);
    await manifest.compact();
    const first = await wholeCycles(manifest, meter);
    const second = await wholeCycles(manifest, meter);
    return first.ms < second.ms ? first : second;
  } finally {
    await manifest.close({ compact: false });
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the end of a compaction to the end of a later one. */
async function wholeCycles(manifest: Manifest, meter: MeteredFiles): Promise<Cost> {
  const { bytes } = meter;
  const start = performance.now();
  let changes = 0;
  for (let compactions = meter.compactions; changes < fewestChanges || meter.compactions === compactions; ) {
    if (changes < fewestChanges) compactions = meter.compactions;
    const claimed = await Promise.all(Array.from({ length: concurrent }, () => manifest.claim('processor', 1)));
    await Promise.all(claimed.map(claim => manifest.release(claim, 'processor')));
    changes += 2 * concurrent;
  }
  return { ms: (performance.now() - start) / changes, bytes: (meter.bytes - bytes) / changes };
}

/** The real file system, counted. */
class MeteredFiles implements Files {
  bytes = 0;
  compactions = 0;
  stat = nodeFiles.stat;
  list = nodeFiles.list;
  makeFolder = nodeFiles.makeFolder;
  remove = nodeFiles.remove;
  syncFolder = nodeFiles.syncFolder;
  nameHabit = nodeFiles.nameHabit;

  async open(path: string, flags: OpenFlags): Promise<OpenFile> {
    const file = await nodeFiles.open(path, flags);
    return {
      read: (into, position) => file.read(into, position),
      size: () => file.size(),
      truncate: length => file.truncate(length),
      sync: () => file.sync(),
      close: () => file.close(),
      write: async (data, position) => {
        const taken = await file.write(data, position);
        this.bytes += taken;
        return taken;
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await nodeFiles.rename(from, to);
    this.compactions++;
  }
}

function benchEntry(index: number): Entry {
  const time = new Date(1_753_364_713_000 + index * 5_000).toISOString().slice(0, 23);
  return {
    entry_id: `01JD${index.toString(36).padStart(22, '0')}`,
    entry_timestamp_iso: `${time}000`,
    collection_error: false,
    collection_error_msg: null,
    camera_data: {
      type: 'image',
      filename: `image_${time.replaceAll(/[-:T.]/g, '_')}_cam0.png`,
      filepath: '/home/phorest/data/20250724',
      timestamp_iso: `${time}000`,
      camera_index: 0,
      error_flag: false,
      error_message: null,
      original: false,
    },
    temperature_data: {
      type: 'temperature',
      timestamp_iso: `${time}000`,
      data: { 'Sensor 1': 21.437 },
      error_flag: false,
      error_message: null,
    },
    processing_status: 'pending',
    processing_timestamp_iso: null,
    processing_error: false,
    processing_error_msg: null,
    compression_attempted: false,
    image_synced: false,
    data_transmitted: false,
    timestamp_utc: `${time}000Z`,
    monotonic_ms: index * 5_000,
    boot_id: '3fe2ab8e-5f41-4d30-93c5-0c0e0c8e9a10',
    clock_synced: true,
    timestamp_source: 'camera',
    run_id: '20250724_134513',
    rev: 0,
    attempt: 0,
    claims: {},
  };
}
