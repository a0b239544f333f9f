import { existsSync } from 'node:fs';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import {
  addMark,
  type ExperimentMark,
  marksFile,
  type NumberedMark,
  readNumberedMarks,
  type TakenBack,
} from '../files/experimentMarks.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { userName } from '../files/processIdentity.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { clockTime, concentrationForm, concentrationOf, indexText } from '../model/experimentStep.ts';
import { localIso, utcIso } from '../model/localTime.ts';
import { fullTime } from '../model/namedTime.ts';
import { audit } from '../sinks/audit/audit.ts';
import { chooseFrames } from '../sinks/series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameSpan } from './frameSpan.ts';
import { loadExperiment } from './loadSteered.ts';
import { textTable } from './textTable.ts';

export interface MarkOptions {
  index?: string;
  concentration?: string;
  at?: string;
  list?: true;
  remove?: string;
}

const usage = (message: string): ExitError => new ExitError(exitCodes.usage, message);

/** Marks a step, lists the marks, or takes one back. @throws ExitError `usage` for words that mean nothing */
export async function runMark(
  context: CommandContext,
  liquid: string | undefined,
  options: MarkOptions,
  now = Date.now(),
): Promise<number> {
  const { list, remove, ...step } = options;
  if (!list && remove === undefined) return markStep(context, liquid ?? '', step, now);
  const others = [liquid, ...Object.values(step), ...(list && remove !== undefined ? [remove] : [])];
  if (others.some(each => each !== undefined))
    throw usage('--list and --remove go alone, without a liquid and its options');
  return list ? listMarks(context) : takeBack(context, remove!.trim(), now);
}

async function markStep(
  context: CommandContext,
  liquid: string,
  { index, concentration, at }: MarkOptions,
  now: number,
): Promise<number> {
  const { output } = context;
  if (liquid.trim() === '') throw usage('the name of the liquid is missing, as in: mark "ethanol 10 %"');
  const refractive = index === undefined ? undefined : Number(index.replace(',', '.'));
  if (refractive !== undefined && !(refractive >= 1 && refractive <= 5)) {
    throw usage(`--index: ${JSON.stringify(index)} is no refractive index; it is a number from 1 to 5, such as 1.3330`);
  }
  if (concentration !== undefined && concentrationOf(concentration) === null) {
    throw usage(`--concentration: ${JSON.stringify(concentration)} is not ${concentrationForm}`);
  }
  const { paths, text } = await loadExperiment(context);
  // One that is configured may be marked before its first start.
  if (text === null && ![paths.flags, paths.results, paths.data].some(existsSync)) {
    throw usage(`${paths.root} holds no experiment: "phorest ls" lists those of this machine`);
  }
  const time = at === undefined ? localIso(now).slice(0, 23) : await timeOf(at, now, paths.results);
  const mark = {
    time,
    liquid: liquid.trim(),
    ...(refractive !== undefined && { refractive_index: refractive }),
    ...(concentration !== undefined && { concentration }),
    marked: utcIso(now),
    user: userName(),
  };
  await append(paths, mark);
  // Where the chart of the console has it from.
  const what = { command: 'mark', text: mark.liquid, ...(at !== undefined && { since: time }) };
  await audit(paths, now, what, message => output.error(message));
  output.line(markWords(mark));
  return exitCodes.done;
}

async function append(paths: ResolvedPaths, line: ExperimentMark | TakenBack): Promise<void> {
  const reserve = new ExperimentReserve(nodeFiles, paths);
  const file = marksFile(paths.results);
  await addMark(reserve.files(), paths.results, line, reserve.lock(file, fileLock(file)));
}

const markWords = ({ time, liquid }: ExperimentMark): string => `${time.replace('T', ' ')}: ${liquid}`;

/** A time that has been. */
async function timeOf(at: string, now: number, results: string): Promise<string> {
  const text = fullTime(at.trim(), now).replace(' ', 'T');
  const time = clockTime(text);
  const wrong = (why: string): ExitError => usage(`--at: ${JSON.stringify(at)} ${why}`);
  if (Number.isNaN(time)) throw wrong('is no time; write 14:02, 2026-11-28T14:02 or 2026-11-28T14:02:30');
  if (time > clockTime(localIso(now))) throw wrong('is still to come: a mark says what was done');
  const isYesterday = text !== at.trim().replace(' ', 'T') && text.slice(0, 10) !== localIso(now).slice(0, 10);
  if (isYesterday) {
    const series = await SeriesReader.look(nodeFiles, seriesFolder(results));
    const { first } = await chooseFrames(series, frameSpan({}));
    if (!(first <= time)) {
      throw wrong(
        'is still to come today, and the run was not on yesterday at that time; write the date too if it is meant',
      );
    }
  }
  return text;
}

async function listMarks(context: CommandContext): Promise<number> {
  const { output } = context;
  const marks = await marksOf(context, (await loadExperiment(context)).paths);
  if (marks.length === 0) output.line('no step is marked');
  else
    output.text(
      `${textTable([['', 'from', 'liquid', 'index', 'concentration', 'marked by'], ...marks.map(listRow)]).join('\n')}\n`,
    );
  return exitCodes.done;
}

const listRow = ({ number, time, liquid, refractive_index, concentration, user }: NumberedMark): string[] => [
  String(number),
  time.replace('T', ' '),
  liquid,
  indexText(refractive_index),
  concentration ?? '',
  user,
];

const marksOf = ({ output }: CommandContext, { results }: ResolvedPaths): Promise<NumberedMark[]> =>
  readNumberedMarks(nodeFiles, results, message => output.error(message));

async function takeBack(context: CommandContext, wanted: string, now: number): Promise<number> {
  const { output } = context;
  const { paths } = await loadExperiment(context);
  const marks = await marksOf(context, paths);
  const named = marks.filter(({ liquid }) => liquid === wanted);
  const meant = named.length > 0 ? named : marks.filter(({ number }) => String(number) === wanted);
  const [mark, another] = meant;
  if (mark === undefined)
    throw usage(`--remove: no mark has the number or the liquid ${JSON.stringify(wanted)}; mark --list prints all`);
  if (another !== undefined) {
    const all = meant.map(each => `${each.number} (${markWords(each)})`).join(', ');
    throw usage(`--remove: several marks are called ${JSON.stringify(wanted)}: ${all}; give the number of one`);
  }
  const { time, liquid, marked } = mark;
  await append(paths, { takes_back: { time, liquid, marked }, marked: utcIso(now), user: userName() });
  await audit(paths, now, { command: 'unmark', text: liquid, of: marked }, message => output.error(message));
  output.line(`taken back: ${markWords(mark)}`);
  return exitCodes.done;
}
