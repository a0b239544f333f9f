import type { FrameMetadata, TimestampSource } from './frame.ts';
import type { StageName } from './stageName.ts';

export type ProcessingStatus = 'pending' | 'processing' | 'processed' | 'failed' | 'skip';

/** What the manifest keeps of one image. Names are those of the Python system. */
export interface CameraData {
  /** A brightfield frame shows the chip beside the frames that are analysed, and is never analysed itself. */
  type: 'image' | 'brightfield';
  filename: string;
  /** Folder of the file, absolute; when it is gone the name is looked for under `data_dir`. */
  filepath: string;
  /** Local time as the source wrote it, without zone. */
  timestamp_iso: string;
  camera_index: number | string;
  error_flag: boolean;
  error_message: string | null;
  /** True for an imported image: copied by sync, never compressed, moved or deleted. */
  original: boolean;
  /** What the camera said of the frame; absent where it said nothing. */
  metadata?: FrameMetadata;
}

export const isBrightfield = (camera: Pick<CameraData, 'type'> | null): boolean => camera?.type === 'brightfield';

export interface TemperatureData {
  type: 'temperature';
  timestamp_iso: string;
  /** Degrees Celsius by sensor name. */
  data: Record<string, number | null>;
  error_flag: boolean;
  error_message: string | null;
  /** Why a sensor gave no temperature, by its name; absent when all did. */
  errors?: Record<string, string>;
  /** Reasons to distrust a temperature that is there, by the sensor's name; absent when there are none. */
  flags?: Record<string, TemperatureFlag[]>;
}

/** `unchanged`: the same value for too long. `power_on`: it may be the value that a sensor shows before its first measurement. */
export type TemperatureFlag = 'unchanged' | 'power_on';

/** A process, told apart from a later one with the same pid. */
export interface ProcessIdentity {
  host: string;
  boot_id: string;
  pid: number;
  /** Start time of the process in clock ticks since boot; 0 where the system does not tell. */
  pid_start: number;
}

/** Who works on an entry, for which stage, and where that stage's output stood when it began. */
export interface Claim extends ProcessIdentity {
  time: string;
  /** Segment of the output file that the stage was writing when it claimed. */
  segment?: number;
  /** Length of that segment in bytes at that moment: what is written for this claim stands behind it. */
  length?: number;
}

/** Where a result line stands: number of the segment, offset and length in bytes. */
export interface ResultLocation {
  segment: number;
  offset: number;
  length: number;
}

/** One image in the manifest. Unknown keys are kept as they were found. */
export interface Entry {
  entry_id: string;
  entry_timestamp_iso: string;
  collection_error: boolean;
  collection_error_msg: string | null;
  camera_data: CameraData | null;
  temperature_data: TemperatureData | null;
  processing_status: ProcessingStatus;
  processing_timestamp_iso: string | null;
  processing_error: boolean;
  processing_error_msg: string | null;
  compression_attempted: boolean;
  image_synced: boolean;
  data_transmitted: boolean;
  timestamp_utc: string | null;
  monotonic_ms: number | null;
  boot_id: string | null;
  clock_synced: boolean | null;
  timestamp_source: TimestampSource | null;
  run_id: string | null;
  /** Revision: 1 when added, one more with every change that counts. */
  rev: number;
  /** Number of the newest claim of the processor; for a processed entry, the attempt whose result counts. */
  attempt: number;
  claims: Partial<Record<StageName, Claim>>;
  /** Where the counting result line stands. */
  result?: ResultLocation;
  /** How often a worker died on this image while its process lived. */
  worker_deaths?: number;
  /** How often the process itself died while a stage had this entry in flight, within one boot. */
  process_deaths?: Partial<Record<StageName, { boot_id: string; count: number }>>;
  /** False once the ring buffer has removed the image from this machine; absent before that. */
  image_local?: boolean;
  /** Of a removed image: whether it could only be removed because a copy was on the share. False where sync was off then. */
  copy_required?: boolean;
  [unknown: string]: unknown;
}
