/**
 * The hour that comes twice at the end of summer time, and the one that is missing at its beginning. Names have local times without
 * a zone; where the files still have the times at which they were written, the difference is the zone at that moment.
 */

import { utcIso } from '../../model/localTime.ts';
import { type FileTimes, type ListedImage, spread } from './listedImage.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Zones differ by whole quarters of an hour. */
const quarter = 15 * minute;
/** An image is on the disk within this of its time, ms; vfat rounds to 2 s. */
const writtenWithin = 10_000;
/** Images looked at over the whole run, and in the hours in which clocks are changed. */
const probes = 9;
const probesAtNight = 64;
const readAtOnce = 32;

interface Place {
  image: ListedImage;
  wallMs: number;
  /** Minutes east of UTC; null when the file time does not tell. */
  zone: number | null;
}

/**
 * Gives images their zones where the clock was changed within the run, so that they can be put in order. Does nothing where all
 * times have a zone, where the clock was not changed, or where the file times are not those of the run.
 */
export async function zonesFromFiles(images: readonly ListedImage[], files: FileTimes): Promise<void> {
  const places = images
    .flatMap(image => (image.time ? [{ image, wallMs: image.time.wallMs, zone: null } satisfies Place as Place] : []))
    .sort((a, b) => a.wallMs - b.wallMs);
  const first = places[0];
  if (!first || places.some(({ image }) => image.time?.zoneMinutes !== null)) return;
  const looked = [...new Set([...spread(places.length, probes), ...atNight(places)])].sort((a, b) => a - b);
  await readZones(
    looked.map(i => places[i] as Place),
    files,
  );
  const known = looked.filter(i => places[i]?.zone !== null);
  // A copied file among the others is no reason to doubt them all.
  if (known.length < 0.9 * looked.length) return;
  const changes = known.filter((place, i) => i > 0 && places[place]?.zone !== places[known[i - 1] as number]?.zone);
  if (changes.length === 0) return;

  const [from, to] = [known[known.indexOf(changes[0] as number) - 1] as number, changes.at(-1) as number];
  const near = places.filter(
    ({ wallMs }) =>
      wallMs >= (places[from] as Place).wallMs - 2 * hour && wallMs <= (places[to] as Place).wallMs + 2 * hour,
  );
  await readZones(near, files);
  let zone = places[known[0] as number]?.zone ?? null;
  for (const place of places) {
    zone = place.zone ?? zone;
    place.image.time = { wallMs: place.wallMs, zoneMinutes: zone };
  }
}

async function readZones(places: readonly Place[], files: FileTimes): Promise<void> {
  for (let i = 0; i < places.length; i += readAtOnce) {
    await Promise.all(
      places.slice(i, i + readAtOnce).map(async place => {
        const modified = await files.modified(place.image).catch(() => Number.NaN);
        const offset = place.wallMs - modified;
        const zone = Math.round(offset / quarter) * quarter;
        const isZone = Math.abs(offset - zone) <= writtenWithin && Math.abs(zone) <= 14 * hour;
        place.zone = isZone ? zone / minute : null;
      }),
    );
  }
}

const isSunday = (wallMs: number): boolean => (Math.floor(wallMs / day) + 4) % 7 === 0;

/** Nearly everywhere the clocks are changed on a Sunday before four in the morning: a run may end in that hour. */
function atNight(places: readonly Place[]): number[] {
  const night = places.flatMap(({ wallMs }, i) => (isSunday(wallMs) && wallMs % day < 4 * hour ? [i] : []));
  const last = night.filter(i => (places[i] as Place).wallMs > (places[night.at(-1) as number] as Place).wallMs - day);
  return last.length === 0 ? [] : spread(last.length, probesAtNight).map(i => last[i] as number);
}

/** Images within one hour of a clock's face. */
interface Hour {
  count: number;
  first: number;
  last: number;
}

/** Where images come about twice as fast, for one hour of a Sunday night, as in the hours beside it; null when there is no such hour. */
export function hourComesTwice(images: readonly ListedImage[]): string | null {
  const hours = new Map<number, Hour>();
  for (const { time } of images) {
    if (time === null || time.zoneMinutes !== null) continue;
    const { wallMs } = time;
    if (!isSunday(wallMs) && !isSunday(wallMs + hour)) continue;
    const start = Math.floor(wallMs / hour);
    const seen = hours.get(start);
    if (!seen) hours.set(start, { count: 1, first: wallMs, last: wallMs });
    else {
      seen.count++;
      seen.first = Math.min(seen.first, wallMs);
      seen.last = Math.max(seen.last, wallMs);
    }
  }
  const rate = (start: number): number => {
    const { count, first, last } = hours.get(start) ?? { count: 0, first: 0, last: 0 };
    return count < 3 ? 0 : (count - 1) / (last - first);
  };
  for (const start of hours.keys()) {
    const beside = Math.max(rate(start - 1), rate(start + 1));
    if (!isSunday(start * hour) || start % 24 > 3 || beside === 0 || rate(start) < 1.7 * beside) continue;
    return `the hour from ${utcIso(start * hour).slice(0, 16)} seems to come twice, as at the end of summer time: images of the two are mixed, since the file times do not tell them apart`;
  }
  return null;
}
