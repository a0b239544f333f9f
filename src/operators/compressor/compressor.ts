import { basename } from 'node:path';
import { timer } from 'rxjs';
import { type Compressed, compressFile, ImageReadError, UncompressibleFileError } from '../../image/compressFile.ts';
import { findImage, ImagePathError, imageFolder, localFolder } from '../../image/findImage.ts';
import { type Codec, codecOf } from '../../model/compression.ts';
import type { Entry } from '../../model/entry.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';
import { framesPerMinute } from '../stage/stage.ts';
import { extensionOf, IncompressibleKinds } from './incompressibleKinds.ts';
import { removeReplaced, tidyCompressed } from './tidyCompressed.ts';

export interface CompressSettings {
  enabled: boolean;
  method: Codec;
  /** 1 (fast) to 9 (small). */
  level: number;
  /** An image that does not become smaller by this share of its size stays as it is; from 0 to 1. */
  minSaving: number;
  /** From the beginning of a round to that of the next, ms. */
  intervalMs: number;
  /** `data_dir`. Nothing outside is ever compressed. */
  dataFolder: string;
  /** `brightfield_dir`. */
  brightfieldFolder: string;
}

export type CompressExperiment = Pick<Experiment, 'tools' | 'queue' | 'files' | 'isAlive' | 'note'>;

/** An image that the disk fails to read so often is passed over: it is that place on it. */
const maxReadFailures = 3;

/** What the compressor remembers from one opening to the next, until the process ends. */
interface Memory {
  /** What these settings, in words, have shown of kinds of images. */
  kinds: IncompressibleKinds;
  kindsOf: string;
  /** An original may stand beside a copy that its entry names: from a process before this one, or from a failure. */
  mustTidy: boolean;
  readFailures: Map<string, number>;
}

/**
 * The compressor: makes a smaller, lossless copy of each image that was analysed, and lets the copy take its place.
 *
 * Works in rounds: one begins when it starts, then one every interval; a round takes what waits, one image after the other,
 * until nothing does. Between rounds it takes no processor time. Claims analysed entries with a file of our own (never an
 * `original`); settles them with the name of the copy, which was read back and is durable by then, and removes the original
 * only after that. Any number of processes may run it on one manifest.
 *
 * An image that does not shrink stays as it is, and is not tried again; its kind is remembered (see `IncompressibleKinds`).
 * One that is missing, can't be read, or lies outside `data_dir` has failed here: the entry says why in `compression_error`,
 * and its analysis stands. A full disk or a vanished mount is the stage's failure. When it opens it puts right what a crash
 * has left (see `tidyCompressed`). Teardown frees the files in flight and removes the temporary one.
 */
export const compressor: Stage<CompressSettings, Entry, CompressExperiment> = {
  name: 'compressor',
  exclusive: false,
  settings: ({ Services, Compression, Timing }, { paths }) => ({
    enabled: Services.enable_image_compression,
    method: Compression.method,
    level: Compression.level,
    minSaving: Compression.least_saving / 100,
    intervalMs: Timing.compress_interval_seconds * 1000,
    dataFolder: paths.data,
    brightfieldFolder: paths.brightfield,
  }),
  isEnabled: ({ enabled }) => enabled,
  pace: (config, { replay }) => ({
    intervalMs: config.Timing.compress_interval_seconds * 1000,
    perMinute: framesPerMinute(config, replay),
  }),
  entriesOf: entry => [entry.entry_id],
  begin: experiment => {
    const memory: Memory = { kinds: new IncompressibleKinds(), kindsOf: '', mustTidy: true, readFailures: new Map() };
    return { open: (settings, signal) => openWorker(settings, memory, experiment, signal) };
  },
};

async function openWorker(
  settings: CompressSettings,
  memory: Memory,
  deps: CompressExperiment,
  signal: AbortSignal,
): Promise<Worker<Entry>> {
  const { method, level, minSaving, intervalMs, dataFolder, brightfieldFolder } = settings;
  const { queue, files, tools } = deps;
  if ((await files.stat(dataFolder)) === null) throw gone(dataFolder);
  const tidy = async (): Promise<void> => {
    await queue.catchUp();
    await tidyCompressed({ ...deps, dataFolder, brightfieldFolder, now: tools.clock.now(), signal });
    memory.mustTidy = false;
  };
  if (memory.mustTidy || queue.orphans('compressor').length > 0) await tidy();
  const kindsOf = `${method} ${level} ${minSaving}`;
  if (memory.kindsOf !== kindsOf) Object.assign(memory, { kindsOf, kinds: new IncompressibleKinds() });
  /** The work on an image; never rejects. */
  let working: Promise<unknown> = Promise.resolve();
  return {
    // One thread's worth of work, whatever waits: analysis comes first.
    concurrency: 1,
    batch: 1,
    wake$: timer(intervalMs, intervalMs, tools.scheduler),
    claim: async (count, leaving) => {
      if (memory.mustTidy) await tidy();
      return queue.claim('compressor', count, { leaving });
    },
    process: (entry, aborted) => {
      const work = compressEntry(entry, settings, memory, deps, aborted);
      working = work.catch(() => undefined);
      return work;
    },
    release: entries => queue.releaseEventually(entries, 'compressor'),
    // One that was cut off ends within a chunk, and removes its temporary file.
    close: () => working,
  };
}

async function compressEntry(
  entry: Entry,
  settings: CompressSettings,
  memory: Memory,
  deps: CompressExperiment,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { method: codec, level, minSaving } = settings;
  const { filename: image, original } = entry.camera_data!;
  const deadly = deps.queue.deadlyWork(entry, 'compressor');
  if (deadly !== null) return settleFailed(entry, deadly, deps);
  if (original) return settleKept(entry, 'it is an original', deps);
  if (codecOf(image) !== null) return settleKept(entry, 'it was compressed already', deps);
  if (!memory.kinds.isWorthTrying(image)) return settleKept(entry, `${extensionOf(image)} does not shrink`, deps);
  let path: string;
  let compressed: Compressed;
  try {
    path = await findLocalImage(entry, settings, deps);
    if (signal.aborted) return [];
    if (codecOf(path) !== null) return settleNamed(entry, basename(path), { kept: 'it was compressed already' }, deps);
    compressed = await compressFile({ files: deps.files, path, codec, level, minSaving, signal });
    memory.readFailures.delete(entry.entry_id);
  } catch (error) {
    if (signal.aborted) return [];
    if (error instanceof ImagePathError && entry.image_synced)
      return settleKept(entry, 'it is on the share only', deps);
    return settleFailed(entry, ownFailure(entry, error as Error, memory), deps);
  }
  // No wait between this look and the settling: one that was released is settled by nobody.
  if (signal.aborted) return [];
  const { from, to } = compressed;
  if (compressed.kind === 'incompressible') {
    if (memory.kinds.didNotShrink(image)) noteKind(image, percent(to, from), deps);
    return settleKept(entry, `it would have ${percent(to, from)} of its size`, deps);
  }
  memory.kinds.shrank(image);
  const detail = { bytes_before: from, bytes_after: to, size: percent(to, from) };
  try {
    const outcomes = await settleNamed(entry, basename(compressed.path), detail, deps);
    // Whoever stops us now: the manifest names the copy.
    if (outcomes[0]?.kind === 'done') await removeReplaced(path, deps).catch(cause => leave(path, cause, memory, deps));
    return outcomes;
  } catch (error) {
    // Settling may have counted although it failed.
    memory.mustTidy = true;
    throw error;
  }
}

/** The image itself is done: what keeps its original from being removed is tried, and is an alarm, when the next is taken. */
function leave(path: string, { message }: Error, memory: Memory, { note }: CompressExperiment): void {
  memory.mustTidy = true;
  note('warning', `${path} was compressed, and its removal has failed for now: ${message}`);
}

/** On this machine, in `data_dir`. */
function findLocalImage(
  entry: Entry,
  { dataFolder, brightfieldFolder }: CompressSettings,
  { files }: CompressExperiment,
): Promise<string> {
  const camera = entry.camera_data!;
  const folder = imageFolder(camera, dataFolder, brightfieldFolder);
  return findImage({ ...camera, filepath: localFolder(camera, folder) }, folder, files);
}

/** The message of an error that is this image's own; others are thrown. */
function ownFailure({ entry_id: id }: Entry, error: Error, { readFailures }: Memory): string {
  if (error instanceof UncompressibleFileError || error instanceof ImagePathError) return error.message;
  if (!(error instanceof ImageReadError)) throw error;
  const failures = (readFailures.get(id) ?? 0) + 1;
  readFailures.set(id, failures);
  if (failures < maxReadFailures) throw error;
  readFailures.delete(id);
  return `it could not be read ${failures} times: ${error.message}`;
}

async function settleKept(entry: Entry, kept: string, deps: CompressExperiment): Promise<Outcome[]> {
  return settle(entry, {}, { kind: 'done', entryId: entry.entry_id, detail: { image: nameOf(entry), kept } }, deps);
}

async function settleNamed(
  entry: Entry,
  filename: string,
  detail: Readonly<Record<string, string | number>>,
  deps: CompressExperiment,
): Promise<Outcome[]> {
  const camera = deps.queue.get(entry.entry_id)?.camera_data ?? entry.camera_data!;
  const outcome: Outcome = { kind: 'done', entryId: entry.entry_id, detail: { image: filename, ...detail } };
  return settle(entry, { camera_data: { ...camera, filename } }, outcome, deps);
}

async function settleFailed(entry: Entry, error: string, deps: CompressExperiment): Promise<Outcome[]> {
  return settle(entry, { compression_error: error }, { kind: 'failed', entryId: entry.entry_id, error }, deps);
}

const nameOf = (entry: Entry): string => entry.camera_data!.filename;

/** Zero settled: the claim had gone to another process meanwhile, or the image was set back; both copies stay then. */
async function settle(
  entry: Entry,
  set: Partial<Entry>,
  outcome: Outcome,
  { queue }: CompressExperiment,
): Promise<Outcome[]> {
  const cleared = 'compression_error' in entry ? { compression_error: null } : {};
  const settled = await queue.settle([entry], 'compressor', { compression_attempted: true, ...cleared, ...set });
  if (settled > 0) return [outcome];
  return [{ entryId: entry.entry_id, kind: 'discarded', reason: 'its claim was taken over by another process' }];
}

function noteKind(image: string, size: string, { note }: CompressExperiment): void {
  const kind = extensionOf(image) || 'without an extension';
  note(
    'info',
    `images ${kind} stay as they are: compressed they would have ${size} of their size; now and then one is tried again`,
  );
}

const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;

function gone(dataFolder: string): Error {
  const error: NodeJS.ErrnoException = new Error(`the folder ${dataFolder} is not there; is its disk mounted?`);
  error.code = 'ENOENT';
  error.path = dataFolder;
  return error;
}
