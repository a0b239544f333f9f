import { setTimeout as wait } from 'node:timers/promises';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { duration } from '../model/quantity.ts';
import type { StageName } from '../model/stageName.ts';
import type { ProcessStatus } from '../model/status.ts';
import { changeControl } from '../streams/control/changeControl.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { livingProcesses } from './livingProcesses.ts';
import { loadExperiment } from './loadSteered.ts';
import { parseStages } from './stageList.ts';

const pollEveryMs = 100;
/** A process says within about a second that it has seen the wish, ms. */
const seenWithinMs = 10_000;
/** What is in flight may take so long until the stage rests, ms. */
const restsWithinMs = 60_000;

/**
 * Asks for a stage to rest, or to go on, through the control file; waits until the running pipeline has seen it and the
 * stage rests.
 *
 * @throws ExitError `usage` for a word that is no stage.
 */
export async function setPaused(context: CommandContext, word: string, paused: boolean): Promise<number> {
  const { output } = context;
  const [stage, another] = parseStages(word, 'the stage') as readonly [StageName, StageName?];
  if (another !== undefined) throw new ExitError(exitCodes.usage, `one stage at a time, not "${word}"`);
  const { paths } = await loadExperiment(context);
  const reserve = new ExperimentReserve(nodeFiles, paths);
  const control = await changeControl(
    paths.controlFile,
    before => ({
      ...before,
      paused: paused ? [...new Set([...before.paused, stage])] : before.paused.filter(other => other !== stage),
    }),
    { files: reserve.files(), exclusive: reserve.lock(paths.controlFile, fileLock(paths.controlFile)) },
  );
  if (control === null) {
    const running = (await livingProcesses(paths.status)).map(({ status }) => status);
    output.line(paused ? `the ${stage} is paused already` : goesOn(stage, running, 'not paused'));
    return exitCodes.done;
  }
  const begun = performance.now();
  for (;;) {
    const running = (await livingProcesses(paths.status))
      .map(({ status }) => status)
      .filter(({ state }) => state !== 'stopped');
    if (running.length === 0) {
      output.line(
        `nothing runs in ${paths.root}; the ${stage} ${paused ? 'will rest' : 'will work'} when it is started`,
      );
      return exitCodes.done;
    }
    const seen = running.every(status => (status.control?.seq ?? 0) >= control.seq);
    const elapsed = performance.now() - begun;
    if (seen && (!paused || running.every(status => rests(status, stage)))) {
      output.progress('');
      output.line(paused ? pausedWords(stage, running, commandLine(context, 'resume', stage)) : goesOn(stage, running));
      return exitCodes.done;
    }
    if (elapsed > (seen ? restsWithinMs : seenWithinMs)) {
      output.progress('');
      output.error(
        seen
          ? `the ${stage} has seen it, but does not rest after ${duration(restsWithinMs)}: it is not through with what is in work`
          : `the pipeline has not answered for ${duration(seenWithinMs)}; ${paths.controlFile} stands as asked`,
      );
      return exitCodes.failed;
    }
    output.progress(`${seen ? `the ${stage} finishes what is in work` : 'waiting for the pipeline to see it'}`);
    await wait(pollEveryMs);
  }
}

/** One that a person has resumed may rest still, for a reason that stands as its alarm. */
export function goesOn(
  stage: StageName,
  running: readonly Pick<ProcessStatus, 'stages' | 'alarms'>[],
  found: 'resumed' | 'not paused' = 'resumed',
): string {
  const why = running
    .filter(({ stages }) => stages[stage]?.state === 'paused')
    .flatMap(({ alarms }) => alarms.filter(alarm => alarm.stage === stage))[0];
  if (why) return `the ${stage} is ${found}, and rests until this is over: ${why.message}`;
  return found === 'resumed' ? `the ${stage} goes on` : `the ${stage} is not paused`;
}

function rests(status: ProcessStatus, stage: StageName): boolean {
  const state = status.stages[stage]?.state;
  return state === undefined || state === 'paused' || state === 'off' || state === 'stopped';
}

/** @param resume the command. */
export const pausedWords = (
  stage: StageName,
  running: readonly Pick<ProcessStatus, 'stages'>[],
  resume: string,
): string =>
  running.every(({ stages }) => (stages[stage]?.state ?? 'off') === 'off')
    ? `the ${stage} is off; once it is switched on it rests until "${resume}"`
    : `the ${stage} is paused; "${resume}" lets it go on`;
