import type { ConsoleState } from '../consoleState.ts';
import { layoutOf } from '../layout.ts';

/** Rows that the log page keeps for the last of its lines in full: a rule and text. */
export const fullLineRows = 4;
/** A smaller log has no room for it. */
const minHeight = 14;

/** Whether a log of this height shows its last line in full below. */
export const hasFullLine = ({ page }: Pick<ConsoleState, 'page'>, height: number): boolean =>
  page === 'log' && height >= minHeight;

/** Lines of the log that are on the screen. */
export function logRows(state: ConsoleState): number {
  const height = layoutOf(state)?.log?.height ?? 2;
  return Math.max(1, height - 1 - (hasFullLine(state, height) ? fullLineRows : 0));
}
