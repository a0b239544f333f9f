import type { ConsoleState } from '../consoleState.ts';
import type { Rect } from '../layout.ts';
import type { InkName, Line, Tone } from './line.ts';

/** Rates of several stages against time, over a scale from 0. */
export interface LineWidget {
  kind: 'line';
  /** From the upper left corner of the panel. */
  rect: Rect;
  /** The highest of the scale, in the unit of the values. */
  top: number;
  /** Of each point, oldest first. */
  labels: readonly string[];
  /** The last lies on top. */
  curves: readonly { colour: InkName; values: readonly number[] }[];
}

/** Shares of a whole, each as a ring. */
export interface DonutsWidget {
  kind: 'donuts';
  rect: Rect;
  /** `share` from 0 to 1; `text` is the number in the ring. */
  donuts: readonly { name: string; share: number; text: string; tone: Tone }[];
}

/** What blessed-contrib draws over the lines of a panel. */
export type Widget = LineWidget | DonutsWidget;

/** What a panel shows. */
export interface PanelContent {
  lines: Line[];
  /** The lines below them are seen until the package is loaded. */
  widgets?: readonly Widget[];
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
