import type { ManifestOptions } from '../../src/manifest/manifest.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { readEntries } from '../../src/manifest/readEntries.ts';
import type { Entry } from '../../src/model/entry.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { openResultsLog, type ResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { openCsv } from '../../src/sinks/table/csv.ts';
import { recoverySource } from '../../src/verify/recoverEntries.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import type { FaultyFiles } from '../world/faultyFiles.ts';
import { sampleEntry, sampleOptions } from '../world/sampleManifest.ts';

export const data = '/root/data';
export const day = `${data}/20250724`;
export const results = '/root/results';
export const table = `${results}/communicating_results.csv`;

const nameOf = (i: number): string => `image_20250724_1200${String(i).padStart(2, '0')}_000000_cam0.png`;
const timeOf = (i: number): string => `2025-07-24T12:00:${String(i).padStart(2, '0')}.000000`;

export const imageOf = (i: number): string => `${day}/${nameOf(i)}`;

/** An experiment in memory, worked on by hand with the real manifest, results log and table. */
export class MemoryExperiment {
  readonly files: FaultyFiles;
  /** What was said of a rebuilt manifest. */
  readonly told: string[] = [];

  constructor(files: FaultyFiles) {
    this.files = files;
  }

  open(changes: Partial<ManifestOptions> = {}): Promise<Manifest> {
    const { files, told } = this;
    const paths = { data, brightfield: '/root/brightfield', results, flags: '/root/flags', backup: '/root/backup' };
    const recovery = recoverySource({
      paths,
      files,
      now: () => 1_753_364_713_000,
      rebuilt: message => told.push(message),
    });
    return Manifest.open(sampleOptions(files, { recovery, liveness: () => 'gone', ...changes }));
  }

  async capture(manifest: Manifest, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) {
      this.files.put(imageOf(i), `image ${i}`);
      const entry = sampleEntry(`e${i}`, { entry_timestamp_iso: timeOf(i) });
      const camera = { ...entry.camera_data!, filename: nameOf(i), filepath: day, timestamp_iso: timeOf(i) };
      await manifest.offer([{ ...entry, camera_data: camera }]);
    }
  }

  log(): Promise<ResultsLog> {
    return openResultsLog({ folder: results, files: this.files, exclusive: exclusiveHere() });
  }

  /** Analyses what waits; `settle: false` dies between the result line and the manifest. */
  async analyse(manifest: Manifest, count: number, { settle = true } = {}): Promise<void> {
    const log = await this.log();
    for (const entry of await manifest.claim('processor', count, { place: await log.position() })) {
      const camera = entry.camera_data!;
      const timestamp = camera.timestamp_iso;
      const { image_analysis: analysis, ...head } = {
        ...sampleResult({ id: entry.entry_id, attempt: entry.attempt, labels: ['a', 'b'], timestamp }),
        manifest_entry_timestamp: entry.entry_timestamp_iso,
        image_filename: camera.filename,
      };
      const result = await log.append(composeResultLine(head, Buffer.from(JSON.stringify(analysis))));
      if (settle) await manifest.settle([entry], 'processor', { processing_status: 'processed', result });
    }
    await log.close();
  }

  async report(manifest: Manifest, count: number): Promise<void> {
    const log = await this.log();
    const csv = await openCsv({ folder: results, files: this.files });
    for (const entry of await manifest.claim('communicator', count, { place: csv.position() })) {
      await csv.append([await log.read(entry.result!)]);
      await manifest.settle([entry], 'communicator', { data_transmitted: true });
    }
    await log.close();
  }

  /** Every entry by its image, live ones before archived ones, as anybody reads them. */
  async entries(): Promise<Map<string, Entry>> {
    const found = new Map<string, Entry>();
    for await (const { entries } of readEntries(sampleOptions(this.files))) {
      for (const entry of entries) {
        const name = entry.camera_data!.filename;
        if (found.has(name)) throw new Error(`${name} has two entries`);
        found.set(name, entry);
      }
    }
    return new Map([...found].sort());
  }

  /** How often each image has a row of ROI `a` in the table. */
  rows(): number[] {
    const text = this.files.content(table)?.toString() ?? '';
    return Array.from({ length: 12 }, (_, i) => text.split(`${timeOf(i)},a,`).length - 1);
  }
}
