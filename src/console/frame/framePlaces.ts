import type { PictureRequest } from '../../model/framePicture.ts';
import type { ConsoleState } from '../consoleState.ts';
import { layoutOf, type Rect } from '../layout.ts';
import { type TerminalPicture, terminalPicture } from '../terminalPicture/terminalPicture.ts';

/** Rows of the frame panel, besides the picture. */
export interface FrameRows {
  histogram: number;
  figures: number;
}

/** How the rows of the panel are shared: the page has a histogram where there is room, the overview has a line of figures only. */
export function frameRows({ page, frameView }: Pick<ConsoleState, 'page' | 'frameView'>, height: number): FrameRows {
  if (page !== 'frame') return { histogram: 0, figures: 1 };
  const bars = !frameView.histogram || height < 10 ? 0 : height < 18 ? 2 : height < 32 ? 4 : 6;
  return { histogram: bars, figures: height < 10 ? 1 : 2 };
}

/** Where in the panel the picture may be, columns and rows of the panel. */
export function pictureSpace(state: Pick<ConsoleState, 'page' | 'frameView'>, { width, height }: Rect): Rect {
  const { histogram, figures } = frameRows(state, height);
  return { left: 0, top: 1, width, height: Math.max(1, height - 1 - histogram - figures) };
}

/** How pictures are drawn on the frame page where the terminal has any; null: as signs. */
export function graphicOf({ page, graphics, drawing }: ConsoleState): TerminalPicture | null {
  const hasAny = page === 'frame' && graphics !== null && graphics.way !== 'blocks' && drawing.unicode;
  return hasAny ? terminalPicture(graphics, drawing) : null;
}

/** The picture that there is room for; null while none is shown. */
export function pictureRequest(state: ConsoleState): PictureRequest | null {
  const rect = layoutOf(state)?.frame;
  if (!rect) return null;
  const space = pictureSpace(state, rect);
  const graphic = graphicOf(state);
  const { zoom, centre, held } = state.frameView;
  const size = graphic
    ? graphic.pixels({ columns: space.width, rows: space.height })
    : { width: space.width, height: 2 * space.height };
  return state.page === 'frame' ? { ...size, zoom, centre, held } : size;
}

/** The columns and rows of the panel that the picture takes: in the middle of its space. */
export function picturePlace(state: ConsoleState, panel: Rect): Rect | null {
  const { frame } = state;
  if (!frame) return null;
  const space = pictureSpace(state, panel);
  const { columns, rows } = graphicOf(state)?.cells(frame) ?? {
    columns: frame.width,
    rows: Math.ceil(frame.height / 2),
  };
  const [width, height] = [Math.min(columns, space.width), Math.min(rows, space.height)];
  return { left: Math.floor((space.width - width) / 2), top: space.top, width, height };
}
