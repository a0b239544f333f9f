import { stageNames } from '../model/stageName.ts';
import type { ConsoleState } from './consoleState.ts';
import type { PageName } from './pages.ts';
import { shownMessage } from './shownMessage.ts';

/** In columns and rows, from the top left corner of the screen. */
export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Every page but the overview has a panel of its name, which fills it. */
export type PanelName = 'header' | 'stages' | 'alarms' | Exclude<PageName, 'overview'> | 'message' | 'footer';

/** Where everything is; null: the window is too small. */
export type Layout = Partial<Record<PanelName, Rect>> | null;

export const smallest = { columns: 60, rows: 18 };

const headerRows = 3;
/** Most rows that a message takes: errors can be long. */
const messageRows = 3;

export interface LayoutFacts {
  columns: number;
  rows: number;
  page: PageName;
  stages: number;
  alarms: number;
  /** Length of the message that is shown; 0: none. */
  message: number;
}

/** A pure function of the window and what must fit. */
export function layout({ columns, rows, page, stages, alarms, message }: LayoutFacts): Layout {
  if (columns < smallest.columns || rows < smallest.rows) return null;
  const said = Math.min(messageRows, Math.max(1, Math.ceil(message / columns)));
  const body: Rect = { left: 0, top: headerRows, width: columns, height: rows - headerRows - said - 1 };
  return {
    header: { left: 0, top: 0, width: columns, height: headerRows },
    ...(page === 'overview' ? overview(body, stages, alarms) : { [page]: body }),
    message: { left: 0, top: rows - 1 - said, width: columns, height: said },
    footer: { left: 0, top: rows - 1, width: columns, height: 1 },
  };
}

/** Rows of the stage table: heading, column heads, stages, and two of details on the selected one. */
const stageRows = (stages: number): number => Math.max(1, stages) + 4;

function overview(body: Rect, stages: number, alarms: number): Partial<Record<PanelName, Rect>> {
  const alarmRows = 1 + Math.min(Math.max(alarms, 1), Math.max(2, Math.floor(body.height / 8)));
  const table = Math.min(stageRows(stages), body.height - alarmRows - 2);
  if (body.width >= 170 && body.height >= 44) return large(body, table, alarms);
  if (body.height - table >= 18 && body.width >= 100) {
    const low = Math.max(6, alarmRows + 2, Math.floor((body.height - table) * 0.4));
    const chart = body.height - table - low;
    const [left, right] = columnsOf(body, Math.floor(body.width * 0.4));
    return {
      stages: { ...body, height: table },
      chart: { ...body, top: body.top + table, height: chart },
      alarms: { ...left, top: body.top + table + chart, height: low },
      log: { ...right, top: body.top + table + chart, height: low },
    };
  }
  return {
    stages: { ...body, height: table },
    alarms: { ...body, top: body.top + table, height: alarmRows },
    log: { ...body, top: body.top + table + alarmRows, height: body.height - table - alarmRows },
  };
}

function large(body: Rect, table: number, alarms: number): Partial<Record<PanelName, Rect>> {
  const [left, right] = columnsOf(body, Math.floor(body.width * 0.58));
  const low = Math.max(10, Math.min(alarms + 2, 14));
  const chart = body.height - table - low;
  const half = Math.floor(body.height / 2);
  const [alarmed, logged] = columnsOf(left, Math.floor(left.width * 0.38));
  return {
    stages: { ...left, height: table },
    chart: { ...left, top: body.top + table, height: chart },
    alarms: { ...alarmed, top: body.top + table + chart, height: low },
    log: { ...logged, top: body.top + table + chart, height: low },
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
  const stages = status ? stageNames.filter(name => status.stages[name]).length : 0;
  return layout({
    columns,
    rows,
    page,
    stages,
    alarms: status?.alarms.length ?? 0,
    message: shownMessage(state).text.length,
  });
}

export const isInside = ({ left, top, width, height }: Rect, x: number, y: number): boolean =>
  x >= left && x < left + width && y >= top && y < top + height;
