import type { ConsoleState } from '../consoleState.ts';
import type { Rect } from '../layout.ts';
import type { Line } from './line.ts';

/** What a panel shows. */
export interface PanelContent {
  lines: Line[];
}

/** How a panel is drawn. */
export interface PanelView {
  /** What it is made from, besides its rectangle: while none of it changes, it is not made again. */
  depends: (state: ConsoleState) => readonly unknown[];
  content: (state: ConsoleState, rect: Rect) => PanelContent;
}

/** The content of a panel that needs no more than its size. */
export const text =
  (lines: (state: ConsoleState, width: number, height: number) => Line[]) =>
  (state: ConsoleState, { width, height }: Rect): PanelContent => ({ lines: lines(state, width, height) });
