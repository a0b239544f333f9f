import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CalibrationError } from '../calibration/calibrationError.ts';
import type { Background } from '../calibration/calibrationPictures.ts';
import { type Chip, parseChipMap } from '../calibration/chipMap.ts';
import { type FeatureLocations, parseFeatureLocations } from '../calibration/featureLocations.ts';
import { findTemplate } from '../calibration/labelTemplate.ts';
import type { LabelTemplate } from '../calibration/matchLabel.ts';
import type { ReferenceImage } from '../calibration/roiManifestText.ts';
import { shrink } from '../calibration/shrink.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { contentHash } from '../files/contentHash.ts';
import { nodeFiles } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { BadImageError } from '../image/badImageError.ts';
import { decodeFrame } from '../image/decodeFrame.ts';
import { encodePng } from '../image/encodeImage.ts';
import type { Pixels } from '../model/frame.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** @throws ExitError `usage` that names file and key */
export async function readChipMap({ chipMap }: ResolvedPaths): Promise<Chip[]> {
  const hint = 'the chip map says where labels and gratings are: put one there, or set [Assets] label_template_dir';
  return parsed(await text(chipMap, hint), chipMap, parseChipMap);
}

/** @throws ExitError `usage` that names file and key */
export async function readFeatureLocations({ featureLocations }: ResolvedPaths): Promise<FeatureLocations> {
  const hint = 'the file says roughly where labels are: write one, or set [Assets] feature_locations_config';
  return parsed(await text(featureLocations, hint), featureLocations, parseFeatureLocations);
}

async function text(file: string, hint: string): Promise<string> {
  const read = await readFileText(file);
  if (read.kind === 'text') return read.text;
  if (read.kind === 'missing') throw new ExitError(exitCodes.usage, `${file} is not there; ${hint}`);
  throw new ExitError(exitCodes.usage, `${file} ${read.reason}`);
}

const parsed = <T>(content: string, file: string, parse: (content: string, file: string) => T): T =>
  usable(() => parse(content, file));

/** What is wrong with a file ends the command. @throws ExitError `usage` */
export function usable<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof CalibrationError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
}

/** The pictures of a chip's labels, of those that have one. @throws ExitError `usage` for a picture that can't be read */
export async function readTemplates(chip: Chip, { labelTemplates }: ResolvedPaths): Promise<LabelTemplate[]> {
  const files = await readdir(labelTemplates, { recursive: true });
  const templates = chip.labels.map(async label => {
    const file = findTemplate(files, chip.type, label.label);
    return file === null ? null : { label, picture: await decoded(join(labelTemplates, file)) };
  });
  return (await Promise.all(templates)).filter(template => template !== null);
}

export interface Reference extends ReferenceImage {
  readonly pixels: Pixels;
}

/** The image that the chip is looked for in. @throws ExitError `usage` when it is not there, or no image */
export async function readReference(file: string): Promise<Reference> {
  const bytes = await readBytes(nodeFiles, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const hint = 'name the image of the chip with --image, or set [Assets] roi_generation_image';
    throw new ExitError(exitCodes.usage, `${file} is not there; ${hint}`, { cause: error });
  });
  const pixels = await decoded(file, bytes);
  return { file, hash: contentHash(bytes), size: { width: pixels.width, height: pixels.height }, pixels };
}

async function decoded(file: string, bytes?: Uint8Array): Promise<Pixels> {
  try {
    return await decodeFrame(bytes ?? file, file);
  } catch (error) {
    if (error instanceof BadImageError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
}

/** An image as what drawings lie over. */
export async function backgroundOf(pixels: Pixels): Promise<Background> {
  const { picture, zoom } = shrink(pixels);
  return { url: pngUrl(await encodePng(picture)), size: pixels, zoom };
}

export const pngUrl = (png: Uint8Array): string => `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
