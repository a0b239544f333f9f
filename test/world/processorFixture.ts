import { of } from 'rxjs';
import { FreshFrames } from '../../src/image/freshFrames.ts';
import type { AnalysedFrame, AnalysisJob } from '../../src/model/analysisJob.ts';
import type { ChipShift } from '../../src/model/result.ts';
import { type ProcessExperiment, type ProcessSettings, processor } from '../../src/operators/processor/processor.ts';
import type { FrameAnalyser, Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { dataFolder, type PipelineWorld } from './pipelineWorld.ts';

export const roiManifestText = JSON.stringify({
  image_angle: 0,
  ROI_A: { label: 'A', flip: false, coords: [0, 0], size: [2, 4] },
});

export const processSettings: ProcessSettings = {
  method: 'gaussian',
  estimator: 'rows',
  numberOfSubRois: 0,
  keepValues: false,
  followChip: false,
  chipShiftLimit: 2,
  lostFramesLimit: 10,
  workers: 2,
  memoryLimitMb: null,
  intervalMs: 2000,
  roiManifestFile: '/root/ROI_manifest.json',
  roiManifestText,
  dataFolder,
  referenceFrames: 0,
  darkLevel: null,
  resultsFolder: '/root/results',
  isReplay: false,
  configHash: 'c',
};

export const analysedFrame: AnalysedFrame = {
  width: 4,
  height: 2,
  depth: 8,
  statistics: { brightness: 1, contrast: 2 },
  imageAnalysis: Buffer.from('[{"brightness":1,"contrast":2}]'),
  rois: 1,
  positions: Float64Array.of(1),
  seen: [true],
  rowsFitted: 2,
  rowsRejected: { constant: 1 },
  decodeMs: 1,
  analyseMs: 1,
};

/** The processor with an analyser that does what a test says. */
export class ProcessorFixture {
  readonly world: PipelineWorld;
  readonly freshFrames = new FreshFrames(1e6, () => true);
  open = 0;
  maxOpen = 0;
  readonly log: string[] = [];
  readonly jobs: AnalysisJob[] = [];
  /** Of frames that are not as all others. */
  readonly sizes: Record<string, { width: number; height: number }> = {};
  showsLines: (id: string) => boolean = () => true;
  /** Of every frame. */
  chipShift: ChipShift | null = null;
  seen: readonly boolean[] = [true];
  onOpen: () => void = () => undefined;
  /** The id is that of the entry, from its image's name. */
  onAnalyse: (id: string, signal: AbortSignal) => Promise<unknown> = async () => undefined;

  /** No frame shows a line. */
  onMakeReference: FrameAnalyser['makeReference'] = async () => ({ bytes: null, good: [], rois: 0, darkLevel: 0 });

  constructor(world: PipelineWorld) {
    this.world = world;
  }

  stage(tools: Tools & StageFlow) {
    // The settings of a test have the text of the ROI manifest already.
    const { withInputs: _joined, ...alone } = processor;
    return runStage(alone, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<ProcessExperiment, 'tools'> {
    const { manifest, files, results } = this.world;
    return {
      queue: manifest,
      archive: manifest.archive,
      runId: 'run',
      bootId: 'boot',
      note: (_level, message) => void this.log.push(message),
      files,
      results,
      freshFrames: this.freshFrames,
      frameSizesFile: '/root/frame_sizes.json',
      roiManifest$: of(roiManifestText),
      openAnalyser: () => {
        this.onOpen();
        this.maxOpen = Math.max(this.maxOpen, ++this.open);
        return {
          analyse: async (job, signal) => {
            this.jobs.push(job);
            const id = /([^/]+?)\.\w+$/.exec(job.path)![1]!.replace('image_', '');
            await this.onAnalyse(id, signal!);
            const positions = Float64Array.of(this.showsLines(id) ? 1 : Number.NaN);
            return { ...analysedFrame, positions, chipShift: this.chipShift, seen: this.seen, ...this.sizes[id] };
          },
          makeReference: (job, signal) => this.onMakeReference(job, signal),
          close: async () => {
            this.log.push('close');
            this.open--;
          },
          destroy: async () => {
            this.log.push('destroy');
            this.open--;
          },
        };
      },
    };
  }
}
