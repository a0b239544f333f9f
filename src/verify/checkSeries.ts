import { counted } from '../model/quantity.ts';
import { SeriesReader, type SeriesSegment, seriesFiles, seriesFolder } from '../sinks/series/seriesReader.ts';
import { missingBefore } from '../sinks/series/seriesWriter.ts';
import type { Inspection } from './inspection.ts';
import { checkOfRoi, checkOfTime } from './seriesLedger.ts';

/**
 * Holds every row of the series against the result that counts, and says which reported results have none. Comes after the table: what is
 * wrong with both is told of the table, whose repair writes the series anew too.
 */
export async function checkSeries(inspection: Inspection): Promise<void> {
  const { paths, files } = inspection.options;
  const folder = seriesFolder(paths.results);
  const wrong = (kind: Parameters<Inspection['report']>[0], file: string, message: string, id?: string): void => {
    inspection.report(kind, file, message, id);
    inspection.repairs.series = true;
  };
  const reader = await SeriesReader.look(files, folder, {
    damaged: ({ message }) => wrong('damaged_series', folder, message),
  });
  for (const segment of reader.segments) {
    const path = seriesFiles(files, folder).path(segment.number);
    const damaged = segment.counts[0]! - (await checkSegment(segment, path, inspection, wrong));
    if (damaged > 0)
      wrong('damaged_series', path, `${counted(damaged, 'row')} of it can't be read: the checksum is wrong`);
  }
  checkUnseen(
    folder,
    missingBefore(
      reader.segments.map(({ number }) => number),
      0,
    ) !== null || reader.segments.length === 0,
    inspection,
    wrong,
  );
}

type Say = (kind: Parameters<Inspection['report']>[0], file: string, message: string, id?: string) => void;

/** Says how many rows it has read. */
async function checkSegment(segment: SeriesSegment, path: string, inspection: Inspection, wrong: Say): Promise<number> {
  const { ledger, series, isRunning, tally } = inspection;
  const { labels, flags: names } = segment.layout.header;
  let read = 0;
  for await (const { row, index } of segment.read(0)) {
    read++;
    tally.series_rows++;
    const number = ledger.find(row.id);
    const at = `row ${index}`;
    if (number < 0 || row.attempt > ledger.attempt(number)) {
      // Its result is there, and was told of; or it is lost, and the row was made from that of the table.
      if (isRunning || inspection.unknownResults.has(row.id) || row.id === '') continue;
      wrong(
        'unknown_in_series',
        path,
        `${at} is of attempt ${row.attempt} of ${row.id}, which the manifest does not know`,
      );
      continue;
    }
    const due = series.due(number);
    if (row.attempt < ledger.attempt(number) || due === 'unknown') continue;
    const times = series.see(number);
    let sum = checkOfTime(row.local);
    for (const [i, label] of labels.entries())
      sum += checkOfRoi(
        label,
        [row.positions[i]!, row.uncertainties[i]!, row.shifts[i]!, row.shiftUncertainties[i]!],
        names.filter((_, bit) => row.flags[i]! & (1 << bit)),
      );
    const id = ledger.id(number);
    if (sum !== series.check(number)) wrong('wrong_in_series', path, `${at} does not say what the result does`, id);
    else if (times > 1) wrong('wrong_in_series', path, `${at} is there ${times} times`, id);
    else if (due === 'forbidden' && !isRunning && !inspection.repairs.table)
      wrong('wrong_in_series', path, `${at} is there, but the manifest says that it is still to be reported`, id);
  }
  return read;
}

function checkUnseen(
  folder: string,
  isUnfinished: boolean,
  { ledger, series, note, repairs }: Inspection,
  wrong: Say,
): void {
  let missing = 0;
  for (let number = 0; number < ledger.size; number++) {
    if (series.due(number) !== 'required' || series.seen(number) > 0) continue;
    missing++;
    if (!isUnfinished)
      wrong(
        'missing_in_series',
        folder,
        'the manifest says that it was reported, but the series has no row of it',
        ledger.id(number),
      );
  }
  if (missing === 0 || !isUnfinished) return;
  repairs.series = true;
  note(
    `${folder} has no rows of ${counted(missing, 'image')} that were reported before it was begun: the pipeline makes them from the results while it runs, and --repair at once`,
  );
}
