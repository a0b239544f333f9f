import type { ConsoleHost } from '../console/consoleHost.ts';
import type { ConsoleSources } from '../console/consoleSources.ts';
import { type ConsoleEnd, type ConsoleTerminal, openConsole } from '../console/openConsole.ts';
import { systemClock } from '../model/clock.ts';
import { askOwnTerminal, outerTerminal } from './askOwnTerminal.ts';
import { guardTerminal } from './guardTerminal.ts';
import { rememberedLook } from './rememberedLook.ts';

/** The console on this process's terminal, until it is left or `until` is aborted. */
export async function showConsole(sources: ConsoleSources, host: ConsoleHost, until: AbortSignal): Promise<ConsoleEnd> {
  const { stdin: input, stdout: output, stderr: errorOutput } = process;
  const { environment } = host;
  // Meanwhile: the terminal is asked once its modes are known, and can be restored.
  const outer = outerTerminal(environment);
  const [look, letGo] = await Promise.all([rememberedLook(environment), guardTerminal()]);
  const terminal: ConsoleTerminal = {
    input,
    output,
    errorOutput,
    environment,
    clock: systemClock,
    look,
    ask: onTyped => askOwnTerminal(text => output.write(text), environment, onTyped, outer),
  };
  try {
    return await openConsole(sources, host, terminal, { until });
  } finally {
    letGo();
  }
}
