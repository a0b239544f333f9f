import { createInterface } from 'node:readline/promises';

/**
 * Asks a person at the terminal. Null when the input has ended (Ctrl-D): nobody answers. Ctrl-C is the signal that it is without a question.
 * @throws the signal's reason
 */
export async function askPerson(question: string, signal?: AbortSignal): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new AbortController();
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  terminal.once('close', () => closed.abort());
  try {
    const until = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
    return (await terminal.question(question, { signal: until })).trim();
  } catch (error) {
    signal?.throwIfAborted();
    if (closed.signal.aborted) return null;
    throw error;
  } finally {
    terminal.close();
  }
}
