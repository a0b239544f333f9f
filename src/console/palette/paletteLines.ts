import type { ConsoleState, Overlay } from '../consoleState.ts';
import { windowTop } from '../scroll.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, line, lineWidth, seg } from '../views/line.ts';
import { typedLine } from '../views/typedLine.ts';
import { foundItems } from './paletteItems.ts';

/** Rows above the first item. */
export const paletteRowsFrom = 1;

/** What is typed, and what it finds, with the keys that do the same. */
export function paletteLines(
  state: ConsoleState,
  { text, cursor }: Overlay & { kind: 'palette' },
  width: number,
  height: number,
): Line[] {
  const { drawing } = state;
  const items = foundItems(state, text);
  const rows = height - paletteRowsFrom;
  const top = windowTop(cursor, items.length, rows);
  const shown = items.slice(top, top + rows);
  const widest = Math.min(30, Math.floor(width * 0.4), Math.max(0, ...items.map(({ title }) => title.length)));
  const keyWidth = Math.max(0, ...items.map(({ key }) => key.length));
  return [
    typedLine(':', text, width, state),
    ...(items.length === 0 ? [line(` nothing is called so`, 'dim')] : []),
    ...shown.map(({ title, help, key }, i): Line => {
      const isChosen = top + i === cursor;
      const name = clip([seg(cleanText(title, drawing))], widest, drawing);
      const left: Line = [
        seg(isChosen ? drawing.pointer : ' ', 'accent'),
        seg(` ${key.padEnd(keyWidth)} `, 'accent'),
        ...name.map(({ text: words }) => seg(words.padEnd(widest), isChosen ? 'selected' : 'strong')),
        seg('  '),
      ];
      const room = width - lineWidth(left);
      return [...left, ...clip([seg(cleanText(help, drawing), 'dim')], room, drawing)];
    }),
  ];
}
