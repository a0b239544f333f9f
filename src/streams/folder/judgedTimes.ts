/** Whether the times in names, EXIF and modification times can be those at which the frames were taken. */

import { counted } from '../../model/quantity.ts';
import { advances, type FileTimes, type ListedImage, spread } from './listedImage.ts';
import { elapsedBetween, instantOf } from './wallTime.ts';

/** Images that are looked at to judge a source whose times are in the files. */
const probeCount = 5;
/** Frames that a camera took within one second of its name may well follow each other in less than this, ms. */
const withinOneName = { exif: 1500, mtime: 2500 };
/** File times are those of the run, and not of a copy, when the first is within this of the first name, ms: any zone. */
const anyZone = 15 * 3_600_000;

/**
 * Whether neighbours mostly have one time in their names although other times say that they were taken one after the other, as
 * where every name has the start of the run. Null when they have not; `better` says whether another source knows better.
 */
export async function standsStill(
  images: readonly ListedImage[],
  files: FileTimes,
): Promise<{ reason: string; better: 'exif' | 'mtime' | 'none' } | null> {
  const pairs: number[] = [];
  for (let i = 1; i < images.length; i++) {
    const [before, now] = [images[i - 1]?.time, images[i]?.time];
    if (before && now && elapsedBetween(before, now) === 0) pairs.push(i);
  }
  if (images.length < 2 || 2 * pairs.length < images.length) return null;
  const tied = spread(pairs.length, probeCount).map(i => pairs[i] as number);
  const steps = async (timeOf: (image: ListedImage) => Promise<number | null>): Promise<number[]> => {
    const found = await Promise.all(
      tied.map(async i => {
        const [a, b] = await Promise.all([timeOf(images[i - 1] as ListedImage), timeOf(images[i] as ListedImage)]);
        return a === null || b === null ? [] : [b - a];
      }),
    );
    return found.flat().sort((a, b) => a - b);
  };
  const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? 0;
  const exif = await steps(async image => (await files.exif(image).catch(() => null))?.wallMs ?? null);
  const reason = advances(images)
    ? 'many names have the same time, as where it is that of the start of a run'
    : 'the names all have the same time, as where it is that of the start of the run';
  if (2 * exif.length >= tied.length && middle(exif) > withinOneName.exif) return { reason, better: 'exif' };
  const first = await files.modified(images[0] as ListedImage).catch(() => Number.NaN);
  const copied = !(Math.abs(first - (images[0]?.time?.wallMs ?? 0)) < anyZone);
  const modified = await steps(image => files.modified(image).catch(() => null));
  if (!copied && (modified[0] ?? -1) >= 0 && middle(modified) > withinOneName.mtime) return { reason, better: 'mtime' };
  // Frames in quick succession: the other times that have no finer steps stand still with the names.
  if (advances(images) && 2 * exif.length >= tied.length) return null;
  if (!copied && modified.every(step => step <= withinOneName.mtime)) return null;
  return {
    reason: `${reason}, and no other time tells when they were taken: their order is that of the names`,
    better: 'none',
  };
}

const firstCredible = Date.UTC(1990, 0, 1);
const day = 86_400_000;

/** EXIF when most probes have it and it advances, else the modification time. What is odd about them goes to `doubts`. */
export async function sourceInFiles(
  images: readonly ListedImage[],
  now: number,
  doubts: string[],
  files: FileTimes,
): Promise<'exif' | 'mtime'> {
  // A probe that can't be read says nothing; when its turn comes, it is reported.
  const probes = await Promise.all(
    spread(images.length, probeCount).map(async i => {
      const image = images[i] as ListedImage;
      const [exif, modified] = await Promise.all([
        files.exif(image).catch(() => null),
        files.modified(image).catch(() => null),
      ]);
      return { time: exif, exif: exif?.wallMs ?? null, modified };
    }),
  );
  const modified = probes.flatMap(probe => (probe.modified === null ? [] : [probe.modified]));
  const known = probes.filter(probe => probe.exif !== null);
  if (2 * known.length > probes.length) {
    const times = known.map(probe => probe.exif as number);
    const unset = times.every(isUnset);
    const reset = clockReset(known);
    const alike = known.every(
      (probe, i) =>
        i === 0 ||
        Math.abs(
          (probe.modified ?? Number.NaN) -
            (known[0]?.modified ?? Number.NaN) -
            ((times[i] as number) - (times[0] as number)),
        ) <= withinOneName.mtime,
    );
    if (probes.length > 1 && times.every(time => time === times[0]))
      doubts.push('EXIF gives all images the same time: it is not used');
    else if (reset) doubts.push(`${reset}: the camera's clock was set in the middle of the run, and EXIF is not used`);
    else if (!unset) {
      if (known.length < probes.length)
        doubts.push(
          `${probes.length - known.length} of ${counted(probes.length, 'image')} looked at ${probes.length - known.length === 1 ? 'has' : 'have'} no time from EXIF, and gets one from the images around it`,
        );
      return 'exif';
    } else if (alike)
      doubts.push("the camera's clock was not set (EXIF says so), and the file times advance as it does");
    else {
      doubts.push("the camera's clock was not set: intervals are right, dates are not");
      return 'exif';
    }
  } else if (known.length > 0)
    doubts.push(`EXIF gives a time to ${known.length} of ${counted(probes.length, 'image')} looked at: it is not used`);
  if (modified.length > 1 && modified.every(time => time === modified[0]))
    doubts.push('the file times are all the same, as after a copy: only the order of the names tells which was first');
  // A machine that has no clock itself can't judge.
  else if (modified.some(time => time < firstCredible || (now > firstCredible && time > now + day)))
    doubts.push('some file times are before 1990 or in the future: the clock that wrote them was wrong');
  return 'mtime';
}

/** What cameras begin with when nobody has set their clocks: 1970, 1980, 1 January 2000. */
const isUnset = (time: number): boolean => time < firstCredible || Math.floor(time / day) === 10_957;

/**
 * From which time to which EXIF leaps where the clock was set within the run; null where it was not. The file times tell, where they
 * advance as EXIF does at the other images. A leap of years back, or on from a clock that was not set, needs no witness.
 */
function clockReset(images: readonly { exif: number | null; modified: number | null }[]): string | null {
  const steps = images.slice(1).map((image, i) => {
    const [from, to] = [images[i]?.exif ?? 0, image.exif ?? 0];
    return { from, to, exif: to - from, file: (image.modified ?? Number.NaN) - (images[i]?.modified ?? Number.NaN) };
  });
  const isLeap = ({ exif, file }: { exif: number; file: number }): boolean => exif < -day || exif > file + day;
  const others = steps.filter(step => !isLeap(step));
  const filesTell =
    others.length > 0 &&
    others.every(({ exif, file }) => Math.abs(exif - file) <= withinOneName.mtime + Math.abs(exif) / 100);
  const leap = steps.find(
    step =>
      isLeap(step) &&
      ((filesTell && step.file >= 0) || step.exif < -365 * day || (step.exif > 365 * day && isUnset(step.from))),
  );
  if (!leap) return null;
  const [from, to] = [leap.from, leap.to].map(wallMs =>
    instantOf({ wallMs, zoneMinutes: null }, 'exif').local.slice(0, 19),
  );
  return `EXIF leaps from ${from} to ${to}`;
}
