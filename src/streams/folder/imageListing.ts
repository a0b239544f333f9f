/**
 * Which images a replay reads: the names in one folder, or in the sub-folders that a run of ours or of Micro-Manager has.
 * Names only: no file is opened and none looked at, so that 100,000 take a fraction of a second.
 */

import { isUtf8 } from 'node:buffer';
import { access, opendir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { plainName } from '../../model/compression.ts';
import { counted } from '../../model/quantity.ts';
import { naturalOrder } from './naturalOrder.ts';
import { SourceError, sourceErrorOf } from './sourceError.ts';

/** A folder that holds images itself. */
export interface ImageFolder {
  /** Absolute. */
  path: string;
  /** In natural order. */
  images: string[];
  /** It has a `metadata.txt`. */
  hasMetadata: boolean;
}

/** Files that were left alone, by reason. */
export interface IgnoredFiles {
  /** Not an image by its name (`metadata.txt` is not counted). */
  other: number;
  /** Hidden, or unfinished (`*.tmp`). */
  hidden: number;
  /** Compressed images (`.gz`, `.zst`) that are there as they were too, or compressed in another way: one of them is read. */
  packed: number;
  /** Symbolic links, devices and folders that are named like images. */
  notRegular: number;
}

export interface ImageListing {
  /** Absolute; that of the images where an experiment was named. */
  folder: string;
  /** In the order of replay; more than one only for folders of days. */
  folders: ImageFolder[];
  ignored: IgnoredFiles;
  /** Images whose names are not UTF-8: no record in JSON can name them. */
  undecodable: string[];
  /** Folders of days or positions beside the images, which are not looked into. */
  passedOver: string[];
}

interface FolderContent extends ImageFolder {
  subfolders: string[];
}

const metadataName = 'metadata.txt';
/** Pictures that this program and the Python system draw beside their results: none is a frame. */
const drawnPictures: ReadonlySet<string> = new Set([
  'processed_data_plot.png',
  'health_report.png',
  'ROI_check.png',
  'Label_locations.png',
  'Grating_locations.png',
  'Label_matches.png',
]);
/** Folders that are looked into to say what a folder holds. */
const maxLookedInto = 500;
/** `20250724`, and `20250724_2` where a day has further folders. */
const dayFolder = /^(?:19|20)\d{6}(?:[_-]\d+)?$/;
/** What Micro-Manager calls the folder of a position: `Pos0` (1.4), `Default` (2.0). */
const positionFolder = /^(?:Pos[-_]?\d.*|\d+-Pos.*|Default)$/;

/**
 * Lists a folder; when it has no image itself, its folders of days in their order, or the one position of a Micro-Manager run. Of an
 * experiment it lists the folder of its images, and not its pictures of results.
 *
 * @param folder absolute path
 * @throws SourceError when there is nothing to replay, saying what was found instead
 */
export async function listImages(folder: string, signal?: AbortSignal): Promise<ImageListing> {
  const listing: ImageListing = {
    folder,
    folders: [],
    ignored: { other: 0, hidden: 0, packed: 0, notRegular: 0 },
    undecodable: [],
    passedOver: [],
  };
  const top = await readFolder(folder, listing, signal);
  const inside = await imagesOfExperiment(folder, top.subfolders, signal);
  if (inside !== null) return listImages(inside, signal);
  const days = top.subfolders.filter(name => dayFolder.test(name));
  const positions = await positionsIn(folder, top.subfolders);
  if (top.images.length > 0) {
    listing.folders.push(top);
    listing.passedOver.push(...days, ...positions);
    return listing;
  }
  if (days.length === 0 && positions.length > 1)
    throw new SourceError(
      'several_positions',
      `${folder}: holds ${positions.length} positions (${firstFew(positions)}); ${oneAtATime(folder, positions)}`,
    );
  for (const name of days.length > 0 ? days : positions) {
    const content = await readFolder(join(folder, name), listing, signal);
    if (content.images.length > 0) listing.folders.push(content);
  }
  if (listing.folders.length === 0) {
    let holding = await foldersWithImages(folder, top.subfolders, signal);
    if (holding.length === 0)
      holding = await foldersWithImages(folder, await foldersBelow(folder, top.subfolders), signal);
    throw holding.length > 0 ? severalFolders(folder, holding) : nothing(folder, listing, top.subfolders);
  }
  return listing;
}

/**
 * Folder of an experiment's images, of this program or of the Python system; null where a folder is none, or where not one folder alone has
 * a manifest and images: then it is a folder of several things, among them perhaps a copy of old results.
 */
async function imagesOfExperiment(
  folder: string,
  subfolders: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const recorded: string[] = [];
  for (const name of subfolders.slice(0, maxLookedInto)) {
    if (await isThere(join(folder, name, 'metadata_manifest.json'))) recorded.push(name);
  }
  const holding = await foldersWithImages(folder, recorded, signal);
  return holding.length === 1 ? join(folder, holding[0] as string) : null;
}

/** The names stand in quotes: a folder may be called "in". */
const firstFew = (names: readonly string[]): string =>
  `${names
    .slice(0, 5)
    .map(name => JSON.stringify(name))
    .join(', ')}${names.length > 5 ? ', …' : ''}`;
const oneAtATime = (folder: string, names: readonly string[]): string =>
  `replay ${names.length > 1 ? 'one of them at a time, as' : 'that one,'} ${JSON.stringify(join(folder, names[0] as string))}`;

/** Folders whose label is a person's own are positions when they have metadata. */
async function positionsIn(folder: string, subfolders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of subfolders.slice(0, maxLookedInto)) {
    if (dayFolder.test(name)) continue;
    const isPosition = positionFolder.test(name) || (await isThere(join(folder, name, metadataName)));
    if (isPosition) found.push(name);
  }
  return found;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Folders are not guessed at, but named. */
async function foldersWithImages(
  folder: string,
  subfolders: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const name of subfolders.slice(0, maxLookedInto)) {
    signal?.throwIfAborted();
    const entries = await opendir(join(folder, name)).catch(() => null);
    if (!entries) continue;
    for await (const entry of entries) {
      if (entry.isFile() ? !isFrameName(entry.name) : !dayFolder.test(entry.name)) continue;
      found.push(name);
      break;
    }
  }
  return found;
}

/** The folders in these, as `run 7/Pos0`. */
async function foldersBelow(folder: string, subfolders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of subfolders.slice(0, maxLookedInto)) {
    const entries = await readdir(join(folder, name), { withFileTypes: true }).catch(() => []);
    found.push(...entries.filter(entry => entry.isDirectory()).map(entry => join(name, entry.name)));
  }
  return found.sort(naturalOrder);
}

const severalFolders = (folder: string, holding: readonly string[]): SourceError =>
  new SourceError(
    'several_positions',
    `${folder}: has no image itself, but its folder${holding.length > 1 ? 's' : ''} ${firstFew(holding)} ${holding.length > 1 ? 'have' : 'has'}; ${oneAtATime(folder, holding)}`,
  );

async function readFolder(path: string, listing: ImageListing, signal?: AbortSignal): Promise<FolderContent> {
  const content: FolderContent = { path, images: [], hasMetadata: false, subfolders: [] };
  const { ignored } = listing;
  try {
    // Names as bytes: decoding would hide those that are not UTF-8.
    const entries = await opendir(path, { encoding: 'buffer' as BufferEncoding, bufferSize: 4096 });
    for await (const entry of entries) {
      const bytes = entry.name as unknown as Buffer;
      const name = bytes.toString('utf8');
      if (name.startsWith('.') || name.endsWith('.tmp')) ignored.hidden++;
      else if (entry.isDirectory() && !imageFile(name)) content.subfolders.push(name);
      else if (name === metadataName && entry.isFile()) content.hasMetadata = true;
      else {
        if (!isFrameName(name)) ignored.other++;
        else if (!entry.isFile()) ignored.notRegular++;
        else {
          if (!isUtf8(bytes)) listing.undecodable.push(name);
          content.images.push(name);
        }
      }
      signal?.throwIfAborted();
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw sourceErrorOf(path, error);
  }
  const plain = content.images.length;
  content.images = withoutCopies(content.images);
  ignored.packed += plain - content.images.length;
  content.images.sort(naturalOrder);
  content.subfolders.sort(naturalOrder);
  return content;
}

/** A compressor that was killed leaves an image twice. */
function withoutCopies(images: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const name of images) {
    const plain = plainName(name);
    const known = byName.get(plain);
    if (known === undefined || name < known) byName.set(plain, name);
  }
  return [...byName.values()];
}

function nothing(folder: string, { ignored }: ImageListing, subfolders: string[]): SourceError {
  const found = [
    ignored.notRegular > 0
      ? `${ignored.notRegular} link(s) or other things named like images, which are not followed`
      : '',
    ignored.other + ignored.hidden > 0 ? `${counted(ignored.other + ignored.hidden, 'other file')}` : '',
    subfolders.length > 0 ? `the folder${subfolders.length > 1 ? 's' : ''} ${firstFew(subfolders)}` : '',
  ].filter(part => part !== '');
  return new SourceError(
    'no_images',
    `${folder}: no PNG, JPEG or TIFF image here, nor in folders of days (YYYYMMDD); found ${found.join('; ') || 'nothing'}`,
  );
}

type ImageFormat = 'png' | 'jpeg' | 'tiff';

interface ImageFile {
  format: ImageFormat;
  /** How the whole file is compressed. */
  packed: 'none' | 'gz' | 'zst';
}

const formats: Readonly<Record<string, ImageFormat>> = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  tif: 'tiff',
  tiff: 'tiff',
};

const pattern = /\.(png|jpe?g|tiff?)(?:\.(gz|zst))?$/i;

const isFrameName = (name: string): boolean => imageFile(name) !== null && !drawnPictures.has(plainName(name));

/** What a name says of its file; null when it is no image (or a hidden or unfinished one: `.x.png`, `x.png.tmp`). */
export function imageFile(name: string): ImageFile | null {
  if (name.startsWith('.')) return null;
  const match = pattern.exec(name);
  if (!match) return null;
  const packed = match[2]?.toLowerCase() as 'gz' | 'zst' | undefined;
  return { format: formats[match[1].toLowerCase()], packed: packed ?? 'none' };
}
