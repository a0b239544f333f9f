import type { ConsoleState } from '../consoleState.ts';
import { cleanText } from './cleanText.ts';
import { type Line, seg } from './line.ts';

/** The end of what is typed, where the cursor is, always shows. `isOffered`: the next letter takes its place. */
export function typedLine(
  prompt: string,
  text: string,
  width: number,
  { drawing }: Pick<ConsoleState, 'drawing'>,
  isOffered = false,
): Line {
  const shown = cleanText(text, drawing).slice(-(width - prompt.length - 1));
  return [seg(prompt, 'accent'), seg(shown, isOffered ? 'selected' : 'plain'), seg(' ', 'selected')];
}
