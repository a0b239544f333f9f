import type { Files } from '../../src/files/files.ts';
import { type FileCall, wrapFiles } from '../../src/files/wrapFiles.ts';
import { Manifest, type ManifestOptions } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { type BackupExperiment, type BackupSettings, backup } from '../../src/operators/backup/backup.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { FaultyFiles, onClose } from './faultyFiles.ts';
import { sampleEntry, sampleOptions } from './sampleManifest.ts';

export const backupFolder = '/root/backup';
export const archive = '/root/data/metadata_manifest_archive';
export const movedList = `${archive}/moved.jsonl`;

export const backupSettings: BackupSettings = { enabled: true, intervalMs: 3_600_000, folder: backupFolder };

/** An entry that no stage has anything left to do with. */
export const settled = (id: string, set: Partial<Entry> = {}): Entry =>
  sampleEntry(id, { processing_status: 'processed', data_transmitted: true, ...set });

/** The backup of one process on files in memory, with what goes wrong as a test says. */
export class BackupWorld {
  readonly files: FaultyFiles;
  /** Copies being written now, and the most at one time. */
  open = 0;
  maxOpen = 0;
  /** Before a copy is made. */
  onWork: () => Promise<unknown> = async () => undefined;
  /** Before the backup's folder is listed, as opening does. */
  onOpen: () => Promise<unknown> = async () => undefined;
  #manifest: Manifest | null = null;
  readonly #wrap: (files: Files) => Files;

  private constructor(files: FaultyFiles, wrap: (files: Files) => Files) {
    this.files = files;
    this.#wrap = wrap;
  }

  /** @param wrap what the pipeline puts between its stages and the disk. */
  static async on(
    files = new FaultyFiles(),
    changes: Partial<ManifestOptions> = {},
    wrap = (each: Files): Files => each,
  ): Promise<BackupWorld> {
    if (files.paths().length === 0) files.put('/root/data/other.txt', '');
    const world = new BackupWorld(files, wrap);
    world.#manifest = await Manifest.open(sampleOptions(world.#watched(), changes));
    return world;
  }

  get manifest(): Manifest {
    return this.#manifest!;
  }

  stage(tools: Tools & StageFlow) {
    return runStage(backup, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<BackupExperiment, 'tools'> {
    return { archive: this.manifest.archive, backupFiles: this.#watched(), isAlive: () => false };
  }

  /** Each in a segment of its own, as many rounds would leave them. */
  async offerSegments(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.manifest.offer([settled(id)]);
      await this.manifest.archive.takeSettled();
    }
  }

  /** Names in the archive's folder that are segments. */
  segments(): string[] {
    return namesIn(this.files, archive).filter(name => name.startsWith('entries.'));
  }

  backups(): string[] {
    return namesIn(this.files, backupFolder);
  }

  /** Ids of all archived entries, wherever they are, each as often as it comes. */
  async archived(): Promise<string[]> {
    const found: string[] = [];
    for await (const { entry_id: id } of this.manifest.archive.entries()) found.push(id);
    return found;
  }

  /** Segments that were moved, in order, each as often as it was. */
  moved(): string[] {
    const text = this.files.content(movedList)?.toString() ?? '';
    return text.split('\n').flatMap(line => (line ? [(JSON.parse(line) as { segment: string }).segment] : []));
  }

  live(): string[] {
    return [...this.manifest.entries()].map(({ entry_id: id }) => id);
  }

  #watched(): Files {
    const isWritten = ({ path, flags = 'r' }: FileCall): boolean =>
      path.startsWith(`${backupFolder}/`) && flags.startsWith('w');
    return this.#wrap(
      wrapFiles(
        this.files,
        async (call, run) => {
          if (call.name === 'open' && isWritten(call)) await this.onWork();
          if (call.name === 'list' && call.path === backupFolder) await this.onOpen();
          return run();
        },
        (file, call) => {
          if (!isWritten(call)) return file;
          this.maxOpen = Math.max(this.maxOpen, ++this.open);
          return onClose(file, () => this.open--);
        },
      ),
    );
  }
}

function namesIn(files: FaultyFiles, folder: string): string[] {
  return files.paths().flatMap(path => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []));
}
