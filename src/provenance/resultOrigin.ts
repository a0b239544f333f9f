import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { configHash } from '../config/configHash.ts';
import { parseConfig } from '../config/parseConfig.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import { contentHash } from '../files/contentHash.ts';
import type { Files } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { readChunks } from '../files/readChunks.ts';
import { SegmentedFile } from '../files/segmentedFile.ts';
import { ImagePathError, imageFolder, locateImage } from '../image/findImage.ts';
import { isRemoved } from '../manifest/workRules.ts';
import type { ReferenceBytes } from '../model/analysisJob.ts';
import { codecOf } from '../model/compression.ts';
import type { Entry, ResultLocation } from '../model/entry.ts';
import { copyOf, type RemoteCopy } from '../model/remoteCopy.ts';
import type { ResultLine } from '../model/result.ts';
import type { RoiManifest } from '../model/roi.ts';
import { parseResultLine } from '../sinks/results/resultsLog.ts';

/** The result of an image, and all that it was made from. What is not there any more is null, with the reason in `missing`. */
export interface ResultOrigin {
  entry: Entry;
  line: ResultLine | null;
  lineFile: string | null;
  image: ImageOrigin;
  /** The settings that it was made with, and the file that has them. */
  config: { hash: string | null; file: string | null; config: Config | null };
  rois: { hash: string | null; file: string | null; manifest: RoiManifest | null };
  /** Of the shifts; or, `isPattern`, only of the error bars. */
  reference: { hash: string | null; file: string | null; record: string | null; isPattern: boolean };
  /** Null: a line of a version that did not say it. */
  codeVersion: string | null;
  /** What could not be found, a sentence each. */
  missing: readonly string[];
}

export interface ImageOrigin {
  /** Where the image lies now; null: nowhere that can be reached. */
  path: string | null;
  where: 'local' | 'compressed' | 'share' | 'nowhere';
  /** The copy on the share; null: none is known. */
  copy: (RemoteCopy & { place: string }) | null;
}

export interface OriginOptions {
  paths: Pick<ResolvedPaths, 'data' | 'brightfield' | 'results' | 'backup' | 'roiManifest' | 'remote'>;
  /** As they are now: what a result without a snapshot may have been made with. */
  config: Config;
  files: Files;
  /** Files on the share: a call that hangs ends with an error. */
  shareFiles: Pick<Files, 'stat'>;
}

/**
 * Goes from an entry back to all that its result was made from. Reads only.
 * @throws the file system's errors, but for those of the share.
 */
export async function originOf(entry: Entry, options: OriginOptions): Promise<ResultOrigin> {
  const { files, paths } = options;
  const missing: string[] = [];
  const { result: location } = entry;
  const log = new SegmentedFile(files, paths.results, 'processing_results', 'jsonl');
  const line = location ? await readLine(log, location).catch(note(missing)) : null;
  if (!location) missing.push(`the image has no result: it is ${entry.processing_status}`);
  const image = await imageOrigin(entry, options, missing);
  const config = await configOf(line?.config_hash ?? null, options);
  if (config.hash !== null && config.config === null)
    missing.push(noSnapshot('configuration', config.hash, paths.backup));
  const rois = await roisOf(line?.roi_manifest_hash ?? null, options);
  if (rois.hash !== null && rois.manifest === null) missing.push(noSnapshot('ROI manifest', rois.hash, paths.backup));
  const hash = line?.reference ?? line?.pattern ?? null;
  const references = join(paths.results, 'references');
  const file = hash === null ? null : join(references, `reference_${hash}.bin`);
  const isThere = file !== null && (await files.stat(file)) !== null;
  if (file !== null && !isThere) missing.push(`the reference ${file} is not there any more`);
  return {
    entry,
    line,
    lineFile: location ? log.path(location.segment) : null,
    image,
    config,
    rois,
    reference: {
      hash,
      file: isThere ? file : null,
      record: isThere ? await recordOf(hash!, references, files) : null,
      isPattern: hash !== null && !line?.reference,
    },
    codeVersion: line?.code_version ?? null,
    missing,
  };
}

const note =
  (missing: string[]) =>
  (error: unknown): null => {
    missing.push((error as Error).message);
    return null;
  };

async function readLine(log: SegmentedFile, { segment, offset, length }: ResultLocation): Promise<ResultLine> {
  const parts: Buffer[] = [];
  for await (const part of log.read(segment, offset, offset + length)) parts.push(part);
  const line = parseResultLine(Buffer.concat(parts));
  if (typeof line !== 'string') return line;
  throw new Error(`${log.path(segment)} has no result line at byte ${offset}: ${line}`);
}

async function imageOrigin(
  entry: Entry,
  { files, shareFiles, paths }: OriginOptions,
  missing: string[],
): Promise<ImageOrigin> {
  const { camera_data: camera } = entry;
  const remote = copyOf(entry);
  const copy = remote && { ...remote, place: join(paths.remote.root, ...remote.path.split('/')) };
  if (!camera) {
    missing.push('the entry has no image: it could not be collected');
    return { path: null, where: 'nowhere', copy };
  }
  const folder = imageFolder(camera, paths.data, paths.brightfield);
  const path = isRemoved(entry)
    ? null
    : await locateImage(camera, folder, files).catch((error: unknown) => {
        if (error instanceof ImagePathError) return null;
        throw error;
      });
  if (path !== null) return { path, where: codecOf(path) === null ? 'local' : 'compressed', copy };
  if (copy === null) {
    missing.push(`${camera.filename} is not on this machine, and no copy on a share is known`);
    return { path: null, where: 'nowhere', copy };
  }
  const stat = await shareFiles.stat(copy.place).catch(() => null);
  if (stat) return { path: copy.place, where: 'share', copy };
  missing.push(`only the share has ${camera.filename} (${copy.place}), and the share is away`);
  return { path: null, where: 'nowhere', copy };
}

/** Every file that keepSnapshots has kept under a hash, the newest first. */
async function snapshots(
  files: Files,
  folder: string,
  stem: string,
  hash: string,
  extension: string,
): Promise<string[]> {
  const names = (await files.stat(folder)) ? await files.list(folder) : [];
  return names
    .filter(name => name.startsWith(`${stem}_`) && name.endsWith(`_${hash}.${extension}`))
    .sort()
    .reverse()
    .map(name => join(folder, name));
}

/** The settings that have a hash: those of a snapshot, else those of now where these are the same. */
export async function configOf(
  hash: string | null,
  { files, paths, config: now }: Pick<OriginOptions, 'files' | 'config'> & { paths: Pick<ResolvedPaths, 'backup'> },
): Promise<ResultOrigin['config']> {
  if (hash === null) return { hash, file: null, config: null };
  for (const file of await snapshots(files, paths.backup, 'config', hash, 'toml')) {
    try {
      const { config } = parseConfig((await readBytes(files, file)).toString(), file);
      if (configHash(config) === hash) return { hash, file, config };
    } catch {
      // Another one may be whole.
    }
  }
  return { hash, file: null, config: configHash(now) === hash ? now : null };
}

export const noSnapshot = (what: string, hash: string, folder: string): string =>
  `no snapshot of the ${what} ${hash} is in ${folder}`;

/** The ROI manifest that has a hash: that of a snapshot, else that of now where it is the same. */
export async function roisOf(
  hash: string | null,
  { files, paths }: { files: Files; paths: Pick<ResolvedPaths, 'backup' | 'roiManifest'> },
): Promise<ResultOrigin['rois']> {
  if (hash === null) return { hash, file: null, manifest: null };
  for (const file of [...(await snapshots(files, paths.backup, 'ROI_manifest', hash, 'json')), paths.roiManifest]) {
    const text = (await files.stat(file)) ? (await readBytes(files, file)).toString() : null;
    if (text !== null && contentHash(text) === hash) return { hash, file, manifest: parseRoiManifest(text, file) };
  }
  return { hash, file: null, manifest: null };
}

/** The record that says how a reference was made. */
async function recordOf(hash: string, folder: string, files: Files): Promise<string | null> {
  for (const name of await files.list(folder)) {
    if (!name.endsWith('.json')) continue;
    const path = join(folder, name);
    const text = (await readBytes(files, path)).toString();
    if (text.includes(`"hash": "${hash}"`)) return path;
  }
  return null;
}

/** A reference for the analysis; null where it is damaged. @throws the file system's errors */
export async function readReference(file: string, hash: string, files: Files): Promise<ReferenceBytes | null> {
  const bytes = await readBytes(files, file);
  if (contentHash(bytes) !== hash) return null;
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return { hash, bytes: shared };
}

/** Of a file, in pieces. */
export async function sha256Of(path: string, files: Pick<Files, 'open'>): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of readChunks(files, path)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}
