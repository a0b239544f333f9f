import type { CommandContext } from './commandDefinition.ts';
import { drivePipeline } from './drivePipeline.ts';
import { exitCodes } from './exitCodes.ts';
import type { StartOptions } from './launch.ts';
import { openConfigured } from './openConfigured.ts';
import { parseStages } from './stageList.ts';
import { failedStart, reportStart, StartWatch } from './startReport.ts';
import { systemdNotifier } from './systemdNotifier.ts';

/**
 * The pipeline in a process without a terminal. Whoever started it is told how that went: `start` by a message, systemd
 * by its notifications; what is printed goes to the file that `start` gave, or to the journal.
 */
export async function runInBackground(context: CommandContext, options: StartOptions): Promise<number> {
  const { output } = context;
  const say = (line: string): void => output.line(`${new Date().toISOString()} ${line}`);
  const systemd = systemdNotifier(context.environment, message => say(message));
  try {
    const { pipeline, paths, logIntervalMs$ } = await openConfigured(context, {
      ...options,
      onWait: message => {
        say(message);
        reportStart({ kind: 'waiting', message });
      },
    });
    const watch = new StartWatch(parseStages(options.stages));
    await drivePipeline(pipeline, {
      paths,
      logIntervalMs$,
      say,
      beforeEnd: () => systemd.stop(),
      onEvent: event => {
        const up = watch.take(event);
        if (!up) return;
        reportStart({ kind: 'up', runId: pipeline.runId, root: paths.root, ...up });
        systemd.ready();
      },
    });
    return exitCodes.done;
  } catch (error) {
    reportStart(failedStart(error));
    throw error;
  } finally {
    systemd.stop();
  }
}
