import { basename } from 'node:path';
import { tap, timer } from 'rxjs';
import { removeTemporaries } from '../../files/removeTemporaries.ts';
import { ArchiveError } from '../../manifest/archiveError.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';

export interface BackupSettings {
  enabled: boolean;
  /** From the beginning of a round to that of the next, ms. */
  intervalMs: number;
  /** `backup_dir`. */
  folder: string;
}

export type BackupExperiment = Pick<Experiment, 'tools' | 'archive' | 'backupFiles' | 'isAlive'>;

/**
 * The backup: keeps the live manifest small, by moving what is settled out of it into `backup_dir`.
 *
 * Works in rounds: one begins when it starts, then one every interval. A round moves every settled entry from the live manifest to
 * the archive, then each segment of the archive, also those that the manifest made by itself, to `backup_dir` (see `moveSegment`).
 * Never an entry that waits for a stage, or that one has claimed. What was moved is read as before, and can be brought back. A
 * round costs what is new. Exclusive: one for a root.
 *
 * A segment is one item. One that is damaged has failed and stays where it is. A `backup_dir` that is missing, full or read-only
 * is the stage's failure, and what waits is in the archive meanwhile. Segments that a crash left half moved are moved by the first
 * round. Cut off, it finishes the segment in hand, or leaves it in both places.
 */
export const backup: Stage<BackupSettings, string, BackupExperiment> = {
  name: 'backup',
  exclusive: true,
  settings: ({ Services, Timing }, { paths }) => ({
    enabled: Services.enable_file_backup,
    intervalMs: Timing.file_backup_interval_seconds * 1000,
    folder: paths.backup,
  }),
  isEnabled: ({ enabled }) => enabled,
  pace: ({ Timing }) => ({ intervalMs: Timing.file_backup_interval_seconds * 1000, perMinute: null }),
  entriesOf: segment => [segment],
  begin: experiment => {
    const damaged = new Set<string>();
    return { open: settings => openWorker(settings, damaged, experiment) };
  },
};

async function openWorker(
  { intervalMs, folder }: BackupSettings,
  damaged: Set<string>,
  { tools, archive, backupFiles: files, isAlive }: BackupExperiment,
): Promise<Worker<string>> {
  await removeTemporaries(files, folder, isAlive, tools.clock.now());
  let isRoundDue = true;
  let waiting: string[] = [];
  /** The move in hand; never rejects. */
  let moving: Promise<unknown> = Promise.resolve();

  const move = async (segment: string): Promise<Outcome[]> => {
    try {
      const { path, entries, bytes } = await archive.move(segment, folder);
      return [{ kind: 'done', entryId: segment, detail: { entries, bytes, as: basename(path) } }];
    } catch (error) {
      if (!(error instanceof ArchiveError) || basename(error.path) !== segment) throw error;
      damaged.add(segment);
      return [{ kind: 'failed', entryId: segment, error: `${error.message}; it stays there` }];
    }
  };

  return {
    concurrency: 1,
    batch: 1,
    wake$: timer(intervalMs, intervalMs, tools.scheduler).pipe(tap(() => (isRoundDue = true))),
    claim: async () => {
      if (isRoundDue) {
        isRoundDue = false;
        await archive.takeSettled();
        waiting = (await archive.movableSegments()).filter(segment => !damaged.has(segment));
      }
      const segment = waiting.shift();
      return segment === undefined ? [] : [segment];
    },
    process: async (segment, signal) => {
      if (signal.aborted) return [];
      const work = move(segment);
      moving = work.catch(() => undefined);
      return work;
    },
    release: async () => undefined,
    close: () => moving,
  };
}
