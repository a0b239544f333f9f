import { join } from 'node:path';
import { makeFolder } from '../../files/durableNames.ts';
import { nodeFiles } from '../../files/files.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { idlePatterns } from '../../model/labelPatterns.ts';
import { counted } from '../../model/quantity.ts';
import { answerTask } from '../drawing/answerTask.ts';
import { rasterise } from '../drawing/rasterise.ts';
import { NothingChosenError } from '../series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../series/seriesReader.ts';
import { type Look, momentText, timeName } from './pictures/pictureParts.ts';
import { type ReportContent, readReportData } from './readReportData.ts';
import { pictureSvg } from './renderPicture.ts';
import { reportPage } from './reportPage.ts';
import { reportPictures } from './reportPictures.ts';
import type { ReportAnswer, ReportTask } from './reportProcess.ts';
import { reportTables } from './reportTables.ts';

/** A picture beyond this width is a PNG of its own size. */
const widestDoubled = 1400;

/** Of files: for paper. */
const lookOf = (width: number): Look => ({ dark: false, font: 'DejaVu Sans', width, interactive: false });

/** The process that writes a report. */
answerTask(async (task: ReportTask): Promise<ReportAnswer> => {
  const notes: string[] = [];
  const series = await SeriesReader.look(nodeFiles, seriesFolder(task.results), {
    damaged: ({ message }) => notes.push(`Left out: ${message}`),
  });
  let content: ReportContent;
  try {
    content = await readReportData(series, task);
  } catch (error) {
    if (error instanceof NothingChosenError) return { refused: error.message, isChoice: error.isChoice };
    throw error;
  }
  const { pictures: data, sensing, frames, note } = content;
  if (note !== null) notes.push(note);
  for (const pattern of idlePatterns(task.rois, frames.labels)) notes.push(`No ROI fits ${pattern}.`);
  const span = `${momentText(data.first)} to ${momentText(data.last)}`;
  const { title } = task;
  const subtitle = [
    counted(data.rois.length, 'ROI'),
    counted(frames.count, 'image'),
    span,
    timeName(data).toLowerCase().replace('utc', 'UTC'),
  ].join(' · ');
  const files: string[] = [];
  const write = async (name: string, bytes: string | Uint8Array): Promise<void> => {
    const path = join(task.out, name);
    // It can be made again.
    await writeAtomic(nodeFiles, path, bytes, { durable: false });
    files.push(path);
  };
  await makeFolder(nodeFiles, task.out);
  const about = [
    ...task.about,
    ['images', `${counted(frames.count, 'image')}, ${frames.superseded} older analyses left out`],
    ['span', `${span} (${data.zone === '' ? 'zone not known' : data.zone})`],
    ['methods', frames.methods.join(', ')],
    ['ROIs', `${data.rois.length} of ${frames.labels.length}`],
  ] as const;
  const page = await reportPage({
    title,
    subtitle,
    pictures: data,
    tables: reportTables(data, sensing),
    about: about.filter(([, value]) => value !== ''),
    configs: task.configs,
    notes,
  });
  await write('report.html', page);
  for (const picture of reportPictures(data, lookOf)) {
    const { width } = picture;
    const svg = pictureSvg(picture, `${title} · ${subtitle}`, lookOf(width));
    await write(`${picture.name}.svg`, svg);
    await write(`${picture.name}.png`, rasterise(svg, width > widestDoubled ? 1 : 2));
  }
  return { refused: null, files, images: frames.count, rois: data.rois.length, notes };
});
