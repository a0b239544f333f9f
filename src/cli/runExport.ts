import { basename, dirname, extname, join, resolve } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { idlePatterns, labelPatterns } from '../model/labelPatterns.ts';
import { clockIso, localIso } from '../model/localTime.ts';
import { readReferences, referencesFolder } from '../operators/processor/referenceFiles.ts';
import { madeWith } from '../provenance/madeWith.ts';
import { encodeTable } from '../sinks/export/encodeTable.ts';
import { type ExportFormat, exportFormats } from '../sinks/export/exportFormat.ts';
import { type ExportTable, longTable, wideTable } from '../sinks/export/exportTable.ts';
import { readZeros } from '../sinks/export/readZeros.ts';
import { measuredValues, type RoiValue } from '../sinks/export/roiValues.ts';
import {
  type ChosenFrames,
  chooseFrames,
  chooseSome,
  type FrameSpan,
  NothingChosenError,
} from '../sinks/series/chosenFrames.ts';
import { distrustedFlags } from '../sinks/series/seriesCurves.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameSpan } from './frameSpan.ts';
import { loadExperiment, type SteeredExperiment } from './loadSteered.ts';
import { quantitySettings } from './readFigures.ts';

export interface ExportOptions {
  format?: ExportFormat | 'netcdf';
  shape: 'long' | 'wide';
  values?: readonly RoiValue[];
  rois?: readonly string[];
  from?: string;
  to?: string;
  withFlagged?: true;
  force?: true;
  json?: true;
}

/** Instead of a file: what is written goes to stdout. */
const standardOutput = '-';

/** Writes the series of an experiment as one file. @throws ExitError `usage` when nothing is chosen, or the file is there */
export async function runExport(
  context: CommandContext,
  file: string | undefined,
  options: ExportOptions,
): Promise<number> {
  const { output, cwd } = context;
  const { shape, values = shape === 'wide' ? ['shift'] : measuredValues, rois = [] } = options;
  const format = formatOf(file, options.format);
  if (file === standardOutput && format === 'parquet' && output.isWatched) {
    throw new ExitError(exitCodes.usage, 'Parquet is not text: name a file, or send the output to one');
  }
  const experiment = await loadExperiment(context);
  const { paths } = experiment;
  const isChosen = labelPatterns(rois);
  const span = frameSpan(options);
  const warn = (line: string): void => output.error(line);
  const damaged = ({ message }: Error): void => warn(`left out: ${message}`);
  const series = await SeriesReader.look(nodeFiles, seriesFolder(paths.results), { damaged });
  const frames = await chooseSome(series, span, rois).catch((error: unknown) => {
    if (!(error instanceof NothingChosenError)) throw error;
    throw new ExitError(error.isChoice ? exitCodes.usage : exitCodes.failed, `${error.message}: nothing is exported`);
  });
  const labels = frames.labels.filter(isChosen);
  for (const pattern of idlePatterns(rois, frames.labels)) warn(`no ROI fits ${pattern}`);
  const { windowFrames, zero } = quantitySettings(experiment.config);
  const zeros = values.includes('rezeroed') ? await zerosOf(paths.results, zero) : new Map<string, number>();
  const table = (shape === 'wide' ? wideTable : longTable)(frames, values, isChosen, {
    windowFrames,
    zeros,
    withFlagged: options.withFlagged === true,
  });
  const about = await aboutOf(experiment, frames, table, {
    ...{ shape, rois: labels.length, span, warn },
    leavesOut: shape === 'wide' && !options.withFlagged,
  });
  const bytes = encodeTable(table, format, about);
  if (file === standardOutput) {
    for await (const piece of bytes) {
      if (output.isWatched) output.text(Buffer.from(piece).toString());
      else if (!(await output.data(piece))) break;
    }
    return exitCodes.done;
  }
  const path = resolve(cwd, file ?? `${basename(paths.root)}.${format}`);
  if ((await nodeFiles.stat(dirname(path))) === null) {
    throw new ExitError(exitCodes.usage, `no such folder: ${dirname(path)}; make it first`);
  }
  if (!options.force && (await nodeFiles.stat(path)) !== null) {
    throw new ExitError(exitCodes.usage, `${path} is there already: name another file, or replace it with --force`);
  }
  await writeAtomic(nodeFiles, path, bytes);
  // Parquet has a place for it in itself.
  const aside = format === 'parquet' ? null : `${path}.json`;
  if (aside !== null) await writeAtomic(nodeFiles, aside, `${JSON.stringify(about, null, 2)}\n`);
  if (options.json) {
    output.line(JSON.stringify({ file: path, about: aside, images: frames.count, rois: labels.length, format, shape }));
  } else {
    output.line(`${path}: ${frames.count} images, ${labels.length} ROIs, ${shape}`);
    if (aside !== null) output.line(`${aside}: units, time zone, and what the results were made with`);
  }
  return exitCodes.done;
}

/** @throws ExitError `usage` where no time is set to zero, or no image is in it */
async function zerosOf(results: string, zero: FrameSpan | null): Promise<ReadonlyMap<string, number>> {
  if (zero === null) {
    throw new ExitError(
      exitCodes.usage,
      'rezeroed: set zero_from and zero_to in [Quantities], the time that is to be zero',
    );
  }
  const zeros = await readZeros(await chooseFrames(await SeriesReader.look(nodeFiles, seriesFolder(results)), zero));
  if (zeros.size > 0) return zeros;
  throw new ExitError(exitCodes.usage, 'rezeroed: no image lies between zero_from and zero_to in [Quantities]');
}

function formatOf(file: string | undefined, format: ExportOptions['format']): ExportFormat {
  const end = extname(file ?? '').slice(1);
  const wanted = format ?? (file === undefined || file === standardOutput ? 'csv' : end);
  if (wanted === 'netcdf' || wanted === 'nc') {
    throw new ExitError(
      exitCodes.usage,
      'netCDF is not written, since no maintained package writes it: use parquet, which xarray (through pandas) and MATLAB open, or csv',
    );
  }
  const known = exportFormats.find(each => each === wanted);
  if (known) return known;
  throw new ExitError(
    exitCodes.usage,
    `${file}: its name does not end with .${exportFormats.join(', .')}; say which it is with --format`,
  );
}

/** What one must know of the file beside its columns. */
async function aboutOf(
  { paths }: SteeredExperiment,
  frames: ChosenFrames,
  { columns }: ExportTable,
  {
    shape,
    rois,
    span,
    warn,
    leavesOut,
  }: { shape: string; rois: number; span: FrameSpan; warn: (line: string) => void; leavesOut: boolean },
): Promise<Record<string, unknown>> {
  const made = await madeWith({ paths, files: nodeFiles, span, warn });
  const references = await readReferences(nodeFiles, join(paths.results, referencesFolder));
  return {
    made_by: `${packageJson.name} ${packageJson.version}`,
    experiment: paths.root,
    exported: localIso(Date.now()),
    shape,
    images: frames.count,
    images_analysed_anew: frames.superseded,
    rois,
    methods: frames.methods,
    first: clockText(frames.first),
    last: clockText(frames.last),
    flagged_values: leavesOut
      ? `empty where the ROI has one of the flags ${[...distrustedFlags].join(', ')}; export --with-flagged writes them too`
      : `all are here; those whose flags have one of ${[...distrustedFlags].join(', ')} may be those of something else`,
    time_zone:
      'time_utc is UTC; time_local is what the clock at the camera showed, without a zone: their difference is the zone',
    made_with: made,
    references: references.map(({ hash, made: time, method, dark_level }) => ({
      hash,
      made: time,
      method,
      dark_level,
    })),
    columns: Object.fromEntries(columns.map(({ name, unit, meaning }) => [name, { unit, meaning }])),
  };
}

/** What the clock at the camera showed. */
const clockText = (local: number): string | null => (Number.isNaN(local) ? null : clockIso(local));
