import type { Observable, SchedulerLike } from 'rxjs';
import type { ResolvedPaths } from '../../config/resolvePaths.ts';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { Exclusive } from '../../files/fileLock.ts';
import type { Files } from '../../files/files.ts';
import type { Liveness } from '../../files/processIdentity.ts';
import type { SegmentPosition } from '../../files/segmentedFile.ts';
import type { FreshFrames } from '../../image/freshFrames.ts';
import type { Archive, Queue } from '../../manifest/queue.ts';
import type { Holders } from '../../manifest/stageLeases.ts';
import type { QueueStage } from '../../manifest/stageWork.ts';
import type { AnalysedFrame, AnalysisJob, MadeReference, ReferenceJob } from '../../model/analysisJob.ts';
import type { Clock } from '../../model/clock.ts';
import type { ProcessIdentity, ResultLocation } from '../../model/entry.ts';
import type { NoteEvent } from '../../model/event.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import type { ResultLine } from '../../model/result.ts';
import type { Sensor } from '../../model/sensor.ts';
import type { StageName } from '../../model/stageName.ts';
import type { PipelineStatus } from '../../model/status.ts';
import type { Shares } from '../../share/share.ts';
import type { Throttled } from '../health/powerSupply.ts';

/** What everything that runs in an experiment needs, whatever it does; tests give their own. */
export interface Tools {
  clock: Clock;
  random: () => number;
  /** Ids for what is new; unique across machines, and in order of time. */
  newId: () => string;
  scheduler?: SchedulerLike;
  /** Something that must be over before the manifest is closed, whatever becomes of the stream. */
  track<T>(promise: Promise<T>): Promise<T>;
}

/** Images of a folder that take the place of the camera. */
export interface Replay extends Pick<SourceSettings, 'every' | 'from' | 'to' | 'limit' | 'series'> {
  /** Absolute. */
  readonly folder: string;
  /** Times the recorded pace; infinite: as fast as there is room. */
  readonly speed: number;
  /** The ROI manifest as it was given; the replay has a copy. */
  readonly roiManifestFile?: string;
}

/** What settings follow from, besides the configuration. */
export interface SettingsSource {
  readonly paths: ResolvedPaths;
  /** Absolute; null when the shipped configuration is used. */
  readonly configFile: string | null;
  readonly replay: Replay | null;
}

/** What a pool of analysis workers is made from. */
export interface AnalyserSettings {
  /** Workers of the pool; at least 1. */
  workers: number;
  /** Memory a worker may take, MB; null leaves it to Node. */
  memoryLimitMb: number | null;
}

/** The pool that analyses frames; see `analysis/analysisPool.ts`. */
export interface FrameAnalyser {
  analyse(job: AnalysisJob, signal?: AbortSignal): Promise<AnalysedFrame>;
  makeReference(job: ReferenceJob, signal?: AbortSignal): Promise<MadeReference>;
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** What the processor needs of the results log. */
export interface ResultStore {
  /** Resolves when the line is durable. */
  append(head: Omit<ResultLine, 'image_analysis'>, imageAnalysis: Uint8Array | null): Promise<ResultLocation>;
  position(): Promise<SegmentPosition>;
  find(from: SegmentPosition, entryId: string, attempt: number): Promise<ResultLocation | null>;
  read(location: ResultLocation): Promise<ResultLine>;
}

/** What the reporter of an experiment is made from. */
export interface ReporterSettings {
  /** Words of the configuration, each a sink. */
  methods: readonly string[];
  /** Names of the configured temperature sensors. */
  sensors: readonly string[];
  /** Title of the plot. */
  title: string;
}

/** A result whose report was begun by a process that is gone, and what its claim says of the output. */
interface Unsettled {
  result: ResultLine;
  position: SegmentPosition | null;
}

/** All sinks of the configuration as one; see `sinks/communication.ts`. */
export interface Reporter {
  /** End of what is written, for claims; null when no sink keeps a place. */
  position(): SegmentPosition | null;
  /** Comes first, once: which of these were reported in full before a crash. */
  recover(unsettled: readonly Unsettled[]): Promise<ReadonlySet<ResultLine>>;
  /** Durable when it resolves; the batch is then settled, whatever happens, and not released. */
  report(results: readonly ResultLine[]): Promise<void>;
  /** Draws what is drawn from time to time. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What all parts of an experiment share: opened and closed by `openExperiment`, whole or not at all. A stage names with `Pick` what it
 * needs of it.
 */
export interface Experiment extends SettingsSource {
  readonly tools: Tools;
  readonly runId: string;
  /** When the run began, ms since 1970 UTC. */
  readonly runStarted: number;
  readonly bootId: string;
  readonly queue: Queue;
  readonly archive: Archive;
  /** Of the experiment's disk. */
  readonly files: Files;
  /** The same for `backup_dir`, which may be on a disk that hangs. */
  readonly backupFiles: Files;
  readonly results: ResultStore;
  /** Keeps which size of frames each ROI manifest is for. */
  readonly frameSizesFile: string;
  readonly shares: Shares;
  /** Text of the ROI manifest, and of each change of it; null while it is not there. */
  readonly roiManifest$: Observable<string | null>;
  /** Emits when another process may have changed the manifest. */
  readonly manifestTouched$: Observable<unknown>;
  /** Space on the disk of the images, from time to time; null where it can't be asked. */
  readonly space$: Observable<DiskSpace | null>;
  /** The same, now. */
  measureSpace(): Promise<DiskSpace | null>;
  /** Pixels of frames that the collector of this process has just recorded. */
  readonly freshFrames: Pick<FreshFrames, 'keep' | 'take'>;
  /** The image for which there was no room on the disk, if one waits. */
  readonly waitingImage: { bytes: number };
  /** Held while entries are brought back from the archive, by whoever does. */
  readonly restoreLock: Exclusive;
  /** Told once somebody listens. */
  note(level: NoteEvent['level'], message: string, stage?: StageName | null): void;
  liveness(process: ProcessIdentity): Liveness;
  /** Whether a pid is one of this machine's processes. */
  isAlive(pid: number): boolean;
  /** Whether a time server has set the machine's clock; null when the system does not tell. */
  clockSynced(): boolean | null;
  openSource(settings: SourceSettings, signal: AbortSignal): Promise<FrameSource>;
  /** @param id as in `Temperature.thermocouple_sensors` @param deviceRoot folder of the 1-wire devices */
  openSensor(id: string, deviceRoot: string): Sensor;
  /** Lets go of cameras that have failed, and that this process keeps from other experiments for its next try. */
  freeCameras(): void;
  openAnalyser(settings: AnalyserSettings): FrameAnalyser;
  openReporter(settings: ReporterSettings): Promise<Reporter>;
  /** The status of all processes of the root; null while there is none. */
  readStatus(): Promise<PipelineStatus | null>;
  /** Which process holds which exclusive stage. */
  readHolders(): Promise<Holders>;
  /** Space on the disk of `root_dir`; `unknown` when it does not tell, null when it does not answer. */
  rootSpace(): DiskSpace | 'unknown' | null;
  /** What this machine says of its power supply and heat; null where it says nothing. */
  readThrottled(signal: AbortSignal): Promise<Throttled | null>;
  /**
   * How a stage's claims of processes that are gone are ended from outside, so that nothing is done or counted twice; resolves
   * with how many were. The claims of a stage without one are left to that stage: it looks at its output when it opens.
   */
  readonly settleOrphans: Partial<Record<QueueStage, () => Promise<number>>>;
}
