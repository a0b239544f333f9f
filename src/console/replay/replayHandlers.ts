import { type PlaybackWish, withWish } from '../../model/playback.ts';
import { parsePlace } from '../../model/replayPlace.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import type { ReplayAction } from './replayKeys.ts';
import { runningReplay } from './replayState.ts';

/** Times the recorded pace; null: the maximum. */
const speeds: readonly (number | null)[] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, null];

/** What the keys of a replay do. */
export const replayHandlers: KeyHandlers<ReplayAction> = {
  playPause: state => steer(state, { kind: runningReplay(state)?.paused ? 'resume' : 'pause' }),
  stepFrame: state => steer(state, { kind: 'step', frames: 1 }),
  slower: state => steer(state, { kind: 'speed', speed: speedBeside(state, -1) ?? 'max' }),
  faster: state => steer(state, { kind: 'speed', speed: speedBeside(state, 1) ?? 'max' }),
  goTo: state => step({ ...state, overlay: { kind: 'goTo', text: '' } }),
};

/** Asks for something, and shows it as if it were so already. */
export function steer(state: ConsoleState, wish: PlaybackWish): Step {
  const { asked } = state.replay;
  const { paused, speed } = withWish({}, wish);
  return step(
    {
      ...state,
      replay: {
        ...state.replay,
        asked: {
          ...asked,
          ...(paused !== undefined && { paused }),
          ...(speed !== undefined && { speed: speed === 'max' ? null : speed }),
          unwritten: (asked?.unwritten ?? 0) + 1,
          seq: asked?.seq ?? 0,
        },
      },
    },
    { do: 'steer', wish },
  );
}

/** The next speed; from the maximum it goes down to what was really reached. */
function speedBeside(state: ConsoleState, by: 1 | -1): number | null {
  const { speed = null, speed_now: now = null } = runningReplay(state) ?? {};
  const finite = speeds.filter(each => each !== null);
  if (by > 0) return speed === null ? null : (finite.find(each => each > speed) ?? null);
  const from = speed ?? now ?? Number.POSITIVE_INFINITY;
  return finite.findLast(each => each < from) ?? (finite[0] as number);
}

/** Goes to what was typed. */
export function goTo(state: ConsoleState, text: string): Step {
  const closed = { ...state, overlay: null };
  if (text.trim() === '') return step(closed);
  // What is wrong is in sight already.
  if (parsePlace(text) === null) return step(state);
  return steer(closed, { kind: 'seek', to: text.trim() });
}
