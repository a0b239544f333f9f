import { createInterface } from 'node:readline/promises';

/** A person at the terminal who is asked one question after the other. */
export interface Dialog {
  /**
   * The answer to a question. A line that the person typed before the question was shown counts as the answer.
   * Null when the input has ended (Ctrl-D). Ctrl-C sends SIGINT, as without a question.
   * @throws the signal's reason
   */
  ask(question: string): Promise<string | null>;
}

/** Talks with the person at the terminal; no line that the person types meanwhile is lost. */
export async function inDialog<T>(talk: (dialog: Dialog) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  // The iterator keeps each line that comes; `question` would drop a line that comes while nothing is asked.
  const lines = terminal[Symbol.asyncIterator]();
  let isOver = false;
  terminal.once('close', () => (isOver = true));
  const close = (): void => terminal.close();
  signal?.addEventListener('abort', close);
  const ask = async (question: string): Promise<string | null> => {
    signal?.throwIfAborted();
    if (!isOver) {
      terminal.setPrompt(question);
      terminal.prompt(true);
    }
    const { done, value } = await lines.next();
    signal?.throwIfAborted();
    if (!done) return value.trim();
    process.stdout.write('\n');
    return null;
  };
  try {
    return await talk({ ask });
  } finally {
    signal?.removeEventListener('abort', close);
    close();
  }
}

/** Asks one question of the person at the terminal (as `Dialog.ask`). */
export function askPerson(question: string, signal?: AbortSignal): Promise<string | null> {
  return inDialog(({ ask }) => ask(question), signal);
}
