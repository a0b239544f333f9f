import { availableParallelism, totalmem } from 'node:os';
import { combineLatest, debounce, filter, map, merge, type Observable, of, takeUntil, timer } from 'rxjs';
import { parseRoiManifest } from '../../analysis/parseRoiManifest.ts';
import { RoiOutsideFrameError } from '../../analysis/roiOutsideFrameError.ts';
import { WorkerDiedError } from '../../analysis/workerDiedError.ts';
import { configHash } from '../../config/configHash.ts';
import { amountInBytes } from '../../config/kinds/amount.ts';
import { leastThreadMebibytes } from '../../config/sections/dataAnalysis.ts';
import { BadImageError } from '../../image/badImageError.ts';
import { findImage, ImagePathError } from '../../image/findImage.ts';
import { readWhenStable } from '../../image/readWhenStable.ts';
import { isRemoved } from '../../manifest/workRules.ts';
import type { AnalysedFrame, AnalysisJob, ReferenceBytes } from '../../model/analysisJob.ts';
import type { Entry } from '../../model/entry.ts';
import type { AnalysisMethod, Estimator } from '../../model/method.ts';
import type { RoiManifest } from '../../model/roi.ts';
import type { AnalyserSettings, Experiment, FrameAnalyser } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';
import { framesPerMinute } from '../stage/stage.ts';
import { ChipMoveWatch } from './chipMoveWatch.ts';
import { FrameFit, sameSize } from './frameFit.ts';
import { FrameSettlement } from './frameSettlement.ts';
import { FrameSizeWatch, otherSize } from './frameSizeWatch.ts';
import { LightWatch } from './lightWatch.ts';
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
  /** So many frames in which most ROIs are lost are an alarm; 0: never. */
  lostFramesLimit: number;
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
/** So long a missing ROI manifest may take to come, ms: the simulated camera writes it a moment after the start. */
const roiManifestGraceMs = 5_000;
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
      lostFramesLimit: analysis.lost_frames_limit,
      workers,
      memoryLimitMb: Math.max(leastThreadMebibytes, Math.floor(memory / workers)),
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
    const lights = new LightWatch(experiment.tools.clock);
    return {
      open: settings => openWorker(settings, { fit, watch, moves, lights, upstreamDone$ }, experiment),
      beside$: () => merge(watch.alarms$, moves.alarms$, lights.alarms$),
    };
  },
};

/** What outlives a worker. */
interface Surroundings {
  fit: FrameFit;
  watch: FrameSizeWatch;
  moves: ChipMoveWatch;
  lights: LightWatch;
  /** Emits when no more frames will come. */
  upstreamDone$: Observable<unknown>;
}

async function openWorker(
  settings: ProcessSettings,
  { fit, watch, moves, lights, upstreamDone$ }: Surroundings,
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
    roiManifestFile,
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
  const settlement = new FrameSettlement({ configHash: settings.configHash, roiManifestText: text }, deps);
  /** What is the frame's fault settles its entry; anything else is the stage's failure. */
  const settleFault = async (entry: Entry, error: unknown, signal: AbortSignal): Promise<Outcome[]> => {
    if (error instanceof WorkerDiedError) return settlement.workerDied(entry, error, signal);
    if (error instanceof RoiOutsideFrameError) {
      const framesFault = await fit.isFramesFault(text, signal);
      if (signal.aborted) return [];
      if (!framesFault) throw naming(roiManifestFile, error);
      watch.see(error.message);
      return settlement.failed(entry, naming(entry.camera_data!.filename, error).message, signal);
    }
    if (error instanceof BadImageError || error instanceof ImagePathError)
      return settlement.failed(entry, error.message, signal);
    throw error;
  };
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
      if (deadly !== null) return settlement.failed(entry, deadly, signal);
      let over = (): void => undefined;
      const begin = (): (() => void) => {
        over = fit.begin();
        return over;
      };
      try {
        const analyseWith = async (): Promise<{
          frame: AnalysedFrame;
          bytes: ReferenceBytes | null;
          named: ShiftReference['named'];
        }> => {
          const { bytes, named } = reference;
          const from = { rois, reference: bytes };
          return { bytes, named, frame: await analyse(entry, settings, from, { analyser, begin }, deps, signal) };
        };
        let found = await analyseWith();
        const showsLines = !found.frame.positions.every(Number.isNaN);
        // Frames without a line, of which a night has thousands, are looked at once.
        if (found.bytes === null && showsLines) {
          await reference.measurePattern(analyser, signal);
          if (reference.bytes !== null && !signal.aborted) {
            over();
            found = await analyseWith();
          }
        }
        reference.see(entry, showsLines);
        const { frame, named } = found;
        if (signal.aborted) return [];
        const wanted = await fit.sizeFor(text, frame, signal);
        if (signal.aborted) return [];
        const odd = sameSize(wanted, frame) ? null : otherSize(frame, wanted, roiManifestFile);
        watch.see(odd);
        if (odd !== null) return await settlement.failed(entry, `${entry.camera_data!.filename}: ${odd}`, signal);
        moves.see(frame.chipShift, { limit: settings.chipShiftLimit, follows: settings.followChip });
        const taken = entry.camera_data!.timestamp_iso.slice(0, 19).replace('T', ' ');
        lights.see(frame, { taken, limit: settings.lostFramesLimit, roiManifestText: text });
        // What a frame without lines does not use depends on who was quicker.
        const used = showsLines ? named : { ...named, pattern: null };
        return await settlement.processed(entry, { ...frame, named: used }, signal);
      } catch (error) {
        return signal.aborted ? [] : await settleFault(entry, error, signal);
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
    `${roiManifestFile} is not there: processing waits for it. Put one there, or make one: "phorest locate"`,
  );
  missing.code = 'ENOENT';
  missing.path = roiManifestFile;
  throw missing;
}

/** Says whose fault it was found to be; the analysis knows neither of the two files. */
const naming = (file: string, { label, message }: RoiOutsideFrameError): RoiOutsideFrameError =>
  new RoiOutsideFrameError(label, `${file}: ${message}`);

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
