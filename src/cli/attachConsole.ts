import { type StopSignal, stopSignals$ } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes, signalExitCode } from './exitCodes.ts';
import { hostConsole } from './hostConsole.ts';
import { loadSteered } from './loadSteered.ts';
import { openConsoleSources } from './openConsoleSources.ts';
import { readReplay } from './replayRecord.ts';
import { showConsole } from './showConsole.ts';

/** The console on the pipeline of an experiment, whichever processes run it; it reads, and asks through commands. */
export async function attachConsole(context: CommandContext): Promise<number> {
  const loaded = await loadSteered(context, () => undefined);
  const ending = new AbortController();
  let signal: StopSignal | null = null;
  const signals = stopSignals$().subscribe(received => {
    signal = received;
    ending.abort();
  });
  try {
    const record = await readReplay(loaded.paths.root);
    const host = hostConsole(context, loaded, null, record?.request ?? null);
    const { text } = await showConsole(openConsoleSources(loaded, {}, loaded.trouble), host, ending.signal);
    if (text) context.output.line(text);
    return signal === null ? exitCodes.done : signalExitCode(signal);
  } finally {
    signals.unsubscribe();
  }
}
