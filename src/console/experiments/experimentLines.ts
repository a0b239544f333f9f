import { experimentCells, experimentHeads } from '../../model/experimentCells.ts';
import type { ExperimentState, ListedExperiment } from '../../model/listedExperiment.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { windowTop } from '../scroll.ts';
import { cleanText } from '../views/cleanText.ts';
import { blank, clip, type Line, line, lineWidth, paragraph, seg, type Tone, titleRule } from '../views/line.ts';
import type { PanelView } from '../views/panelView.ts';
import { text } from '../views/panelView.ts';
import { experimentDetailRows, experimentRowsFrom } from './experimentHandlers.ts';
import { chosenIndex } from './experimentsPage.ts';

const tones: Record<ExperimentState, Tone> = {
  running: 'good',
  stopped: 'plain',
  none: 'dim',
  crashed: 'bad',
  unreachable: 'warning',
  silent: 'warning',
  gone: 'dim',
};

const meanings: Partial<Record<ExperimentState, string>> = {
  crashed: 'its process is gone without a word; a start goes on from there',
  unreachable: 'it was not stopped, and nobody here can ask its process',
  silent: 'its disk does not answer',
  gone: 'its folder was removed, or its disk is not plugged in',
  none: 'no pipeline has run in it yet',
};

export const experimentPanel: PanelView = {
  depends: state => [state.experiments, state.root, state.cameFrom, Math.floor(state.now / 1000)],
  content: text(experimentLines),
};

/** The experiments of this machine, one a row, and what is known of the one that the pointer is on. */
export function experimentLines(state: ConsoleState, width: number, height: number): Line[] {
  const { experiments, root, drawing, now } = state;
  const { list } = experiments;
  const title = titleRule('Experiments of this machine', width, drawing);
  if (list === null) return [title, [seg(' looking', 'dim')]];
  if (list.length === 0) return [title, [seg(' none has run here yet, as far as this user knows', 'dim')]];
  const cells = list.map(each => experimentCells(each, now));
  const { columns, widths } = chooseColumns(cells, width);
  const put = (row: readonly string[]): string =>
    columns.map((column, i) => row[column]!.padEnd(widths[i]!)).join('  ');
  const at = chosenIndex(experiments, root);
  const rows = Math.max(1, height - experimentRowsFrom - experimentDetailRows);
  const top = windowTop(at, list.length, rows);
  const shown = list.slice(top, top + rows).map((each, i): Line => {
    const isChosen = top + i === at;
    const row = put(cells[top + i]!);
    const stateWidth = widths[0]!;
    const start: Line = [
      seg(isChosen ? drawing.pointer : ' ', 'accent'),
      seg(row.slice(0, stateWidth), isChosen ? 'selected' : tones[each.state]),
      seg(`${row.slice(stateWidth)}  `),
    ];
    const here = each.root === root ? ' (shown)' : each.root === state.cameFrom ? ' (before)' : '';
    return [...start, ...folderEnd(each.root, width - lineWidth(start) - here.length, drawing), seg(here, 'accent')];
  });
  const space = Array.from({ length: rows - shown.length }, () => blank);
  return [
    title,
    line(` ${put(experimentHeads)}  folder`, 'dim'),
    ...shown,
    ...space,
    ...details(list[at], width, drawing),
  ].map(each => clip(each, width, drawing));
}

/** Columns of a list, dropped from the last while the folder has too little room. */
const dropped: readonly number[] = [3, 1, 2];
const folderRoom = 22;

function chooseColumns(
  cells: readonly (readonly string[])[],
  width: number,
): { columns: readonly number[]; widths: readonly number[] } {
  let columns = experimentHeads.map((_, i) => i);
  const widthsOf = (): number[] =>
    columns.map(column => Math.max(experimentHeads[column]!.length, ...cells.map(row => row[column]!.length)));
  const taken = (): number => widthsOf().reduce((sum, wide) => sum + wide + 2, 1);
  for (const drop of dropped) if (taken() + folderRoom > width) columns = columns.filter(column => column !== drop);
  return { columns, widths: widthsOf() };
}

/** The end of a folder says more than its beginning. */
function folderEnd(root: string, room: number, drawing: Drawing): Line {
  const clean = cleanText(root, drawing);
  if (clean.length <= room) return line(clean);
  return line(drawing.ellipsis + clean.slice(clean.length - Math.max(0, room - drawing.ellipsis.length)));
}

function details(of: ListedExperiment | undefined, width: number, drawing: Drawing): Line[] {
  if (!of) return [];
  const meaning = meanings[of.state];
  const config = of.configFile === null ? '' : `, started with ${of.configFile}`;
  return [
    blank,
    ...paragraph(`${of.root}${meaning ? `: ${meaning}` : ''}${config}`, width - 1, 2, 'dim', drawing).map(
      (each): Line => [seg(' '), ...each],
    ),
  ];
}
