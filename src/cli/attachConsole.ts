import { type StopSignal, stopSignals$ } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes, signalExitCode } from './exitCodes.ts';
import { showOther } from './showOther.ts';

/**
 * The console on the pipeline of an experiment, whichever processes run it, and on others that are chosen in it; it reads, and asks through
 * commands.
 */
export async function attachConsole(context: CommandContext): Promise<number> {
  const ending = new AbortController();
  let signal: StopSignal | null = null;
  const signals = stopSignals$().subscribe(received => {
    signal = received;
    ending.abort();
  });
  try {
    const { text } = await showOther(context, null, ending.signal);
    if (text) for (const line of text.split('\n')) context.output.line(line);
    return signal === null ? exitCodes.done : signalExitCode(signal);
  } finally {
    signals.unsubscribe();
  }
}
