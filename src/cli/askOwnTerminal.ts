import { askTerminal, type OuterTerminal, type TerminalAnswers } from '../console/terminalPicture/askTerminal.ts';
import { ToolRunner } from '../files/runTool.ts';

/** The terminal has so long to answer, ms; one that answers at all ends the wait. */
const askMs = 1_000;

/**
 * Asks the terminal of this process, which is in raw mode, what it can show.
 * @param onTyped told what came in meanwhile and is no answer; one character a byte
 * @param outer what {@link outerTerminal} says, where that was asked before
 */
export const askOwnTerminal = (
  write: (text: string) => void,
  environment: Readonly<Record<string, string | undefined>>,
  onTyped: (text: string) => void,
  outer: Promise<OuterTerminal | null> = outerTerminal(environment),
): Promise<TerminalAnswers> =>
  askTerminal(
    { write, listen: onText => listenTo(process.stdin, onText) },
    {
      environment,
      timeoutMs: askMs,
      pid: process.pid,
      outerTerminal: () => outer,
      size: process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined,
    },
    onTyped,
  );

/** Tells what comes in, one character a byte; returns what ends it. */
export function listenTo(input: NodeJS.ReadStream, onText: (text: string) => void): () => void {
  const hear = (bytes: Buffer): void => onText(bytes.toString('latin1'));
  input.on('data', hear);
  return () => input.off('data', hear);
}

/** What tmux says of the terminal that it is shown on; null where it says nothing, or there is no tmux. */
export async function outerTerminal({ TMUX }: { readonly TMUX?: string }): Promise<OuterTerminal | null> {
  if (!TMUX) return null;
  const command = ['tmux', 'display-message', '-p', '#{client_cell_width} #{client_cell_height} #{client_termname}'];
  return new ToolRunner().run(command, { signal: AbortSignal.timeout(askMs), timeoutMs: askMs }).then(
    ({ stdout }) => {
      const [width, height, name = ''] = stdout.toString().trimEnd().split(' ');
      const cell = { width: Number(width), height: Number(height) };
      return { name, cell: cell.width > 0 && cell.height > 0 ? cell : null };
    },
    () => null,
  );
}
