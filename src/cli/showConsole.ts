import type { ConsoleHost } from '../console/consoleHost.ts';
import type { ConsoleSources } from '../console/consoleSources.ts';
import { type ConsoleEnd, openConsole } from '../console/openConsole.ts';
import { systemClock } from '../model/clock.ts';

/** The console on this process's terminal, until it is left or `until` is aborted. */
export function showConsole(sources: ConsoleSources, host: ConsoleHost, until: AbortSignal): Promise<ConsoleEnd> {
  const { stdin: input, stdout: output, stderr: errorOutput } = process;
  const terminal = { input, output, errorOutput, environment: host.environment, clock: systemClock };
  return openConsole(sources, host, terminal, { until });
}
