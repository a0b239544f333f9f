import type { SchedulerLike, Subscription } from 'rxjs';
import type { FramePicture } from '../../model/framePicture.ts';
import type { ConsoleState } from '../consoleState.ts';
import { layoutOf, type Rect } from '../layout.ts';
import type { TerminalPicture, Turn } from '../terminalPicture/terminalPicture.ts';
import type { OpenScreen } from '../widgets/openScreen.ts';
import { graphicOf, picturePlace, pictureRequest } from './framePlaces.ts';
import { markFrame } from './markFrame.ts';
import { resultOf } from './roiLines.ts';

/** The frame as a picture of the terminal's own, over the cells that the panel leaves empty for it. */
export interface GraphicPainter {
  /** Takes away what is not to be seen any more, before the cells are drawn; true when cells must be drawn for that. */
  clear(state: ConsoleState): boolean;
  /** Draws the picture where it is another, after the cells were drawn. */
  draw(state: ConsoleState): void;
  /** The terminal is to show something else. */
  hide(): void;
  /** The screen was cleared. */
  forget(): void;
  /** Nothing of it stays in the terminal. */
  end(): void;
}

interface Wanted {
  graphic: TerminalPicture;
  frame: FramePicture;
  /** Columns and rows of the screen. */
  place: Rect;
  /** What it is made from. */
  from: readonly unknown[];
}

/** On the line go so many bytes of pictures at most, for each ms: a second's picture of a large window takes a third of it. */
const bytesPerMs = 1_000;
/** Shades are told from each other no finer: noise is long to send. */
const shades = 64;

export function paintGraphic({ write, spoil, isBusy }: OpenScreen, scheduler: SchedulerLike): GraphicPainter {
  let shown: Wanted | null = null;
  /** The last that the terminal was given, which it may still have. */
  let given: Wanted | null = null;
  let turn: Turn = 0;
  let size = '';
  let notBefore = Number.NEGATIVE_INFINITY;
  let waiting: Subscription | null = null;
  let latest: ConsoleState | null = null;

  const stopWaiting = (): void => {
    waiting?.unsubscribe();
    waiting = null;
  };
  const takeOff = (): void => {
    stopWaiting();
    if (shown) write(shown.graphic.hide);
    shown = null;
  };
  const drawNow = (wanted: Wanted): void => {
    const { graphic, frame, place } = wanted;
    const { width, height } = frame;
    const isThere = given !== null && sameItems(given.from, wanted.from);
    let text = isThere ? graphic.drawAgain(frame, turn) : null;
    if (text === null) {
      turn = turn === 0 ? 1 : 0;
      const marks = markFrame(frame, latest!, true);
      text = graphic.draw({ width, height, grey: coarse(frame.grey), marks }, turn);
    }
    // Cursor and colours are as the cells left them.
    write(`\u001b7\u001b[${place.top + 1};${place.left + 1}H${text}\u001b8`);
    shown = wanted;
    given = wanted;
    notBefore = scheduler.now() + text.length / bytesPerMs;
  };
  const tryDraw = (): void => {
    stopWaiting();
    const wanted = latest && wantedOf(latest);
    if (!wanted || (shown && sameItems(shown.from, wanted.from) && sameRect(shown.place, wanted.place))) return;
    const wait = isBusy() ? 100 : Math.ceil(notBefore - scheduler.now());
    if (wait > 0) waiting = scheduler.schedule(tryDraw, wait);
    else drawNow(wanted);
  };

  return {
    clear: state => {
      const now = `${state.columns} ${state.rows}`;
      const isCleared = now !== size;
      size = now;
      if (!shown) return false;
      // A new picture of the same place takes the place of the old one, once it has come.
      const stays = isShownIn(state) ? placeOf(state) : null;
      const isSame = stays !== null && sameRect(stays, shown.place) && state.drawing === shown.from.at(-1);
      if (isSame && !isCleared) return false;
      const { place } = shown;
      takeOff();
      if (isCleared) return false;
      spoil(place);
      return true;
    },
    draw: state => {
      latest = state;
      tryDraw();
    },
    hide: takeOff,
    forget: () => {
      takeOff();
      given = null;
    },
    end: () => {
      takeOff();
      if (given) write(given.graphic.end);
      given = null;
    },
  };
}

/** Whether the picture is to be seen: on its page, while nothing lies over it. */
const isShownIn = (state: ConsoleState): boolean =>
  state.frame !== null && state.overlay === null && graphicOf(state) !== null && layoutOf(state)?.frame !== undefined;

function placeOf(state: ConsoleState): Rect | null {
  const panel = layoutOf(state)?.frame;
  const place = panel && picturePlace(state, panel);
  return place ? { ...place, left: panel.left + place.left, top: panel.top + place.top } : null;
}

function wantedOf(state: ConsoleState): Wanted | null {
  const { frame, frameView, history, drawing } = state;
  const place = placeOf(state);
  const request = pictureRequest(state);
  if (!isShownIn(state) || !frame || !place || !request) return null;
  // One that was made for another window, or for signs: the right one comes at once.
  if (frame.size.width !== request.width || frame.size.height !== request.height) return null;
  const { outlines, names, fits } = frameView;
  const result = fits ? (resultOf(frame, history)?.sample ?? null) : null;
  return { graphic: graphicOf(state)!, frame, place, from: [frame, outlines, names, result, drawing] };
}

const coarse = (grey: Uint8Array): Uint8Array =>
  grey.map(level => Math.round((Math.round((level * (shades - 1)) / 255) * 255) / (shades - 1)));

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => Object.is(item, b[i]));

const sameRect = (a: Rect, b: Rect): boolean =>
  a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;
