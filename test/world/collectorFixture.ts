import { concat, NEVER, of } from 'rxjs';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { FreshFrames } from '../../src/image/freshFrames.ts';
import type { ImportedFrame, SourceFrame } from '../../src/model/frame.ts';
import type { Arrivals } from '../../src/model/frameSource.ts';
import { localIso, utcIso } from '../../src/model/localTime.ts';
import type { CollectExperiment, CollectSettings } from '../../src/operators/collector/captureStage.ts';
import { collector } from '../../src/operators/collector/collector.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import { openSimulatedSensor } from '../../src/streams/sensors/simulatedSensor.ts';
import { brightfieldFolder, dataFolder, type PipelineWorld } from './pipelineWorld.ts';

/** The source of a camera. */
export const cameraNumber = (cameraId: number): CollectSettings['source'] => ({
  type: 'simulated',
  cameraId,
  camera: defaultConfig().Camera,
  simulator: defaultConfig().Simulator,
  roiManifestFile: '/root/ROI_manifest.json',
  truthFile: '/root/truth.jsonl',
  folder: dataFolder,
  watch: defaultConfig().Watch_Folder,
  flags: '/root/flags',
});

export const collectSettings: CollectSettings = {
  enabled: true,
  source: cameraNumber(0),
  intervalMs: 5000,
  speed: Number.POSITIVE_INFINITY,
  transform: 'NONE',
  format: 'PNG',
  retryDelayMs: 1000,
  failureLimit: 1,
};

/** A folder's image, `seconds` after its first one. */
export function importedFrame(number: number, seconds = number): ImportedFrame {
  const time = Date.UTC(2025, 6, 24, 12) + seconds * 1000;
  return {
    kind: 'imported',
    folder: '/old',
    filename: `img_${number}.tif`,
    taken: { local: localIso(time), utc: utcIso(time), source: 'metadata' },
    elapsedMs: seconds * 1000,
    cameraIndex: 'IMAGE_IMPORTER',
  };
}

let captured = 0;

/** A frame that a camera has just taken: two pixels. */
export function capturedFrame(): SourceFrame {
  const now = Date.now() + captured++ / 1000;
  return {
    kind: 'captured',
    pixels: { width: 2, height: 1, depth: 8, data: Uint8Array.of(1, 2) },
    taken: { local: localIso(now), utc: utcIso(now), source: 'camera' },
    cameraIndex: 0,
  };
}

/** The collector with a source that does what a test says. */
export class CollectorFixture {
  readonly world: PipelineWorld;
  readonly pace: 'triggered' | 'own';
  readonly freshFrames = new FreshFrames(1e6, () => true);
  open = 0;
  maxOpen = 0;
  opened = 0;
  /** How often cameras that had failed were let go. */
  freed = 0;
  readonly log: string[] = [];
  onOpen: (signal: AbortSignal) => Promise<unknown> = async () => undefined;
  /** The `number`th call of `next` on one source; a camera by default. */
  onNext: (number: number, signal: AbortSignal) => Promise<SourceFrame | null> = async () => capturedFrame();

  note: (message: string) => void = () => undefined;
  openSensor: CollectExperiment['openSensor'] = id => openSimulatedSensor(id, { now: () => 0, monotonic: () => 0 });
  arrivals?: Arrivals;
  /** Only of a folder that is replayed. */
  replay: CollectExperiment['replay'] = null;
  #recorded: { count: number; elapsedMs: (number: number) => number } | null = null;

  constructor(world: PipelineWorld, pace: 'triggered' | 'own') {
    this.world = world;
    this.pace = pace;
  }

  /** A folder of so many images. */
  folder(images: number, seconds = (number: number): number => number): this {
    this.onNext = async number => (number < images ? importedFrame(number, seconds(number)) : null);
    return this;
  }

  /** A folder of so many images, whose frames one can go through. */
  recording(images: number, seconds = (number: number): number => number): this {
    this.replay = { folder: '/old', speed: Number.POSITIVE_INFINITY };
    this.#recorded = { count: images, elapsedMs: number => seconds(number - 1) * 1000 };
    return this.folder(images, seconds);
  }

  stage(tools: Tools & StageFlow, stage = collector) {
    return runStage(stage, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<CollectExperiment, 'tools'> {
    const { manifest, files } = this.world;
    return {
      queue: manifest,
      archive: manifest.archive,
      files,
      paths: { data: dataFolder, brightfield: brightfieldFolder },
      replay: this.replay,
      // No image is of this run, so none is looked for that a crash has left.
      runStarted: Date.UTC(2100, 0),
      space$: concat(of({ free: 1e12, size: 2e12 }), NEVER),
      measureSpace: async () => null,
      waitingImage: { bytes: 0 },
      freshFrames: this.freshFrames,
      isAlive: () => false,
      note: (_level, message) => this.note(message),
      runId: 'run',
      bootId: 'boot',
      clockSynced: () => true,
      openSensor: this.openSensor,
      freeCameras: () => {
        this.freed++;
      },
      openSource: async (_settings, signal) => {
        await this.onOpen(signal);
        this.maxOpen = Math.max(this.maxOpen, ++this.open);
        this.opened++;
        let number = 0;
        const recorded = this.#recorded;
        return {
          ...(recorded && {
            recording: {
              count: recorded.count,
              lengthMs: recorded.elapsedMs(recorded.count),
              timeOf: (wanted: number) => Date.UTC(2025, 6, 24, 12) + recorded.elapsedMs(wanted),
              elapsedOf: recorded.elapsedMs,
              seek: (wanted: number) => {
                number = wanted - 1;
              },
            },
          }),
          pace: this.pace,
          total: null,
          next: async given => this.onNext(number++, given),
          ...(this.arrivals && { arrivals: this.arrivals }),
          close: async () => {
            this.log.push('close');
            this.open--;
          },
        };
      },
    };
  }
}
