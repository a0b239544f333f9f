import type { ConsoleState } from '../consoleState.ts';
import { shownMessage } from '../shownMessage.ts';
import { type Line, paragraph, seg } from './line.ts';

/** What is under way, what went wrong, or what to press. */
export function messageLines(state: ConsoleState, width: number, height: number): Line[] {
  const { text, tone } = shownMessage(state);
  return paragraph(text, width - 1, height, tone, state.drawing).map(each => [seg(' '), ...each]);
}
