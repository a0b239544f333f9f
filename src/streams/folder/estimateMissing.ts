import type { FileTimes, ListedImage } from './listedImage.ts';
import { elapsedBetween, later, type WallTime } from './wallTime.ts';

/** A file time this near to the time of its image tells when the run was, ms. */
const agreesWithin = 5_000;
/** Neighbours by whose file times those of the others are judged. */
const judges = 5;
const readAtOnce = 32;

/**
 * Gives times to images, in the order of their names, that the chosen source leaves out: their file times where those agree
 * with the source at the images around them, else times between their neighbours, or on from the last one at the cadence of the
 * run. A copied file may say that it is a year younger than its neighbours; it is not.
 */
export async function estimateMissing(images: readonly ListedImage[], files: FileTimes): Promise<void> {
  const cadence = cadenceOf(images);
  const trusted = await fileTimesAgree(images, files);
  for (const { missing, before, after } of gaps(images)) {
    const fromFiles = trusted ? await modifiedTimes(missing, (before ?? after) as WallTime, files) : [];
    for (const [i, image] of missing.entries()) {
      const written = fromFiles[i] ?? null;
      const fits =
        written !== null &&
        (before === null || elapsedBetween(before, written) >= -agreesWithin) &&
        (after === null || elapsedBetween(written, after) >= -agreesWithin);
      image.time = fits ? written : between(before, after, i + 1, missing.length + 1, cadence);
      image.source = fits ? 'mtime' : 'estimated';
    }
  }
}

/** `part` of `parts` of the way between two neighbours, or so many steps of the cadence on from (before) the one that there is. */
export function between(
  before: WallTime | null,
  after: WallTime | null,
  part: number,
  parts: number,
  cadence: number,
): WallTime {
  if (before === null) return later(after as WallTime, -cadence * (parts - part));
  if (after === null || elapsedBetween(before, after) < 0) return later(before, cadence * part);
  return later(before, (elapsedBetween(before, after) * part) / parts);
}

interface Gap {
  missing: ListedImage[];
  before: WallTime | null;
  after: WallTime | null;
}

function gaps(images: readonly ListedImage[]): Gap[] {
  const found: Gap[] = [];
  let open: Gap | null = null;
  let before: WallTime | null = null;
  for (const image of images) {
    if (image.time) {
      if (open) open.after = image.time;
      open = null;
      before = image.time;
    } else if (open) open.missing.push(image);
    else {
      open = { missing: [image], before, after: null };
      found.push(open);
    }
  }
  return found;
}

/** The middle one of the intervals between images that follow each other in time, ms. */
function cadenceOf(images: readonly ListedImage[]): number {
  const instants = images
    .flatMap(({ time }) => (time ? [time.wallMs - (time.zoneMinutes ?? 0) * 60_000] : []))
    .sort((a, b) => a - b);
  const steps = instants
    .slice(1)
    .map((instant, i) => instant - (instants[i] as number))
    .filter(step => step > 0)
    .sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}

async function fileTimesAgree(images: readonly ListedImage[], files: FileTimes): Promise<boolean> {
  const timed = images.filter(({ time }, i) => time && (!images[i - 1]?.time || !images[i + 1]?.time));
  const judging = timed.slice(-judges);
  const agree = await Promise.all(
    judging.map(async image => {
      const modified = await files.modified(image).catch(() => Number.NaN);
      return Math.abs(offsetOf(image.time as WallTime, modified)) <= agreesWithin;
    }),
  );
  return agree.length > 0 && agree.every(Boolean);
}

const quarter = 15 * 60_000;

/** Milliseconds from a file time to a time of an image, whose zone, where it is unknown, is any. */
function offsetOf({ wallMs, zoneMinutes }: WallTime, modified: number): number {
  if (zoneMinutes !== null) return wallMs - zoneMinutes * 60_000 - modified;
  const offset = wallMs - modified;
  const zone = Math.round(offset / quarter) * quarter;
  return Math.abs(zone) <= 14 * 4 * quarter ? offset - zone : Number.NaN;
}

/** File times on the clock of a neighbour. */
async function modifiedTimes(
  images: readonly ListedImage[],
  neighbour: WallTime,
  files: FileTimes,
): Promise<(WallTime | null)[]> {
  const times: (WallTime | null)[] = [];
  for (let i = 0; i < images.length; i += readAtOnce) {
    times.push(
      ...(await Promise.all(
        images.slice(i, i + readAtOnce).map(async image => {
          const modified = await files.modified(image).catch(() => null);
          if (modified === null) return null;
          const offset =
            neighbour.zoneMinutes === null
              ? Math.round((neighbour.wallMs - modified) / quarter) * quarter
              : neighbour.zoneMinutes * 60_000;
          return { wallMs: modified + offset, zoneMinutes: neighbour.zoneMinutes };
        }),
      )),
    );
  }
  return times;
}
