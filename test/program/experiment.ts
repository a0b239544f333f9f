import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

export interface ExperimentOptions {
  intervalSeconds?: number;
  camera?: boolean;
  method?: string;
  preset?: string;
  workers?: number;
  /** The stages that keep the disk free and the data safe, at a quick pace. */
  storage?: StorageOptions;
}

export interface StorageOptions {
  /** `remote_root_dir`, absolute. */
  share: string;
  /** `image_buffer_size`; 0 keeps all. */
  keep: number;
  /** A call to the share that makes no progress for so long hangs, s. */
  deadlineSeconds?: number;
}

/** The configuration of a small experiment: simulated camera, a frame now and then. */
export function experimentToml(options: ExperimentOptions = {}): string {
  const { storage } = options;
  const { intervalSeconds = 0.2, camera = true, method = 'max_intensity', preset = 'small', workers = 1 } = options;
  return `[Services]
enable_camera = ${camera}
${storage ? storageServices : ''}
[Camera]
camera_type = "simulated"

[Simulator]
preset = "${preset}"

[Data_Analysis]
method = "${method}"
number_of_subROIs = 0
workers = ${workers}

[Timing]
collector_interval_seconds = ${intervalSeconds}
${storage ? storagePaces : ''}
[Retries]
collector_retry_delay_seconds = 1

[Communication]
method = "CSV_PLOT"
${storage ? storageSections(storage) : ''}`;
}

const storageServices = `enable_file_backup = true
enable_remote_sync = true
enable_image_compression = true
enable_service_health_check = true
`;

const storagePaces = `compress_interval_seconds = 0.5
file_backup_interval_seconds = 2
sync_interval_seconds = 1
`;

const storageSections = ({ share, keep, deadlineSeconds = 2 }: StorageOptions): string => `
[Buffer]
image_buffer_size = ${keep}
live_entries = 16

[Sync]
deadline_seconds = ${deadlineSeconds}

[Paths]
remote_root_dir = "${share}"
`;

export const configOf = (root: string): string => join(root, 'configs', 'Phorest_config.toml');

/** Puts a configuration into a root as an editor does that saves by replacing. */
export async function writeConfig(root: string, toml: string): Promise<void> {
  const file = configOf(root);
  await mkdir(join(root, 'configs'), { recursive: true });
  await writeFile(`${file}.new`, toml);
  await rename(`${file}.new`, file);
}

/** A manifest as the Python system wrote it, with these images of a folder waiting. */
export async function writeOldManifest(root: string, filenames: readonly string[], folder: string): Promise<void> {
  const entries = filenames.map((filename, i) => {
    const time = new Date(Date.UTC(2025, 6, 24, 13, 45, i)).toISOString().replace('Z', '000');
    return {
      entry_timestamp_iso: time,
      collection_error: false,
      collection_error_msg: null,
      camera_data: {
        type: 'image',
        filename,
        filepath: folder,
        timestamp_iso: time,
        camera_index: 0,
        error_flag: false,
        error_message: null,
      },
      temperature_data: null,
      processing_status: 'pending',
      processing_timestamp_iso: null,
      processing_error: false,
      processing_error_msg: null,
    };
  });
  await mkdir(join(root, 'data'), { recursive: true });
  await writeFile(join(root, 'data', 'metadata_manifest.json'), JSON.stringify(entries));
}

/** An ROI manifest: `count` ROIs below each other. */
export async function writeRois(
  root: string,
  count: number,
  [rows, columns]: readonly [number, number],
): Promise<void> {
  const rois = Array.from({ length: count }, (_, i) => [
    `ROI_${i}`,
    { label: String(i), flip: i % 2 === 0, coords: [5 + i * (rows + 2), 5], size: [rows, columns] },
  ]);
  await mkdir(join(root, 'generated_files'), { recursive: true });
  const file = join(root, 'generated_files', 'ROI_manifest.json');
  await writeFile(file, JSON.stringify({ ...Object.fromEntries(rois), image_angle: 0 }));
}

/** A grey PNG with one bright line down its middle. */
export function picture(width: number, height: number): Promise<Buffer> {
  return grey(width, height).png({ compressionLevel: 1 }).toBuffer();
}

/** The same as a TIFF that nobody has compressed. */
export function rawPicture(width: number, height: number): Promise<Buffer> {
  return grey(width, height).tiff({ compression: 'none' }).toBuffer();
}

function grey(width: number, height: number): Sharp {
  const row = Uint8Array.from(
    { length: width },
    (_, x) => 20 + 200 * Math.exp(-(((x - width / 2) / (width / 20)) ** 2)),
  );
  const data = Buffer.alloc(width * height);
  for (let y = 0; y < height; y++) data.set(row, y * width);
  return sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w');
}
