import { regionOf } from '../../model/frameRegion.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import type { FrameAction } from './frameKeys.ts';
import { pictureRequest } from './framePlaces.ts';
import type { FrameState } from './frameState.ts';

/** So much larger with each key or notch of the wheel. */
export const zoomStep = 1.5;
/** At the nearest so many pixels of the frame are seen across. */
const fewestPixels = 12;

const set = (state: ConsoleState, change: Partial<FrameState>): ConsoleState => ({
  ...state,
  frameView: { ...state.frameView, ...change },
});

const toggle =
  (what: 'outlines' | 'names' | 'fits' | 'histogram') =>
  (state: ConsoleState): Step =>
    step(set(state, { [what]: !state.frameView[what] }));

/** Looks at another part of the frame, as far as that goes. @param centre as shares of the frame's sides */
export function lookAt(state: ConsoleState, zoom: number, centre: readonly [number, number]): ConsoleState {
  const { frame } = state;
  const request = pictureRequest(state);
  if (!frame || !request) return state;
  const most = Math.max(1, Math.min(frame.frameWidth, frame.frameHeight) / fewestPixels);
  const to = zoom < 1.01 ? 1 : Math.min(zoom, most);
  const { left, top, width, height } = regionOf(frame, { ...request, zoom: to, centre });
  const { frameWidth, frameHeight } = frame;
  return set(state, { zoom: to, centre: [(left + width / 2) / frameWidth, (top + height / 2) / frameHeight] });
}

/** Moves by parts of what is seen. */
function moveBy(state: ConsoleState, across: number, down: number): ConsoleState {
  const { frame, frameView } = state;
  if (!frame) return state;
  const { width, height } = frame.region;
  const [x, y] = frameView.centre;
  return lookAt(state, frameView.zoom, [
    x + (across * width) / frame.frameWidth,
    y + (down * height) / frame.frameHeight,
  ]);
}

/** Goes so many frames back (on, where that is negative) from the one that is shown; beyond the newest, frames are followed. */
function goBack(state: ConsoleState, by: number): ConsoleState {
  const { frame, frameView } = state;
  if (!frame) return state;
  const held = frameView.held ?? { file: frame.file, back: 0 };
  const recent = frameView.held ? frame.recent : null;
  const back = held.back + by;
  if (frameView.held === null && by < 0) return state;
  if (recent && back < -recent.after) return set(state, { held: null });
  return set(state, { held: { file: held.file, back: recent ? Math.min(back, recent.before) : back } });
}

/** Moves across in a frame that is zoomed, else in time. */
const across =
  (by: 1 | -1) =>
  (state: ConsoleState): Step =>
    step(state.frameView.zoom > 1 ? moveBy(state, by / 4, 0) : goBack(state, -by));

/** What the keys of the frame page do. */
export const frameHandlers: KeyHandlers<FrameAction> = {
  nearer: state => step(lookAt(state, state.frameView.zoom * zoomStep, state.frameView.centre)),
  farther: state => step(lookAt(state, state.frameView.zoom / zoomStep, state.frameView.centre)),
  wholeFrame: state => step(set(state, { zoom: 1, centre: [0.5, 0.5] })),
  frameLeft: across(-1),
  frameRight: across(1),
  frameUp: state => step(moveBy(state, 0, -1 / 4)),
  frameDown: state => step(moveBy(state, 0, 1 / 4)),
  frameBefore: state => step(goBack(state, 1)),
  frameAfter: state => step(goBack(state, -1)),
  tenFramesBefore: state => step(goBack(state, 10)),
  tenFramesAfter: state => step(goBack(state, -10)),
  oldestFrame: state => step(goBack(state, Number.MAX_SAFE_INTEGER)),
  newestFrame: state => step(set(state, { held: null })),
  freeze: state => step(state.frameView.held ? set(state, { held: null }) : goBack(state, 0)),
  outlines: toggle('outlines'),
  roiNames: toggle('names'),
  fittedLines: toggle('fits'),
  histogram: toggle('histogram'),
};
