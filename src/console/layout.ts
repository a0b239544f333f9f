import type { ConsoleState } from './consoleState.ts';
import type { PageName } from './pages.ts';
import { shownMessage } from './shownMessage.ts';
import { stagesOf, stagesOff } from './situation.ts';

/** In columns and rows, from the top left corner of the screen. */
export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Every page but the overview has a panel of its name, which fills it. */
export type PanelName =
  | 'header'
  | 'stages'
  | 'throughput'
  | 'replay'
  | 'alarms'
  | Exclude<PageName, 'overview'>
  | 'message'
  | 'footer';

/** Where everything is; null: the window is too small. */
export type Layout = Partial<Record<PanelName, Rect>> | null;

export const smallest = { columns: 60, rows: 18 };

const headerRows = 3;
/** From so many rows on, the facts of the throughput stand below each other beside a graph. */
export const rowsForGraph = 9;
/** Most rows that a message takes: errors can be long. */
const messageRows = 3;

export interface LayoutFacts {
  columns: number;
  rows: number;
  page: PageName;
  /** Rows of the table for stages: those that are on, and one for those that are off. */
  stages: number;
  alarms: number;
  /** Length of the message that is shown; 0: none. */
  message: number;
  /** There is a replay to be shown. */
  replay?: boolean;
}

/** A pure function of the window and what must fit. */
export function layout({ columns, rows, page, stages, alarms, message, replay = false }: LayoutFacts): Layout {
  if (columns < smallest.columns || rows < smallest.rows) return null;
  const said = Math.min(messageRows, Math.max(1, Math.ceil(message / columns)));
  const body: Rect = { left: 0, top: headerRows, width: columns, height: rows - headerRows - said - 1 };
  return {
    header: { left: 0, top: 0, width: columns, height: headerRows },
    ...(page === 'overview' ? withReplay(body, replay, rest => overview(rest, stages, alarms)) : { [page]: body }),
    message: { left: 0, top: rows - 1 - said, width: columns, height: said },
    footer: { left: 0, top: rows - 1, width: columns, height: 1 },
  };
}

const replayRows = 2;

/** A replay stands above the rest. */
function withReplay(
  body: Rect,
  replay: boolean,
  rest: (body: Rect) => Partial<Record<PanelName, Rect>>,
): Partial<Record<PanelName, Rect>> {
  if (!replay) return rest(body);
  const below = { ...body, top: body.top + replayRows, height: body.height - replayRows };
  return { replay: { ...body, height: replayRows }, ...rest(below) };
}

/** Rows of the stage table: heading, column heads, stages, and two of details on the selected one; in a low window one. */
const stageRows = (stages: number, { height }: Rect): number => Math.max(1, stages) + (height < lowWindow ? 3 : 4);
const lowWindow = 22;

function overview(body: Rect, stages: number, alarms: number): Partial<Record<PanelName, Rect>> {
  const alarmRows = 1 + Math.min(Math.max(alarms, 1), Math.max(2, Math.floor(body.height / 8)));
  const wholeTable = stageRows(stages, body);
  if (body.width >= 170 && body.height >= 39) return large(body, wholeTable, alarms);
  if (body.height - wholeTable - rowsForGraph >= rowsForChart && body.width >= 100) {
    const rest = body.height - wholeTable - rowsForGraph;
    const low = Math.max(6, Math.min(alarmRows + 2, rest - 7), Math.floor(rest * 0.4));
    return stacked(
      body,
      ['throughput', rowsForGraph],
      ['stages', wholeTable],
      ['chart', rest - low],
      [['alarms', 'log'], low],
    );
  }
  // The log has two rows at least; what is left goes to the facts, then to the log.
  const table = Math.min(wholeTable, body.height - alarmRows - 4);
  const rest = body.height - table - alarmRows;
  const facts = rest >= rowsForGraph + 4 && body.width >= 100 ? rowsForGraph : rest >= 9 ? 4 : rest >= 6 ? 3 : 2;
  return stacked(body, ['throughput', facts], ['stages', table], ['alarms', alarmRows], ['log', rest - facts]);
}

/** Rows of chart, alarms and log together, from which on all of them are shown. */
const rowsForChart = 13;

/** Panels below each other, each with its rows; of two in one place the first has less of the width. */
function stacked(
  body: Rect,
  ...panels: (readonly [PanelName | readonly [PanelName, PanelName], number])[]
): Partial<Record<PanelName, Rect>> {
  const places: Partial<Record<PanelName, Rect>> = {};
  let { top } = body;
  for (const [name, height] of panels) {
    const whole = { ...body, top, height };
    if (typeof name === 'string') places[name] = whole;
    else [places[name[0]], places[name[1]]] = columnsOf(whole, Math.floor(body.width * 0.4));
    top += height;
  }
  return places;
}

/** Rows that alarms leave to the chart. */
const leastChart = 8;

/** Rows of the throughput where there is room for all. */
export const largeThroughput = 13;

function large(body: Rect, table: number, alarms: number): Partial<Record<PanelName, Rect>> {
  const [left, right] = columnsOf(body, Math.floor(body.width * 0.58));
  const rest = body.height - table - largeThroughput;
  const low = Math.max(8, Math.min(alarms + 2, 14, rest - leastChart));
  const chart = rest - low;
  const half = Math.floor(body.height / 2);
  return {
    ...stacked(left, ['throughput', largeThroughput], ['stages', table], ['chart', chart], [['alarms', 'log'], low]),
    chip: { ...right, height: half },
    frame: { ...right, top: body.top + half, height: body.height - half },
  };
}

/** Two columns with a gap of two. */
function columnsOf(body: Rect, width: number): [Rect, Rect] {
  return [
    { ...body, width },
    { ...body, left: body.left + width + 2, width: body.width - width - 2 },
  ];
}

/** The layout that a state asks for. */
export function layoutOf(state: ConsoleState): Layout {
  const { columns, rows, page, reading } = state;
  const status = reading?.status;
  const stages = stagesOf(state).length + Math.min(1, stagesOff(state).length);
  return layout({
    columns,
    rows,
    page,
    stages,
    alarms: status?.alarms.length ?? 0,
    message: shownMessage(state).text.length,
    replay: status?.replay !== undefined,
  });
}

export const isInside = ({ left, top, width, height }: Rect, x: number, y: number): boolean =>
  x >= left && x < left + width && y >= top && y < top + height;
