import { Manifest, type ManifestOptions } from '../../src/manifest/manifest.ts';
import type { QueueStage } from '../../src/manifest/stageWork.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { StageName } from '../../src/model/stageName.ts';
import type { ResultStore } from '../../src/operators/stage/experiment.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { openResultsLog, type ResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { exclusiveHere } from './exclusiveHere.ts';
import { FaultyFiles } from './faultyFiles.ts';
import { identity, sampleEntry, sampleOptions } from './sampleManifest.ts';

export const dataFolder = '/root/data';
export const brightfieldFolder = '/root/brightfield';
const day = `${dataFolder}/20250724`;

/** A manifest and a results log on files in memory, as one process sees them. Another process sees the same `files`. */
export class PipelineWorld {
  readonly files: FaultyFiles;
  readonly manifest: Manifest;
  readonly log: ResultsLog;
  /** Stands in front of every append to the log. */
  onAppend: () => Promise<void> = async () => undefined;

  private constructor(files: FaultyFiles, manifest: Manifest, log: ResultsLog) {
    this.files = files;
    this.manifest = manifest;
    this.log = log;
  }

  /** @param dead processes that are gone. */
  static async open(
    files = new FaultyFiles(),
    {
      pid = 1,
      dead = [],
      manifest: options = {},
    }: { pid?: number; dead?: readonly number[]; manifest?: Partial<ManifestOptions> } = {},
  ): Promise<PipelineWorld> {
    if (files.paths().length === 0) files.put(`${day}/other.txt`, '');
    const manifest = await Manifest.open(
      sampleOptions(files, {
        clock: { now: () => Date.now(), monotonic: () => Date.now() },
        own: identity(pid),
        liveness: ({ pid: other }) => (dead.includes(other) ? 'gone' : 'alive'),
        ...options,
      }),
    );
    const log = await openResultsLog({ folder: '/root/results', files, exclusive: exclusiveHere() });
    return new PipelineWorld(files, manifest, log);
  }

  get results(): ResultStore {
    return {
      append: async (head, analysis) => {
        await this.onAppend();
        return this.log.append(composeResultLine(head, analysis));
      },
      position: () => this.log.position(),
      find: (from, id, attempt) => this.log.find(from, id, attempt),
      read: location => this.log.read(location),
    };
  }

  /** Pending entries with their images. */
  async offer(...ids: string[]): Promise<void> {
    for (const id of ids) this.files.put(`${day}/image_${id}.png`, 'pixels');
    await this.manifest.offer(ids.map(id => sampleEntry(id)));
  }

  /** The same, analysed already. */
  async offerProcessed(...ids: string[]): Promise<void> {
    await this.offer(...ids);
    for (const entry of await this.manifest.claim('processor', ids.length, { place: await this.log.position() })) {
      await this.settleProcessed(entry);
    }
  }

  async settleProcessed(entry: Entry): Promise<void> {
    const result = await this.log.append(composeResultLine(resultHead(entry), null));
    await this.manifest.settle([entry], 'processor', { processing_status: 'processed', result });
  }

  get(id: string): Entry {
    return this.manifest.get(id)!;
  }

  /** Entries by what became of them. */
  ids(isSo: (entry: Entry) => boolean): string[] {
    return [...this.manifest.entries()].filter(isSo).map(entry => entry.entry_id);
  }

  waiting(stage: QueueStage): number {
    return this.manifest.waiting(stage);
  }

  claimed(stage: StageName): string[] {
    return this.ids(entry => entry.claims[stage] !== undefined);
  }

  /** Every line of the results log. */
  async lines(): Promise<{ id: string; attempt: number; error: string | null }[]> {
    const lines = [];
    for await (const { line } of this.log.lines()) {
      lines.push({ id: line.entry_id, attempt: line.attempt, error: line.processing_error_message });
    }
    return lines;
  }
}

export function resultHead(entry: Entry) {
  return {
    entry_id: entry.entry_id,
    attempt: entry.attempt,
    run_id: entry.run_id,
    config_hash: 'c',
    roi_manifest_hash: 'r',
    manifest_entry_timestamp: entry.entry_timestamp_iso,
    image_timestamp: entry.camera_data!.timestamp_iso,
    temperature_timestamp: null,
    image_filename: entry.camera_data!.filename,
    processing_timestamp_iso: '2025-07-24T13:45:20.000000',
    processing_successful: true,
    processing_error_message: null,
    temperature_readings: null,
  };
}
