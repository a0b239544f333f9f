import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { CommandDefinition } from '../../src/cli/commandDefinition.ts';
import { ConsoleOutput } from '../../src/cli/consoleOutput.ts';
import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { untouchedEntry } from '../../src/manifest/untouchedEntry.ts';
import { systemClock } from '../../src/model/clock.ts';
import type { Entry } from '../../src/model/entry.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { openResultsLog, type ResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { openCsv } from '../../src/sinks/table/csv.ts';
import { picture } from '../program/experiment.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';

export interface SampleRootOptions {
  images?: number;
  /** So many of the last wait for their analysis. */
  pending?: number;
  failed?: readonly number[];
  liveEntries?: number;
}

/** A root in which an experiment has been, made without running one. */
export class SampleRoot {
  readonly root: string;
  readonly manifestFile: string;
  readonly results: string;

  private constructor(root: string) {
    this.root = root;
    this.manifestFile = join(root, 'data', 'metadata_manifest.json');
    this.results = join(root, 'results');
  }

  /** Images 0 to `images - 1`, an image a second, all analysed and reported but the last `pending` and those in `failed`. */
  static async make(
    root: string,
    { images = 6, pending = 0, failed = [], liveEntries = 5_000 }: SampleRootOptions = {},
  ): Promise<SampleRoot> {
    const made = new SampleRoot(root);
    await mkdir(join(root, 'configs'), { recursive: true });
    await writeFile(join(root, 'configs', 'Phorest_config.toml'), `[Buffer]\nlive_entries = ${liveEntries}\n`);
    await mkdir(made.day, { recursive: true });
    const bytes = await picture(40, 20);
    for (let i = 0; i < images; i++) await writeFile(made.image(i), bytes);
    const manifest = await made.manifest(liveEntries);
    await manifest.offer(Array.from({ length: images }, (_, i) => made.entry(i)));
    await made.analyse(manifest, images - pending, failed);
    await made.report(manifest);
    await manifest.close({ compact: true });
    return made;
  }

  /** What stands in a folder already. */
  static at(root: string): SampleRoot {
    return new SampleRoot(root);
  }

  get day(): string {
    return join(this.root, 'data', '20250724');
  }

  /** Path of an image's file. */
  image(i: number): string {
    return join(this.day, `image_20250724_1200${String(i).padStart(2, '0')}_000000_cam0.png`);
  }

  entry(i: number): Entry {
    const time = timeOf(i);
    return {
      ...untouchedEntry,
      entry_id: `e${i}`,
      entry_timestamp_iso: time,
      camera_data: {
        type: 'image',
        filename: this.image(i).slice(this.day.length + 1),
        filepath: this.day,
        timestamp_iso: time,
        camera_index: 0,
        error_flag: false,
        error_message: null,
        original: false,
      },
      timestamp_utc: `${time}Z`,
      timestamp_source: 'camera',
    };
  }

  manifest(liveEntries = 5_000, changes: Partial<Parameters<typeof Manifest.open>[0]> = {}): Promise<Manifest> {
    return Manifest.open({
      file: this.manifestFile,
      files: nodeFiles,
      exclusive: fileLock(this.manifestFile),
      clock: systemClock,
      own: ownIdentity,
      liveness: livenessOf,
      liveEntries,
      isSettled,
      writer: `w${Math.random()}`,
      note: () => undefined,
      ...changes,
    });
  }

  log(): Promise<ResultsLog> {
    return openResultsLog({ folder: this.results, files: nodeFiles, exclusive: exclusiveHere() });
  }

  /** Images `from` to `to - 1`, which wait. */
  async offerMore(manifest: Manifest, from: number, to: number): Promise<void> {
    const bytes = await picture(40, 20);
    for (let i = from; i < to; i++) {
      await writeFile(this.image(i), bytes);
      await manifest.offer([this.entry(i)]);
    }
  }

  /** Analyses the next images that wait, with the real manifest and results log. */
  async analyse(manifest: Manifest, count: number, failed: readonly number[] = []): Promise<void> {
    const log = await this.log();
    const analyseOne = async (entry: Entry): Promise<void> => {
      const isFailed = failed.includes(Number(entry.entry_id.slice(1)));
      const { image_analysis: analysis, ...head } = sampleResult({
        id: entry.entry_id,
        attempt: entry.attempt,
        labels: ['a', 'b'],
        // The same image gives the same rows each time.
        position: index => 101 + index,
        timestamp: entry.camera_data!.timestamp_iso,
        failed: isFailed,
      });
      Object.assign(head, {
        image_filename: entry.camera_data!.filename,
        manifest_entry_timestamp: entry.entry_timestamp_iso,
      });
      const result = await log.append(composeResultLine(head, analysis && Buffer.from(JSON.stringify(analysis))));
      await manifest.settle([entry], 'processor', {
        processing_status: isFailed ? 'failed' : 'processed',
        processing_error: isFailed,
        data_transmitted: false,
        ...(isFailed ? {} : { result }),
      });
    };
    await Promise.all((await manifest.claim('processor', count, { place: await log.position() })).map(analyseOne));
    await log.close();
  }

  /** Reports all results that wait. */
  async report(manifest: Manifest): Promise<void> {
    const log = await this.log();
    const csv = await openCsv({ folder: this.results, files: nodeFiles });
    const entries = await manifest.claim('communicator', 1_000, { place: csv.position() });
    const lines = await Promise.all(entries.map(entry => log.read(entry.result!)));
    await csv.append(lines);
    const folder = join(this.results, 'series');
    const warn = (message: string): void => {
      throw new Error(message);
    };
    await (await SeriesWriter.open({ folder, files: nodeFiles, sensors: [], warn })).append(lines);
    await manifest.settle(entries, 'communicator', { data_transmitted: true });
    await log.close();
  }

  /** Every entry, the archived ones too, by id. */
  async entries(): Promise<Map<string, Entry>> {
    const manifest = await this.manifest();
    const found = new Map<string, Entry>();
    for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
    for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
    await manifest.close({ compact: false });
    return found;
  }

  /** Runs a command on it in this process. */
  async run<Options extends object>(
    command: CommandDefinition<Options>,
    options: Options = {} as Options,
    { isTerminal = false }: { isTerminal?: boolean } = {},
  ): Promise<{ code: number; lines: string[]; errors: string }> {
    const out = new PassThrough();
    const error = new PassThrough();
    Object.assign(out, { isTTY: isTerminal, columns: 120 });
    const output = new ConsoleOutput(out as unknown as NodeJS.WriteStream, error as unknown as NodeJS.WriteStream);
    const context = {
      cwd: this.root,
      environment: { XDG_STATE_HOME: join(this.root, '..', 'state') },
      config: undefined,
      root: this.root,
      output,
      commands: [],
    };
    const code = await command.run(context, [], options);
    const text = (stream: PassThrough): string => String(stream.read() ?? '');
    return { code, lines: text(out).split('\n').slice(0, -1), errors: text(error) };
  }
}

function timeOf(i: number): string {
  return `2025-07-24T12:00:${String(i).padStart(2, '0')}.000000`;
}
