import { availableParallelism, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { configHash } from './config/configHash.ts';
import { amountInBytes } from './config/kinds/amount.ts';
import type { ResolvedPaths } from './config/resolvePaths.ts';
import type { Config } from './config/schema.ts';
import type { GraphStage, Pace, StageSettings } from './graph.ts';
import type { WorkRules } from './manifest/workRules.ts';
import type { WantedRoom } from './operators/noRoom.ts';
import { syncPlaces } from './operators/syncPlaces.ts';
import { healthPace } from './operators/watchHealth.ts';
import type { FrameSource } from './streams/frameSource.ts';
import type { SourceSettings } from './streams/sources.ts';

/** Images of a folder that take the place of the camera. */
export interface Replay extends Pick<SourceSettings, 'folder' | 'every' | 'from' | 'to' | 'limit' | 'series'> {
  /** Times the recorded pace; infinite: as fast as there is room. */
  speed: number;
  /** The folder, opened already; it is opened anew after a failure. */
  opened: FrameSource;
  /** The ROI manifest as it was given; the replay has a copy. */
  roiManifestFile?: string;
}

const mebibyte = 2 ** 20;
/** Less than this, and a worker could not even start. */
const leastWorkerMb = 128;

/**
 * What each stage needs to know, from the configuration and the paths that were resolved at the start.
 * @param configFile absolute; null when the shipped configuration is used.
 */
export function stageSettings(paths: ResolvedPaths, configFile: string | null, replay?: Replay): StageSettings {
  return {
    collector: ({ Camera, Services, Simulator, Timing, Retries }) => ({
      enabled: replay !== undefined || Services.enable_camera,
      source: {
        type: replay ? 'file_importer' : Camera.camera_type,
        cameraId: Camera.camera_id,
        simulator: Simulator,
        roiManifestFile: paths.newRoiManifest,
        truthFile: join(paths.generatedFiles, 'simulator_truth.jsonl'),
        folder: replay?.folder ?? paths.data,
        every: replay?.every,
        from: replay?.from,
        to: replay?.to,
        limit: replay?.limit,
        series: replay?.series,
      } satisfies SourceSettings,
      intervalMs: Timing.collector_interval_seconds * 1000,
      speed: replay?.speed ?? Number.POSITIVE_INFINITY,
      transform: Camera.camera_transform,
      retryDelayMs: Retries.collector_retry_delay_seconds * 1000,
    }),
    processor: config => {
      const { Data_Analysis: analysis, Development, Timing } = config;
      const workers = analysis.workers || availableParallelism();
      const memory = amountInBytes(analysis.memory_limit, totalmem()) / mebibyte;
      return {
        method: analysis.method,
        estimator: analysis.estimator,
        numberOfSubRois: analysis.number_of_subROIs,
        keepValues: Development.debug_mode,
        workers,
        memoryLimitMb: Math.max(leastWorkerMb, Math.floor(memory / workers)),
        intervalMs: Timing.processor_interval_seconds * 1000,
        // Messages name the file that was given, not its copy.
        roiManifestFile: replay?.roiManifestFile ?? paths.roiManifest,
        dataFolder: paths.data,
        configHash: configHash(config),
      };
    },
    communicator: ({ Communication, Temperature, Timing }) => ({
      methods: Communication.method,
      intervalMs: Timing.communicator_interval_seconds * 1000,
      sensors: Object.values(Temperature.thermocouple_sensors),
      title: basename(paths.root),
    }),
    compressor: ({ Services, Compression, Timing }) => ({
      enabled: Services.enable_image_compression,
      method: Compression.method,
      level: Compression.level,
      leastSaving: Compression.least_saving / 100,
      intervalMs: Timing.compress_interval_seconds * 1000,
      dataFolder: paths.data,
    }),
    syncer: ({ Services, Sync, Timing }) => ({
      enabled: replay === undefined && Services.enable_remote_sync,
      remoteRoot: paths.remote.root,
      dataFolder: paths.data,
      flagsFolder: paths.flags,
      manifestFile: paths.manifestFile,
      places: syncPlaces(paths, configFile),
      intervalMs: Timing.sync_interval_seconds * 1000,
      filesInFlight: Sync.files_in_flight,
      bytesPerSecond: Sync.bandwidth_limit,
      deadlineMs: Sync.deadline_seconds * 1000,
      trustWrite: Sync.trust_write,
    }),
    ring_buffer: config => ({
      size: replay === undefined ? config.Buffer.image_buffer_size : 0,
      minFree: config.Buffer.min_free_disk,
      rules: workRules(config),
      dataFolder: paths.data,
      remoteRoot: paths.remote.root,
    }),
    backup: ({ Services, Timing }) => ({
      enabled: Services.enable_file_backup,
      intervalMs: Timing.file_backup_interval_seconds * 1000,
      folder: paths.backup,
    }),
    health: ({ Buffer, Camera, Services, Timing }) => ({
      ...healthPace,
      enabled: Services.enable_service_health_check,
      // A folder of images has no cadence of its own.
      frameIntervalMs:
        Services.enable_camera && Camera.camera_type !== 'file_importer' && replay === undefined
          ? Timing.collector_interval_seconds * 1000
          : null,
      sensors: [],
      minFreeDisk: Buffer.min_free_disk,
    }),
  };
}

/**
 * How often each stage comes round, and how many images a minute it has to take to keep up with the camera. A folder is
 * read as fast as there is room for.
 */
export function stagePace({ Services, Timing }: Config, replay?: Replay): Record<GraphStage, Pace> {
  const collectorMs = Timing.collector_interval_seconds * 1000;
  const perMinute = replay === undefined && Services.enable_camera ? 60_000 / collectorMs : null;
  const every = (seconds: number): Pace => ({ intervalMs: seconds * 1000, perMinute });
  return {
    collector: { intervalMs: replay === undefined ? collectorMs : null, perMinute },
    processor: every(Timing.processor_interval_seconds),
    communicator: every(Timing.communicator_interval_seconds),
    compressor: every(Timing.compress_interval_seconds),
    syncer: every(Timing.sync_interval_seconds),
    ring_buffer: { intervalMs: null, perMinute: null },
    backup: { intervalMs: Timing.file_backup_interval_seconds * 1000, perMinute: null },
    health: { intervalMs: healthPace.intervalMs, perMinute: null },
  };
}

/** How much of the disk shall stay free, and whether images are deleted for it. */
export function wantedRoom({ Buffer, Services }: Config): WantedRoom {
  return { minFree: Buffer.min_free_disk, keepsAll: Buffer.image_buffer_size === 0 && !Services.enable_remote_sync };
}

/** Which stages every entry must pass before it is settled. */
export function workRules({ Services }: Config): WorkRules {
  return { compression: Services.enable_image_compression, sync: Services.enable_remote_sync };
}
