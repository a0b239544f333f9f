import type { ProcessStatus } from '../model/status.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { type StopOptions, stop } from './stop.ts';

/** Whether a process in the folder of a replay is that: in its first second it says nothing yet of replay or stages. */
export const isReplaying = ({ replay, stages, state }: Pick<ProcessStatus, 'replay' | 'stages' | 'state'>): boolean =>
  state !== 'stopped' && (replay !== undefined || stages.collector !== undefined || Object.keys(stages).length === 0);

/** `restart`: stops the pipeline and starts each of its processes anew, with the stages that it ran. */
export const restart: CommandDefinition<StopOptions> = {
  usage: 'restart',
  summary: 'stop the pipeline, and start it again with the same stages',
  examples: ['--config my.toml restart'],
  declare: stop.declare,
  run: async (context, _args, { now, timeout }) => {
    const [
      { stopPipeline },
      { startPipeline },
      { loadConfig },
      { loadSteered, troubleOfPipeline },
      { livingProcesses },
      { goOnCommand, readReplay },
      { commandLine },
    ] = await Promise.all([
      import('./stopPipeline.ts'),
      import('./startPipeline.ts'),
      import('./loadConfig.ts'),
      import('./loadSteered.ts'),
      import('./livingProcesses.ts'),
      import('./replayRecord.ts'),
      import('./commandLine.ts'),
    ]);
    // A configuration that could not be started with must not stop what runs.
    await loadConfig(context);
    const { paths, trouble } = await loadSteered(context, () => undefined);
    if ((await troubleOfPipeline(paths.status)).length > 0) {
      const advice =
        'Nothing was stopped. Mend the configuration; or "phorest stop" and then "phorest start" take the file as it is';
      throw new ExitError(exitCodes.usage, [...trouble, advice].join('. '));
    }
    const living = await livingProcesses(paths.status);
    // A start would run what the configuration says, which has no camera.
    const replay = await readReplay(paths.root);
    if (replay && living.some(({ status }) => isReplaying(status))) {
      throw new ExitError(
        exitCodes.usage,
        `a replay runs in ${paths.root}, and is not restarted: "${commandLine(context, 'stop')}" ends it, and "${goOnCommand(context, replay.request, paths.root)}" goes on from there`,
      );
    }
    const running = living.some(({ elsewhere }) => !elsewhere);
    if (!running) return startPipeline(context, {});
    const { processes } = await stopPipeline(context, { now: now === true, timeoutMs: timeout * 1000 });
    let worst: number = exitCodes.done;
    for (const stages of processes) {
      try {
        worst = Math.max(worst, await startPipeline(context, { stages: stages.join(',') }));
      } catch (error) {
        // The others shall run all the same.
        if (!(error instanceof ExitError)) throw error;
        context.output.error(error.message);
        worst = Math.max(worst, error.code);
      }
    }
    return worst;
  },
};
