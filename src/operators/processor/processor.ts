import { availableParallelism, totalmem } from 'node:os';
import { combineLatest, debounce, filter, map, merge, type Observable, of, Subject, takeUntil, timer } from 'rxjs';
import { parseRoiManifest } from '../../analysis/parseRoiManifest.ts';
import { RoiOutsideFrameError } from '../../analysis/roiOutsideFrameError.ts';
import { WorkerDiedError } from '../../analysis/workerDiedError.ts';
import { configHash } from '../../config/configHash.ts';
import { amountInBytes } from '../../config/kinds/amount.ts';
import { codeVersion } from '../../files/codeVersion.ts';
import { contentHash } from '../../files/contentHash.ts';
import { BadImageError } from '../../image/badImageError.ts';
import { findImage, ImagePathError } from '../../image/findImage.ts';
import { readWhenStable } from '../../image/readWhenStable.ts';
import { isRemoved } from '../../manifest/workRules.ts';
import type { AnalysedFrame, AnalysisJob } from '../../model/analysisJob.ts';
import type { Clock } from '../../model/clock.ts';
import type { Entry, ResultLocation } from '../../model/entry.ts';
import type { StageEvent } from '../../model/event.ts';
import { localIso } from '../../model/localTime.ts';
import type { AnalysisMethod, Estimator } from '../../model/method.ts';
import type { ChipShift } from '../../model/result.ts';
import type { RoiManifest } from '../../model/roi.ts';
import { roundDecimals } from '../../model/roundDecimals.ts';
import { type Finding, StandingAlarms } from '../health/standingAlarms.ts';
import type { AnalyserSettings, Experiment, FrameAnalyser } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';
import { framesPerMinute } from '../stage/stage.ts';
import { ChipMoveWatch } from './chipMoveWatch.ts';
import { FrameFit, type FrameSize, sameSize } from './frameFit.ts';
import { settleProcessorOrphans } from './settleProcessorOrphans.ts';
import { ShiftReference } from './shiftReference.ts';

export interface ProcessSettings extends AnalyserSettings {
  method: AnalysisMethod;
  estimator: Estimator;
  numberOfSubRois: number;
  keepValues: boolean;
  /** Regions follow the chip where it has moved. */
  followChip: boolean;
  /** A chip that has moved further is an alarm, px; 0: never. */
  chipShiftLimit: number;
  /** Longest wait before looking for work, ms. */
  intervalMs: number;
  /** Path of the ROI manifest, for messages. */
  roiManifestFile: string;
  /** Its text; null when it is not there. A new text is a new generation, so that a mended file takes effect at once. */
  roiManifestText: string | null;
  /** `data_dir`. */
  dataFolder: string;
  /** Good frames that the reference of the shifts is made from; 0: there is none. */
  referenceFrames: number;
  /** Counts of the camera without light; null: estimated. */
  darkLevel: number | null;
  /** `results_dir`. */
  resultsFolder: string;
  /** Frames come from a folder that is replayed. */
  isReplay: boolean;
  /** Hash of all settings that influence a result; stands on each line. */
  configHash: string;
}

export type ProcessExperiment = Pick<
  Experiment,
  | 'tools'
  | 'queue'
  | 'archive'
  | 'files'
  | 'runId'
  | 'bootId'
  | 'results'
  | 'freshFrames'
  | 'frameSizesFile'
  | 'openAnalyser'
  | 'roiManifest$'
  | 'note'
>;

const mebibyte = 2 ** 20;
/** Less than this, and a thread could not even start, MiB. */
const minThreadMb = 128;
/** So long a missing ROI manifest may take to come, ms: the simulated camera writes it a moment after the start. */
const roiManifestGraceMs = 5_000;
/** An image whose worker died so often while the process lived is bad. Deaths of the process are counted by the manifest. */
const maxWorkerDeaths = 3;

/** So many frames of another size, one after the other, are no odd images any more: the camera gives another size. */
const framesOfOtherSize = 3;

/**
 * The processor: analyses pending images.
 *
 * Claims entries that are `pending`; settles them as `processed` (result line durable first) or `failed` (a bad image; it
 * has a result line too, saying why). An image that is still being written is waited for. Any number of processes may run
 * it on one manifest. When it opens it looks for what a crash has left: a claim of a process that is gone is settled from
 * its result line where that was written, else released. A missing or broken ROI manifest, a full disk or a vanished mount
 * is the stage's failure.
 */
export const processor: Stage<ProcessSettings, Entry, ProcessExperiment> = {
  name: 'processor',
  exclusive: false,
  settings: (config, { paths, replay }) => {
    const { Camera, Data_Analysis: analysis, Development, Timing } = config;
    const workers = analysis.workers || availableParallelism();
    const memory = amountInBytes(analysis.memory_limit, totalmem()) / mebibyte;
    return {
      method: analysis.method,
      estimator: analysis.estimator,
      numberOfSubRois: analysis.number_of_subROIs,
      keepValues: Development.debug_mode,
      followChip: analysis.follow_chip,
      chipShiftLimit: analysis.chip_shift_limit,
      workers,
      memoryLimitMb: Math.max(minThreadMb, Math.floor(memory / workers)),
      intervalMs: Timing.processor_interval_seconds * 1000,
      // Messages name the file that was given, not its copy.
      roiManifestFile: replay?.roiManifestFile ?? paths.roiManifest,
      roiManifestText: null,
      dataFolder: paths.data,
      referenceFrames: analysis.reference_frames,
      darkLevel: Camera.dark_level === 'auto' ? null : Camera.dark_level,
      resultsFolder: paths.results,
      isReplay: replay !== null,
      configHash: configHash(config),
    };
  },
  isEnabled: () => true,
  pace: (config, { replay }) => ({
    intervalMs: config.Timing.processor_interval_seconds * 1000,
    perMinute: framesPerMinute(config, replay),
  }),
  entriesOf: entry => [entry.entry_id],
  withInputs: (settings$, { roiManifest$, tools }, { stop$ }) => {
    const rois$ = roiManifest$.pipe(
      debounce(text => (text === null ? timer(roiManifestGraceMs, tools.scheduler) : of(0))),
      takeUntil(stop$),
    );
    return combineLatest([settings$, rois$]).pipe(
      map(([settings, roiManifestText]) => ({ ...settings, roiManifestText })),
    );
  },
  begin: (experiment, { upstreamDone$ }) => {
    const fit = new FrameFit(experiment.files, experiment.frameSizesFile);
    const watch = new FrameSizeWatch(experiment.tools.clock);
    const moves = new ChipMoveWatch(experiment.tools.clock);
    return {
      open: settings => openWorker(settings, { fit, watch, moves, upstreamDone$ }, experiment),
      beside$: () => merge(watch.alarms$, moves.alarms$),
    };
  },
};

/** Tells of a camera that gives frames of another size now, where each single frame only fails. */
class FrameSizeWatch {
  readonly alarms$ = new Subject<StageEvent>();
  readonly #standing: StandingAlarms;
  #odd = 0;

  constructor(clock: Clock) {
    this.#standing = new StandingAlarms('processor', clock);
  }

  /** @param message what is wrong with the frame's size; null: nothing */
  see(message: string | null): void {
    this.#odd = message === null ? 0 : this.#odd + 1;
    if (message !== null && this.#odd < framesOfOtherSize) return;
    const found: Finding[] =
      message === null
        ? []
        : [{ key: 'FrameSize', light: 'red', message: `the frames now have another size: ${message}` }];
    for (const event of this.#standing.update(found)) this.alarms$.next(event);
  }
}

/** What outlives a worker. */
interface Surroundings {
  fit: FrameFit;
  watch: FrameSizeWatch;
  moves: ChipMoveWatch;
  /** Emits when no more frames will come. */
  upstreamDone$: Observable<unknown>;
}

async function openWorker(
  settings: ProcessSettings,
  { fit, watch, moves, upstreamDone$ }: Surroundings,
  deps: ProcessExperiment,
): Promise<Worker<Entry>> {
  watch.see(null);
  const { queue, results, tools } = deps;
  const rois = roiManifest(settings);
  // A worker opens only with one.
  const text = settings.roiManifestText as string;
  await settleProcessorOrphans(queue, results);
  const {
    method,
    estimator,
    numberOfSubRois,
    darkLevel,
    dataFolder,
    resultsFolder,
    referenceFrames: frames,
  } = settings;
  const wish = {
    method,
    estimator,
    numberOfSubRois,
    darkLevel,
    frames,
    rois,
    roiManifestText: text,
    dataFolder,
    resultsFolder,
    followChip: settings.followChip,
    isReplay: settings.isReplay,
  };
  const reference = new ShiftReference(wish, deps, upstreamDone$);
  await reference.open();
  const analyser = deps.openAnalyser(settings);
  const wake$: Observable<unknown> = merge(
    queue.changes$.pipe(filter(() => queue.waiting('processor') > 0)),
    timer(settings.intervalMs, settings.intervalMs, tools.scheduler),
    reference.wake$,
  );
  return {
    // More than there are workers, so that none waits for a claim, and claims come in twos, which halves their cost.
    concurrency: settings.workers + 2,
    batch: settings.workers + 2,
    minBatch: 2,
    places: settings.workers,
    wake$,
    // Also when nothing waits: an unconfirmed claim, after a failure, is cleared up by the next one.
    claim: async (count, leaving) => {
      await reference.update(analyser, leaving);
      if (reference.mustWait() || leaving.aborted) return [];
      return queue.claim('processor', count, { place: await results.position(), leaving });
    },
    process: async (entry, signal) => {
      const deadly = queue.deadlyWork(entry, 'processor');
      if (deadly !== null) return settleFailed(entry, deadly, settings, deps, signal);
      let over = (): void => undefined;
      const begin = (): (() => void) => {
        over = fit.begin();
        return over;
      };
      try {
        await reference.measurePattern(analyser, signal);
        if (signal.aborted) return [];
        const { bytes, named } = reference;
        const frame = await analyse(entry, settings, { rois, reference: bytes }, { analyser, begin }, deps, signal);
        if (signal.aborted) return [];
        const wanted = await fit.sizeFor(text, frame, signal);
        if (signal.aborted) return [];
        const odd = sameSize(wanted, frame) ? null : otherSize(frame, wanted, settings);
        watch.see(odd);
        if (odd !== null)
          return await settleFailed(entry, `${entry.camera_data!.filename}: ${odd}`, settings, deps, signal);
        moves.see(frame.chipShift, { limit: settings.chipShiftLimit, follows: settings.followChip });
        return await settleProcessed(entry, { ...frame, named }, settings, deps, signal);
      } catch (error) {
        if (signal.aborted) return [];
        if (error instanceof WorkerDiedError) return countWorkerDeath(entry, error, settings, deps, signal);
        if (error instanceof RoiOutsideFrameError) {
          const framesFault = await fit.isFramesFault(text, signal);
          if (signal.aborted) return [];
          if (!framesFault) throw naming(settings.roiManifestFile, error);
          watch.see(error.message);
          return settleFailed(entry, naming(entry.camera_data!.filename, error).message, settings, deps, signal);
        }
        if (!isItems(error)) throw error;
        return settleFailed(entry, (error as Error).message, settings, deps, signal);
      } finally {
        over();
      }
    },
    release: entries => queue.releaseEventually(entries, 'processor'),
    close: aborted => {
      reference.close();
      return aborted ? analyser.destroy() : analyser.close();
    },
  };
}

function roiManifest({ roiManifestFile, roiManifestText }: ProcessSettings): RoiManifest {
  if (roiManifestText !== null) return parseRoiManifest(roiManifestText, roiManifestFile);
  const missing: NodeJS.ErrnoException = new Error(
    `${roiManifestFile} is not there: processing waits for it. Put one there`,
  );
  missing.code = 'ENOENT';
  missing.path = roiManifestFile;
  throw missing;
}

const otherSize = (found: FrameSize, wanted: FrameSize, { roiManifestFile }: ProcessSettings): string =>
  `a frame of ${found.width}×${found.height} pixels, but ${roiManifestFile} has been used for frames of ` +
  `${wanted.width}×${wanted.height}; frames of another size need a ROI manifest of their own`;

/** Says whose fault it was found to be; the analysis knows neither of the two files. */
const naming = (file: string, { label, message }: RoiOutsideFrameError): RoiOutsideFrameError =>
  new RoiOutsideFrameError(label, `${file}: ${message}`);

const isItems = (error: unknown): boolean => error instanceof BadImageError || error instanceof ImagePathError;

async function analyse(
  entry: Entry,
  settings: ProcessSettings,
  from: Pick<AnalysisJob, 'rois' | 'reference'>,
  { analyser, begin }: { analyser: FrameAnalyser; begin: () => () => void },
  { files, freshFrames, tools }: ProcessExperiment,
  signal: AbortSignal,
): Promise<AnalysedFrame> {
  const { method, estimator, numberOfSubRois, keepValues, followChip, dataFolder } = settings;
  const path = await findImage(entry.camera_data!, dataFolder, files, { isRemoved: isRemoved(entry) });
  try {
    return await readWhenStable({
      path,
      read: () => {
        const over = begin();
        const pixels = freshFrames.take(entry.entry_id);
        return analyser
          .analyse(
            { path, ...from, method, estimator, numberOfSubRois, keepValues, followChip, ...(pixels && { pixels }) },
            signal,
          )
          .catch((error: unknown) => {
            // One that waits until its file rests keeps no others waiting.
            if (error instanceof BadImageError) over();
            throw error;
          });
      },
      isUnreadable: error => error instanceof BadImageError,
      files,
      clock: tools.clock,
      scheduler: tools.scheduler,
      signal,
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It vanished, or may not be read, while everything around it is well: `findImage` has just seen it.
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM')
      throw new ImagePathError((error as Error).message, { cause: error });
    throw error;
  }
}

function resultHead(entry: Entry, { configHash, roiManifestText }: ProcessSettings, at: number, error: string | null) {
  return {
    entry_id: entry.entry_id,
    attempt: entry.attempt,
    run_id: entry.run_id,
    config_hash: configHash,
    // A worker opens only with one.
    roi_manifest_hash: contentHash(roiManifestText!),
    reference: null as string | null,
    pattern: null as string | null,
    code_version: codeVersion(),
    manifest_entry_timestamp: entry.entry_timestamp_iso,
    image_timestamp: entry.camera_data?.timestamp_iso ?? null,
    image_timestamp_utc: entry.timestamp_utc,
    temperature_timestamp: entry.temperature_data?.timestamp_iso ?? null,
    image_filename: entry.camera_data?.filename ?? null,
    processing_timestamp_iso: localIso(at),
    processing_successful: error === null,
    processing_error_message: error,
    temperature_readings: entry.temperature_data?.data ?? null,
  };
}

async function settleProcessed(
  entry: Entry,
  frame: AnalysedFrame & Pick<ShiftReference, 'named'>,
  settings: ProcessSettings,
  deps: ProcessExperiment,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const at = deps.tools.clock.now();
  const head = {
    ...resultHead(entry, settings, at, null),
    ...frame.named,
    chip_shift: rounded(frame.chipShift ?? null),
  };
  const location = await deps.results.append(head, frame.imageAnalysis);
  if (signal.aborted) return [];
  const rejected = Object.values(frame.rowsRejected).reduce((sum, count) => sum + count, 0);
  return counted(await deps.queue.settle([entry], 'processor', processed(localIso(at), location)), {
    entryId: entry.entry_id,
    kind: 'done',
    detail: {
      image: entry.camera_data!.filename,
      rois: frame.rois,
      rows: frame.rowsFitted,
      rejected,
      decode_ms: frame.decodeMs,
      analyse_ms: frame.analyseMs,
      brightness: frame.statistics.brightness,
      contrast: frame.statistics.contrast,
      ...latencyOf(entry, deps),
    },
  });
}

/** How long ago the frame was taken, where that was in this boot: the clock that does not jump counts from there. */
function latencyOf(
  { monotonic_ms: takenMs, boot_id }: Entry,
  { tools, bootId }: ProcessExperiment,
): { latency_ms?: number } {
  return takenMs !== null && boot_id === bootId ? { latency_ms: tools.clock.monotonic() - takenMs } : {};
}

const rounded = (shift: ChipShift | null): ChipShift | null =>
  shift && { dx: roundDecimals(shift.dx, 3), dy: roundDecimals(shift.dy, 3), angle: roundDecimals(shift.angle, 4) };

function processed(timestamp: string, result: ResultLocation): Partial<Entry> {
  return {
    processing_status: 'processed',
    processing_timestamp_iso: timestamp,
    processing_error: false,
    processing_error_msg: null,
    data_transmitted: false,
    result,
  };
}

function failed(timestamp: string, message: string): Partial<Entry> {
  return {
    processing_status: 'failed',
    processing_timestamp_iso: timestamp,
    processing_error: true,
    processing_error_msg: message,
  };
}

async function settleFailed(
  entry: Entry,
  message: string,
  settings: ProcessSettings,
  { queue, results, tools }: ProcessExperiment,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const at = tools.clock.now();
  await results.append(resultHead(entry, settings, at, message), null);
  if (signal.aborted) return [];
  return counted(await queue.settle([entry], 'processor', failed(localIso(at), message)), {
    entryId: entry.entry_id,
    kind: 'failed',
    error: message,
  });
}

/** Zero settled: the claim had gone to another process meanwhile, whose outcome counts. */
function counted(settled: number, outcome: Outcome): Outcome[] {
  if (settled > 0) return [outcome];
  return [{ entryId: outcome.entryId, kind: 'discarded', reason: 'its claim was taken over by another process' }];
}

async function countWorkerDeath(
  entry: Entry,
  error: Error,
  settings: ProcessSettings,
  deps: ProcessExperiment,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const deaths = (entry.worker_deaths ?? 0) + 1;
  if (deaths >= maxWorkerDeaths) {
    const message = `its worker died ${deaths} times, the last time: ${error.message}`;
    return settleFailed(entry, message, settings, deps, signal);
  }
  return counted(await deps.queue.release([entry], 'processor', { worker_deaths: deaths }), {
    entryId: entry.entry_id,
    kind: 'discarded',
    reason: `worker died (${deaths} of ${maxWorkerDeaths}): ${error.message}`,
  });
}
