import type { ConsoleState } from './consoleState.ts';
import type { Rect } from './layout.ts';

/** Where what lies over the page lies, with its title and its last line: lists and panes large, questions small, a line at the bottom. */
export function overlayRect({
  columns,
  rows,
  overlay,
  tools,
}: Pick<ConsoleState, 'columns' | 'rows' | 'overlay' | 'tools'>): Rect {
  const width = Math.min(columns, Math.max(56, Math.floor(columns * 0.8)));
  const height = {
    help: rows - 4,
    rois: Math.min(rows - 4, 26),
    tools: Math.min(rows - 4, tools.length + 2),
    palette: Math.min(rows - 4, 22),
    arguments: rows - 4,
    output: rows - 4,
    search: 3,
    roiFilter: 5,
    alarm: Math.min(rows - 4, 22),
    setting: Math.min(rows - 4, 18),
    goTo: 5,
    replayForm: Math.min(rows - 4, 13),
    sources: Math.min(rows - 4, 20),
    line: rows - 4,
    question: 6,
  }[overlay?.kind ?? 'question'];
  // What is searched in stays in sight.
  const top =
    overlay?.kind === 'search' || overlay?.kind === 'roiFilter' ? rows - height - 2 : Math.floor((rows - height) / 2);
  return { left: Math.floor((columns - width) / 2), top: Math.max(0, top), width, height };
}

/** Columns within its frame. */
export const innerWidth = (state: Parameters<typeof overlayRect>[0]): number => overlayRect(state).width - 4;
