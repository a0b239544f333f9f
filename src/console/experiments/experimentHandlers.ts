import type { ListedExperiment } from '../../model/listedExperiment.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { say } from '../messages.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { clamp, type Move, moveBy, windowTop } from '../scroll.ts';
import type { ExperimentAction } from './experimentKeys.ts';
import { chosenIndex } from './experimentsPage.ts';

/** Rows of the page that are no experiment: the heading and the heads of the columns above, the details below. */
export const experimentRowsFrom = 2;
export const experimentDetailRows = 3;

export const experimentHandlers: KeyHandlers<ExperimentAction> = {
  attach: state => attachTo(state, chosenExperiment(state)),
  attachBack: state => (state.cameFrom === null ? step(state) : step(state, { do: 'attach', root: state.cameFrom })),
  forget: state => {
    const chosen = chosenExperiment(state);
    if (!chosen) return step(state);
    if (chosen.state === 'running') return step(say(state, 'info', 'what runs stays on the list'));
    const text = `Take ${chosen.root} off the list? Its folder stays as it is.`;
    const words = ['forget', chosen.root];
    return step({
      ...state,
      overlay: { kind: 'question', text, yes: { do: 'command', id: 0, purpose: 'forget', words } },
    });
  },
};

const chosenExperiment = ({ experiments, root }: ConsoleState): ListedExperiment | undefined =>
  experiments.list?.[chosenIndex(experiments, root)];

/** Shows another experiment in place of this one. */
export function attachTo(state: ConsoleState, chosen: Pick<ListedExperiment, 'root' | 'state'> | undefined): Step {
  if (!chosen) return step(state);
  if (chosen.root === state.root) return step(say(state, 'info', 'this experiment is shown already'));
  if (chosen.state === 'gone')
    return step(say(state, 'info', `${chosen.root} is not there: it was removed, or its disk is not plugged in`));
  return step(state, { do: 'attach', root: chosen.root });
}

export function moveExperiments(state: ConsoleState, move: Move): ConsoleState {
  const { experiments, root, rows } = state;
  const count = experiments.list?.length ?? 0;
  const at = clamp(chosenIndex(experiments, root) + moveBy(move, rows - 9), 0, Math.max(0, count - 1));
  return { ...state, experiments: { ...experiments, chosen: experiments.list?.[at]?.root ?? null } };
}

/** A click chooses an experiment, one more shows it. */
export const experimentMouse: PanelMouse = (state, { what, y }, { height }) => {
  if (what !== 'press') return null;
  const { experiments, root } = state;
  const list = experiments.list ?? [];
  const at = chosenIndex(experiments, root);
  const top = windowTop(at, list.length, height - experimentRowsFrom - experimentDetailRows);
  const pressed = list[top + y - experimentRowsFrom];
  if (!pressed || y < experimentRowsFrom || y >= height - experimentDetailRows) return null;
  return top + y - experimentRowsFrom === at
    ? attachTo(state, pressed)
    : step({ ...state, experiments: { ...experiments, chosen: pressed.root } });
};
