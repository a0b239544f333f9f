import { estimate, number } from '../../model/quantity.ts';
import { type ReplayStatus, speedWords } from '../../model/replay.ts';
import { percent } from '../../model/throughputWords.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Rect } from '../layout.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { bar } from '../views/bars.ts';
import { cleanText } from '../views/cleanText.ts';
import { type Line, lineWidth, type Segment, seg, spread } from '../views/line.ts';
import { type PanelView, text } from '../views/panelView.ts';
import { steer } from './replayHandlers.ts';
import { maySteer, pastReplay, runningReplay } from './replayState.ts';

/** Where the replay of this root stands, on the overview. */
export const replayPanel: PanelView = {
  depends: state => [state.reading, state.replay, Math.floor(state.now / 1000)],
  content: text((state, width) => replayLines(state, width)),
};

function replayLines(state: ConsoleState, width: number): Line[] {
  const past = pastReplay(state);
  const replay = past?.replay ?? runningReplay(state);
  if (!replay) return [];
  const { drawing } = state;
  const { left, barWidth, right } = barLine(state, replay, width);
  const said: Line = [seg(` ${details(replay, past !== null, width).join(` ${drawing.dot} `)}`)];
  const { roiManifest } = state.replay;
  const from = cleanText(replay.folder, drawing);
  const rois = roiManifest === null ? [] : [`${from} ${drawing.dot} ROIs of ${cleanText(roiManifest, drawing)}`];
  const told = [...rois, from].map((words): Line => [seg(`${words} `, 'dim')]);
  const done = replay.count === null ? 0 : replay.frame / Math.max(1, replay.count);
  return [
    [...left, seg(bar(done, barWidth, drawing), replay.paused ? 'warning' : 'accent'), ...right],
    // What happens matters more than where from.
    spread(said, told.find(line => lineWidth(said) + lineWidth(line) + 2 <= width) ?? [], width, drawing),
  ];
}

/** What stands before and after the bar, and how much room is left for it. */
function barLine(state: ConsoleState, replay: ReplayStatus, width: number) {
  const { frame, count } = replay;
  const share = count === null ? '' : `  ${percent(frame / Math.max(1, count))}`;
  const left: Segment[] = [seg(' Replay ', 'heading'), ...stateSegments(state, replay), seg(' ')];
  const right: Segment[] = [seg(` frame ${number(frame)}${count === null ? '' : ` of ${number(count)}`}${share} `)];
  return { left, right, barWidth: Math.max(0, width - lineWidth(left) - lineWidth(right)) };
}

function stateSegments(state: ConsoleState, { speed, speed_now: now, paused, ended }: ReplayStatus): Segment[] {
  const { marks } = state.drawing;
  const past = pastReplay(state);
  if (past)
    return [past.isFinished ? seg(`${marks.stopped} finished`, 'good') : seg(`${marks.stopped} stopped`, 'warning')];
  if (ended) return [seg(`${marks.running} all read`, 'good')];
  if (paused) return [seg(`${marks.paused} paused`, 'warning'), seg(` (${speedWords(speed)})`, 'dim')];
  const real = now === null ? '' : ` now ×${number(Number(now.toPrecision(2)))}`;
  // What was asked for is what is done, but for these.
  const isOther = speed === null || (now !== null && Math.abs(now / speed - 1) > 0.1);
  return [seg(`${marks.running} ${speedWords(speed)}`, 'good'), ...(isOther && real ? [seg(real, 'dim')] : [])];
}

function details(
  { recorded, skipped, left_seconds: left, ended, paused }: ReplayStatus,
  isPast: boolean,
  width: number,
): string[] {
  return [
    ...(recorded === null ? [] : [`${width < 70 ? '' : 'recorded '}${recorded.slice(0, 19).replace('T', ' ')}`]),
    ...(isPast || ended || paused ? [] : [left === null ? 'time left not known yet' : `${estimate(left * 1000)} left`]),
    ...(skipped > 0 ? [`${number(skipped)} skipped`] : []),
  ];
}

/** A click on the bar goes there. */
export const replayMouse: PanelMouse = (state, { what, x, y }, { width }: Rect) => {
  const replay = runningReplay(state);
  if (what !== 'press' || y !== 0 || !replay || !maySteer(state) || replay.count === null) return null;
  const { left, barWidth } = barLine(state, replay, width);
  const at = x - lineWidth(left);
  if (at < 0 || at >= barWidth) return null;
  return steer(state, { kind: 'seek', to: `${Math.round((1000 * (at + 0.5)) / barWidth) / 10}%` });
};
