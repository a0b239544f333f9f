import type { ConsoleState } from '../consoleState.ts';
import { keyBindings, placeOf, worksIn } from '../keys.ts';
import { type Line, lineWidth, seg } from './line.ts';

/** The keys that do something now, the most important first, as many as fit. */
export function footerLine(state: ConsoleState, width: number): Line {
  const place = placeOf(state);
  const offered = keyBindings
    .filter(binding => binding.footer !== undefined && worksIn(binding, place) && binding.when?.(state) !== false)
    .sort((a, b) => (a.footer as number) - (b.footer as number));
  const line = [seg(' ')];
  for (const { shown, label } of offered) {
    const words = [seg(shown, 'accent'), seg(` ${label}  `)];
    if (lineWidth(line) + shown.length + label.length + 1 > width) continue;
    line.push(...words);
  }
  const last = line.pop();
  return last ? [...line, { ...last, text: last.text.trimEnd() }] : line;
}
