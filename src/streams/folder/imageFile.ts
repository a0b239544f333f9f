/**
 * Which files are images, by their names alone: a folder of 100,000 must not be opened file by file to find out.
 */

export type ImageFormat = 'png' | 'jpeg' | 'tiff';

export interface ImageFile {
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

/** What a name says of its file; null when it is no image (or a hidden or unfinished one: `.x.png`, `x.png.tmp`). */
export function imageFile(name: string): ImageFile | null {
  if (name.startsWith('.')) return null;
  const match = pattern.exec(name);
  if (!match) return null;
  const packed = match[2]?.toLowerCase() as 'gz' | 'zst' | undefined;
  return { format: formats[match[1].toLowerCase()], packed: packed ?? 'none' };
}
