import { attachConsole } from './attachConsole.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { launch, startPatienceMs } from './launch.ts';
import { livingProcesses } from './livingProcesses.ts';
import { goOnWords } from './replayRecord.ts';
import { roiManifestWords } from './replayRoiManifest.ts';
import { prepareReplay, type ReplayOptions } from './runReplay.ts';

/**
 * Replays a folder in a process of its own, which outlives this one and its terminal; with `--console` it is shown. One that runs already is
 * shown, and not begun again.
 *
 * @throws ExitError with the reason why it is not up.
 */
export async function launchReplay(context: CommandContext, folder: string, options: ReplayOptions): Promise<number> {
  const { output } = context;
  if (options.console && !output.isInteractive)
    throw new ExitError(exitCodes.usage, 'the console needs a terminal: "--background" does without one');
  if (options.console && options.json)
    throw new ExitError(exitCodes.usage, 'the console prints no JSON: take "--background --json"');
  const { opened, request, root, loaded } = await prepareReplay(context, folder, options);
  await opened.close();
  const inRoot = { ...context, config: undefined, root };
  const [running] = await livingProcesses(loaded.paths.status);
  if (!running || !options.console) {
    const speed = Number.isFinite(options.speed) ? options.speed : 'max';
    const words = [
      ...goOnWords(request, root),
      ...['--speed', String(speed)],
      ...(options.paused ? ['--paused'] : []),
      ...(options.alarms ? ['--alarms'] : []),
    ];
    const { pid, report } = await launch(context, loaded.paths, [...words, '--json'], startPatienceMs);
    if (report.kind === 'failed') throw new ExitError(report.code, report.message);
    if (options.json) output.json(JSON.stringify({ pid, out: root }));
    else if (!options.console) {
      output.line(roiManifestWords(loaded.roiManifest));
      output.line(`the replay goes on when this terminal is closed: process ${pid} · results in ${root}`);
      output.line(`  ${commandLine(inRoot, 'console')}   shows it`);
      output.line(
        `  ${commandLine(inRoot, 'playback')}  says where it stands; with pause, step, speed, seek it steers it`,
      );
      output.line(`  ${commandLine(inRoot, 'stop')}      ends it; the same command goes on from there`);
    }
  }
  return options.console ? attachConsole(inRoot) : exitCodes.done;
}
