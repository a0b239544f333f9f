import { totalmem } from 'node:os';
import { BadImageError } from './badImageError.ts';
import { type ImageHeader, imageHeader, sizeText } from './imageHeader.ts';
import type { ReadAt } from './tiffDirectories.ts';

/** Bytes that one image may take where nobody says otherwise: a quarter of the machine's memory, or of what this process may take. */
export function imageMemory(): number {
  const constrained = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY) / 4);
}

/**
 * Reads an image's header and decides by it, before anything large is read or unpacked.
 *
 * @param fileBytes that decoding needs in memory beside what it makes of them
 * @param limit bytes that file and pixels may take together
 * @returns null for what is no image that is known; decoding says what it is
 * @throws BadImageError for an image that is not read, or takes more memory than it may
 */
export function checkedHeader(readAt: ReadAt, name: string, fileBytes: number, limit: number): ImageHeader | null {
  const header = imageHeader(readAt);
  if (header?.refusal) throw new BadImageError(name, header.refusal);
  const needed = fileBytes + (header?.decodeBytes ?? 0);
  if (needed <= limit) return header;
  const size = header === null ? '' : `an image of ${sizeText(header)}: `;
  throw new BadImageError(name, `${size}reading it takes about ${megabytes(needed)}; ${limitText(limit)}`);
}

/** Why an image that takes more is not read. */
export const limitText = (limit: number): string =>
  `one image may take ${megabytes(limit)} (memory_limit, shared by the threads)`;

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
