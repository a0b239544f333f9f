import { join } from 'node:path';
import { removeFile } from '../../files/durableNames.ts';
import { comparePositions, type SegmentPosition } from '../../files/segmentedFile.ts';
import { counted } from '../../model/quantity.ts';
import { fillPast } from '../series/fillPast.ts';
import { seriesFolder } from '../series/seriesReader.ts';
import { SeriesWriter } from '../series/seriesWriter.ts';
import type { Communication, CommunicationOptions } from './communication.ts';
import { communicationMethods } from './communicationMethods.ts';

/** What an earlier version kept for the plot. */
const formerSeries = 'plot_series.bin';

/**
 * Opens the communications that the configuration names, as one, and the series that is written beside them. Words of methods that this
 * version does not have yet are passed over; the configuration's warnings say so.
 *
 * The series comes last: what stands in it was told to all, and what was told before a crash and is missing in it is added when that is
 * found.
 *
 * Those that keep no place are told first: what stands in the output of one that does was told to all others, and is not
 * repeated after a crash.
 */
export async function openCommunications(
  words: readonly string[],
  options: CommunicationOptions,
): Promise<Communication> {
  const { files, folder, sensors, alarm, note = () => undefined, reported } = options;
  const opened: Communication[] = [];
  let series: SeriesWriter;
  try {
    for (const [word, open] of Object.entries(communicationMethods)) {
      if (words.includes(word)) opened.push(await open(options));
    }
    series = await SeriesWriter.open({
      folder: seriesFolder(folder),
      files,
      sensors,
      hasPast: opened.some(one => isBegun(one.position())),
      warn: message => alarm('series', message),
      well: () => options.well('series'),
    });
    if (await files.stat(join(folder, formerSeries))) await removeFile(files, join(folder, formerSeries));
  } catch (error) {
    await Promise.all(opened.map(one => one.close()));
    throw error;
  }
  const stop = new AbortController();
  const filled = reported ? fill(series, { ...options, note, reported }, stop.signal) : null;
  const placed = opened.filter(one => one.position() !== null);
  const others = opened.filter(one => one.position() === null);
  const each = async (act: (one: Communication) => Promise<unknown>): Promise<void> => {
    for (const one of [...others, ...placed]) await act(one);
  };
  return {
    position: () => placed[0]?.position() ?? null,
    recover: async unsettled => {
      for (const one of others) await one.recover(unsettled);
      const complete = await Promise.all(placed.map(one => one.recover(unsettled)));
      const recovered = complete.reduce((all, next) => new Set(all).intersection(next), complete[0] ?? new Set());
      await series.append(unsettled.map(({ result }) => result).filter(result => recovered.has(result)));
      return recovered;
    },
    report: async results => {
      await each(one => one.report(results));
      await series.append(results);
    },
    flush: () => each(one => one.flush()),
    close: async () => {
      stop.abort(new Error('The series was closed'));
      await Promise.all([filled, each(one => one.close())]);
    },
  };
}

/** Fills the series with what was reported before it was begun, beside all else. Resolves in any case. */
async function fill(
  { next }: SeriesWriter,
  {
    files,
    folder: results,
    sensors,
    alarm,
    well,
    note,
    reported,
  }: Pick<Required<CommunicationOptions>, 'files' | 'folder' | 'sensors' | 'alarm' | 'well' | 'note' | 'reported'>,
  signal: AbortSignal,
): Promise<void> {
  const folder = seriesFolder(results);
  try {
    const images = await fillPast({
      ...{ folder, files, sensors, next, reported, signal },
      onBegin: () => note(`${folder} lacks what was reported before: it is made from the results, beside all else`),
    });
    if (images === null) return;
    note(`${folder} is complete: ${counted(images, 'image')} of before were added`);
    well('series');
  } catch (error) {
    if (signal.aborted) return;
    const message = `${folder} lacks what was reported before: ${(error as Error).message}. 'phorest verify --repair' makes it too`;
    alarm('series', message);
  }
}

const isBegun = (position: SegmentPosition | null): boolean =>
  position !== null && comparePositions(position, { segment: 0, length: 0 }) > 0;
