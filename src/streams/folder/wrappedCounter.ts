import { type FileTimes, type ListedImage, spread } from './listedImage.ts';
import { elapsedBetween, type WallTime, wallTimeOf } from './wallTime.ts';

/** Steps back of less than this are the rounding of a file system, ms. */
const rounding = 2_500;
const readAtOnce = 32;
/** Names that are random, as of a phone's or a server's upload: no counter orders them. */
const randomName = /^[0-9a-f]{8,}(?:-[0-9a-f]{4,})*$/i;

/**
 * Puts images, which are in the order of their names, in order of time where their counter came to its end and began again
 * (`IMG_9999`, `IMG_0001`), where it stands behind other numbers (`T25.2_0002`, `T25.1_0003`), or where the names have no counter. Only
 * then are times of many of them read at once. What the times
 * do not confirm stays as it is, and that is said.
 */
export async function unwrapCounter(
  images: ListedImage[],
  source: 'exif' | 'mtime',
  doubts: string[],
  files: FileTimes,
): Promise<void> {
  const random = images.length > 2 && images.every(({ name }) => isRandom(name));
  if (!random && (await followCounter(images, source, files))) return;
  const wrapped = random ? null : await mayHaveWrapped(images, source, files);
  if (!random && !wrapped) return;
  const times: (WallTime | null)[] = [];
  for (let i = 0; i < images.length; i += readAtOnce)
    times.push(...(await Promise.all(images.slice(i, i + readAtOnce).map(image => timeOf(image, source, files)))));
  if (random) {
    // Nothing else orders them; images of one time keep the order of their names.
    const order = [...images.keys()].filter(i => times[i]);
    order.sort((a, b) => elapsedBetween(times[b] as WallTime, times[a] as WallTime) || a - b);
    const rest = [...images.keys()].filter(i => !times[i]);
    reorder(images, [...order, ...rest]);
    return;
  }
  const turn = turningPoint(times);
  if (turn > 0)
    reorder(
      images,
      [...images.keys()].map(i => (i + turn) % images.length),
    );
  else if (wrapped === 'end' && isJump(images, null))
    doubts.push(
      `the counter in the names seems to have begun again after ${images.at(-1)?.name}, but the times do not say so: the order is that of the names`,
    );
}

/** Images by whose times an order is judged. */
const witnesses = 64;
/** Numbers of a name that may be its counter, from its end; GoPro's is the last four digits of the last number. */
const counters = [/(\d+)\D*$/, /(\d{4})\D*$/, /(\d+)\D+\d+\D*$/, /(\d+)(?:\D+\d+){2}\D*$/];

/** Puts images in the order of a number in their names where times advance in this order, and not in that of the names. */
async function followCounter(images: ListedImage[], source: 'exif' | 'mtime', files: FileTimes): Promise<boolean> {
  for (const counter of counters) {
    const numbers = images.map(({ name }) => Number(counter.exec(name)?.[1] ?? Number.NaN));
    if (numbers.some(Number.isNaN) || new Set(numbers).size < numbers.length) continue;
    if (numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number))) return false;
    const order = [...images.keys()].sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
    const seen = await Promise.all(
      spread(order.length, witnesses).map(async place => {
        const at = order[place] as number;
        return { at, time: await timeOf(images[at] as ListedImage, source, files) };
      }),
    );
    if (goesBack(seen) || !goesBack(seen.toSorted((a, b) => a.at - b.at))) continue;
    reorder(images, order);
    return true;
  }
  return false;
}

function goesBack(seen: readonly { time: WallTime | null }[]): boolean {
  const times = seen.flatMap(({ time }) => time ?? []);
  return times.some((time, i) => i > 0 && elapsedBetween(times[i - 1] as WallTime, time) < -rounding);
}

function reorder(images: ListedImage[], order: readonly number[]): void {
  const before = [...images];
  for (const [place, i] of order.entries()) images[place] = before[i] as ListedImage;
}

const isRandom = (name: string): boolean => {
  const stem = name.split('.', 1)[0] as string;
  return randomName.test(stem) && /[a-f]/i.test(stem) && /\d/.test(stem);
};

const timeOf = (image: ListedImage, source: 'exif' | 'mtime', files: FileTimes): Promise<WallTime | null> =>
  (source === 'exif' ? files.exif(image) : files.modified(image).then(wallTimeOf)).catch(() => null);

/**
 * `end` where the counter begins at 0 or 1 and ends with nines; `gap` where numbers are missing between its first and its last, and the
 * first was taken after the last.
 */
async function mayHaveWrapped(
  images: readonly ListedImage[],
  source: 'exif' | 'mtime',
  files: FileTimes,
): Promise<'end' | 'gap' | null> {
  const ends = [images[0], images.at(-1)];
  const [first, last] = ends.map(image => (image ? counterOf(image.name) : null));
  if (!first || !last || images.length < 3) return null;
  if (first.before !== last.before || first.digits.length !== last.digits.length || last.digits.length < 2) return null;
  if (/^9+$/.test(last.digits) && Number(first.digits) <= 1) return 'end';
  if (!isJump(images, null)) return null;
  const [begun, ended] = await Promise.all(ends.map(image => timeOf(image as ListedImage, source, files)));
  return begun && ended && elapsedBetween(begun, ended) < -rounding ? 'gap' : null;
}

/** Whether numbers are missing just before an image; anywhere for null. */
function isJump(images: readonly ListedImage[], at: number | null): boolean {
  const [from, to] = at === null ? [0, images.length - 1] : [at - 1, at];
  const number = (i: number): number => Number(counterOf((images[i] as ListedImage).name)?.digits);
  return number(to) - number(from) > to - from;
}

function counterOf(name: string): { before: string; digits: string } | null {
  const match = /^(.*?)(\d+)\D*$/.exec(name.replace(/\.[^.]*$/, ''));
  return match ? { before: match[1] as string, digits: match[2] as string } : null;
}

/** Where times, which come round once, have their earliest; 0 when they do not come round just once. */
function turningPoint(times: readonly (WallTime | null)[]): number {
  let turn = 0;
  let previous: WallTime | null = null;
  for (const [i, time] of times.entries()) {
    if (!time) continue;
    if (previous && elapsedBetween(previous, time) < -rounding) {
      if (turn > 0) return 0;
      turn = i;
    }
    previous = time;
  }
  const [first, last] = [times[0], times.at(-1)];
  return turn > 0 && first && last && elapsedBetween(last, first) >= -rounding ? turn : 0;
}
