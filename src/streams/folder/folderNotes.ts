import { counted } from '../../model/quantity.ts';
import type { IgnoredFiles, ImageListing } from './imageListing.ts';
import type { TimedImages } from './imageTimes.ts';
import type { ImageTimeSource } from './listedImage.ts';

/** What there is to say of a folder of images. */
export interface FolderNote {
  level: 'info' | 'warning';
  message: string;
}

export interface ImageFolderDescription {
  /** Absolute. */
  folder: string;
  /** Folders that hold the images: the folder itself, its position, or its days. */
  folders: readonly string[];
  timeSource: ImageTimeSource;
  /** Images found, before any choice. */
  images: number;
  ignored: IgnoredFiles;
}

/** What a person should know of a folder before its images flow: what was found, what was left out and why. */
export function folderNotes(
  { folder, folders, timeSource, ignored }: ImageFolderDescription,
  { images, untimed, doubts }: TimedImages,
  { undecodable, passedOver }: ImageListing,
): FolderNote[] {
  const notes: FolderNote[] = [];
  const note = (level: FolderNote['level'], message: string): void => {
    notes.push({ level, message: `${folder}: ${message}` });
  };
  const place =
    folders.length > 1 ? ` in ${folders.length} folders of days` : folders[0] === folder ? '' : ` in ${folders[0]}`;
  const reasons = [...doubts];
  if (untimed > 0)
    reasons.push(
      `${untimed} of ${counted(images.length, 'image')} ${untimed === 1 ? 'has' : 'have'} no time from ${timeSource}: ${estimated(images)}`,
    );
  // One line says which source is used; where that is not plain, it is a warning and says why.
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  note(why === '' ? 'info' : 'warning', `${counted(images.length, 'image')}${place}, times from ${timeSource}${why}`);
  const other = ignored.other + ignored.hidden;
  const hidden = ignored.hidden > 0 ? ` (${ignored.hidden} hidden or unfinished)` : '';
  if (other > 0)
    note('info', `${counted(other, 'file')} there that ${other === 1 ? 'is' : 'are'} not taken as images${hidden}`);
  if (ignored.packed > 0)
    note('info', `${ignored.packed} compressed images are there uncompressed too: each is taken once`);
  if (ignored.notRegular > 0)
    note('warning', `${ignored.notRegular} links, folders or devices named like images ignored`);
  if (passedOver.length > 0)
    note(
      'warning',
      `its folders ${passedOver.slice(0, 5).join(', ')}${passedOver.length > 5 ? ', …' : ''} are not looked into, since it has images itself`,
    );
  if (undecodable.length > 0)
    note(
      'warning',
      `${counted(undecodable.length, 'name is', 'names are')} not UTF-8 (the first: ${JSON.stringify(undecodable[0])}) and will fail: rename ${undecodable.length === 1 ? 'it' : 'them'}`,
    );
  return notes;
}

function estimated(images: TimedImages['images']): string {
  const count = images.filter(({ source }) => source === 'estimated').length;
  const example = images.find(({ source }) => source !== undefined);
  const how =
    count > 0
      ? `${counted(count, 'time is', 'times are')} estimated from the images around them`
      : 'their file times, which agree, are used';
  return `${how} (the first: ${JSON.stringify(example?.name)})`;
}

/** Says the first of a kind in full and the number of all of them once, so that 100,000 alike are two lines in a log. */
export class NoteTally {
  readonly #note: (note: FolderNote) => void;
  readonly #counts = new Map<string, number>();

  constructor(note: (note: FolderNote) => void) {
    this.#note = note;
  }

  count(kind: string, first: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count === 1) this.#note({ level: 'warning', message: first });
  }

  /** Says how many there were, unless the first was all; again only when there are more. */
  sum(kind: string, message: (count: number) => string): void {
    const count = this.#counts.get(kind) ?? 0;
    if (count > 1) this.#note({ level: 'warning', message: message(count) });
    if (count > 1) this.#counts.set(kind, 1);
  }
}
