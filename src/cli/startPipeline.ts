import { duration } from '../model/quantity.ts';
import { diskOf } from '../streams/disk/experimentDisk.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { launch, type StartOptions, startPatienceMs } from './launch.ts';
import { loadConfig } from './loadConfig.ts';
import { refuseUnusable, writtenFolders } from './refuseUnusable.ts';
import { refuseInReplay } from './replayRecord.ts';
import { parseStages } from './stageList.ts';

/**
 * Starts the pipeline in the background and says how that went.
 * @throws ExitError with the reason why it is not up.
 */
export async function startPipeline(context: CommandContext, options: StartOptions): Promise<number> {
  const { output } = context;
  parseStages(options.stages);
  const { config, paths, text, chosen } = await loadConfig(context);
  await refuseInReplay(context, paths.root, options.stages);
  const wrong = await diskOf(config, paths)?.check();
  if (wrong) throw new ExitError(exitCodes.failed, wrong);
  await refuseUnusable(writtenFolders(paths));
  if (text === null) output.line(`no ${chosen.shown}: the shipped defaults are used`);
  const { stages, takeOver } = options;
  const words = ['background', ...(stages ? ['--stages', stages] : []), ...(takeOver ? ['--take-over'] : [])];
  const { pid, report } = await launch(context, paths, words, startPatienceMs);
  if (report.kind === 'failed') throw new ExitError(report.code, report.message);
  if (report.kind === 'slow') {
    output.line(
      `process ${pid} was started, but after ${duration(startPatienceMs)} it is not up yet; it goes on trying. "${commandLine(context, 'status')}" shows it, ${paths.logs} has its log`,
    );
    return exitCodes.failed;
  }
  for (const warning of report.warnings) output.line(`warning: ${warning}`);
  output.line(`started: process ${pid} · run ${report.runId} · experiment ${report.root}`);
  const width = Math.max(...report.stages.map(({ stage }) => stage.length));
  for (const { stage, state } of report.stages) {
    const hint = state.startsWith('paused') ? ` ("${commandLine(context, 'resume', stage)}" lets it go on)` : '';
    output.line(`  ${stage.padEnd(width)}  ${state}${hint}`);
  }
  output.line('the pipeline goes on when this terminal is closed');
  output.line(`  ${commandLine(context, 'console')}   shows it`);
  output.line(`  ${commandLine(context, 'stop')}      ends it`);
  return exitCodes.done;
}
