import { addMark, marksFile } from '../files/experimentMarks.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { userName } from '../files/processIdentity.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { clockTime, concentrationForm, concentrationOf } from '../model/experimentStep.ts';
import { localIso, utcIso } from '../model/localTime.ts';
import { audit } from '../sinks/audit/audit.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadSteered } from './loadSteered.ts';

export interface MarkOptions {
  index?: string;
  concentration?: string;
  at?: string;
}

const usage = (message: string): ExitError => new ExitError(exitCodes.usage, message);

/** Notes a step of the experiment, durably. @throws ExitError `usage` for words that mean nothing */
export async function markStep(
  context: CommandContext,
  liquid: string,
  { index, concentration, at }: MarkOptions,
): Promise<number> {
  const { output } = context;
  const now = Date.now();
  if (liquid.trim() === '') throw usage('the name of the liquid is missing, as in: mark "ethanol 10 %"');
  const refractive = index === undefined ? undefined : Number(index.replace(',', '.'));
  if (refractive !== undefined && !(refractive >= 1 && refractive <= 5)) {
    throw usage(`--index: ${JSON.stringify(index)} is no refractive index; it is a number from 1 to 5, such as 1.3330`);
  }
  if (concentration !== undefined && concentrationOf(concentration) === null) {
    throw usage(`--concentration: ${JSON.stringify(concentration)} is not ${concentrationForm}`);
  }
  const time = at === undefined ? localIso(now).slice(0, 23) : timeOf(at, now);
  const { paths } = await loadSteered(context);
  const reserve = new ExperimentReserve(nodeFiles, paths);
  const file = marksFile(paths.results);
  const mark = {
    time,
    liquid: liquid.trim(),
    ...(refractive !== undefined && { refractive_index: refractive }),
    ...(concentration !== undefined && { concentration }),
    marked: utcIso(now),
    user: userName(),
  };
  await addMark(reserve.files(), paths.results, mark, reserve.lock(file, fileLock(file)));
  // Where the chart of the console has it from.
  const what = { command: 'mark', text: mark.liquid, ...(at !== undefined && { since: time }) };
  await audit(paths, now, what, message => output.error(message));
  output.line(`${time.replace('T', ' ')}: ${mark.liquid}`);
  return exitCodes.done;
}

function timeOf(at: string, now: number): string {
  const today = /^\d\d?:\d\d(?::\d\d)?$/.test(at.trim());
  const text = today
    ? `${localIso(now).slice(0, 10)}T${at.trim().padStart(at.indexOf(':') === 1 ? at.trim().length + 1 : 0, '0')}`
    : at.trim().replace(' ', 'T');
  if (Number.isNaN(clockTime(text))) {
    throw usage(`--at: ${JSON.stringify(at)} is no time; write 14:02, 2026-11-28T14:02 or 2026-11-28T14:02:30`);
  }
  return text;
}
