import { join } from 'node:path';
import { z } from 'zod';
import { contentHash } from '../../files/contentHash.ts';
import { makeFolder, removeFile } from '../../files/durableNames.ts';
import { readValidJson } from '../../files/readJson.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { locateImage } from '../../image/findImage.ts';
import type { Entry } from '../../model/entry.ts';
import { counted } from '../../model/quantity.ts';
import type { Experiment } from '../stage/experiment.ts';

/** A frame, and the attempt that was made without a reference. */
const noteSchema = z.object({ entry_id: z.string(), attempt: z.int() });

interface Note extends z.infer<typeof noteSchema> {
  /** Its file. */
  path: string;
}

export type AgainExperiment = Pick<Experiment, 'queue' | 'archive' | 'files' | 'restoreLock' | 'note'>;

/** More frames are not remembered: where none of so many shows lines, those have no shift to be measured. */
const maxNotes = 200;

/**
 * The first frames of a live run, which are analysed before there is a reference: each is analysed once more when there is one. They stand
 * in a folder, a small file a frame, written before the frame is settled, so that a crash forgets none, and several processes can write. What a
 * person has set back or aside meanwhile, or what has no image here any more, stays as it is.
 */
export class FramesWithoutShift {
  readonly #folder: string;
  readonly #dataFolder: string;
  readonly #experiment: AgainExperiment;
  #isDue = true;
  #count: number | null = null;

  constructor(folder: string, dataFolder: string, experiment: AgainExperiment) {
    this.#folder = folder;
    this.#dataFolder = dataFolder;
    this.#experiment = experiment;
  }

  /** The frame will be settled without a shift. */
  async add({ entry_id: id, attempt }: Entry): Promise<void> {
    const { files } = this.#experiment;
    this.#isDue = true;
    this.#count ??= (await this.#names()).length;
    if (this.#count >= maxNotes) return;
    this.#count++;
    await makeFolder(files, this.#folder);
    await writeAtomic(
      files,
      join(this.#folder, `${contentHash(`${id} ${attempt}`)}.json`),
      `${JSON.stringify({ entry_id: id, attempt })}\n`,
    );
  }

  /** There is a reference: sets all of them back that are settled. Those that a stage has in flight come at the next call. */
  async setBack(): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    const names = await this.#names();
    if (names.length === 0) return;
    const { files, note, queue, restoreLock } = this.#experiment;
    const notes: Note[] = [];
    for (const name of names) {
      const path = join(this.#folder, name);
      const read = await readValidJson(files, path, noteSchema);
      if (read === null) await removeFile(files, path);
      else notes.push({ ...read, path });
    }
    const archived = notes.filter(({ entry_id: id }) => queue.get(id) === undefined);
    const changed =
      archived.length === 0
        ? await this.#requeue(notes, new Map())
        : await restoreLock(async () => this.#requeue(notes, await this.#archivedEntries(archived)));
    if (changed > 0)
      note('info', `there is a reference: ${counted(changed, 'frame')} from before it are analysed again`, 'processor');
  }

  async #requeue(notes: readonly Note[], archived: ReadonlyMap<string, Entry>): Promise<number> {
    const { files, queue } = this.#experiment;
    let changed = 0;
    for (const { entry_id: id, attempt, path } of notes) {
      const live = queue.get(id);
      const entry = live ?? archived.get(id);
      const isIts = entry?.attempt === attempt && entry.camera_data !== null;
      if (isIts && entry.processing_status === 'processing') {
        this.#isDue = true;
        continue;
      }
      // Without its image it would only lose the result that it has.
      const hasImage = isIts && (await locateImage(entry.camera_data!, this.#dataFolder, files)) !== null;
      if (isIts && hasImage && entry.processing_status === 'processed') {
        const done = await queue.requeue([entry], 'pending', { restore: live === undefined });
        if (done.length === 0 && queue.get(id)?.processing_status === 'processed') {
          this.#isDue = true;
          continue;
        }
        changed += done.length;
      }
      await removeFile(files, path);
    }
    return changed;
  }

  /** The newest segments are looked at first. */
  async #archivedEntries(notes: readonly Note[]): Promise<ReadonlyMap<string, Entry>> {
    const { archive } = this.#experiment;
    const wanted = new Set(notes.map(({ entry_id: id }) => id));
    const found = new Map<string, Entry>();
    for (const name of (await archive.segments()).toReversed()) {
      for (const entry of await archive.segment(name)) {
        if (wanted.has(entry.entry_id)) found.set(entry.entry_id, entry);
      }
      for (const id of found.keys()) wanted.delete(id);
      if (wanted.size === 0) break;
    }
    return found;
  }

  async #names(): Promise<string[]> {
    const names = await this.#experiment.files.list(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter(name => name.endsWith('.json'));
  }
}
