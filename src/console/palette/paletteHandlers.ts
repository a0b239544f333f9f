import { type ConsoleState, type Step, step } from '../consoleState.ts';
import { attachTo } from '../experiments/experimentHandlers.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import type { ActionName } from '../keys.ts';
import { openTool } from '../overlayActions.ts';
import { clamp } from '../scroll.ts';
import { chooseLook } from '../theme/themeKeys.ts';
import { type Chosen, foundItems } from './paletteItems.ts';
import type { PaletteAction } from './paletteKeys.ts';

export interface Performed {
  /** What a key of the table does. */
  act: (state: ConsoleState, action: ActionName) => Step;
  /** Runs a command for the pipeline. */
  command: (state: ConsoleState, purpose: string, words: readonly string[]) => Step;
}

/** The palette does what others know how to. */
export function paletteHandlers(performed: Performed): KeyHandlers<PaletteAction> {
  return {
    palette: state => step({ ...state, overlay: { kind: 'palette', text: '', cursor: 0 } }),
    paletteUp: state => step(movePalette(state, -1)),
    paletteDown: state => step(movePalette(state, 1)),
    perform: state => perform(state, performed),
  };
}

export function movePalette(state: ConsoleState, by: number): ConsoleState {
  const { overlay } = state;
  if (overlay?.kind !== 'palette') return state;
  const last = Math.max(0, foundItems(state, overlay.text).length - 1);
  return { ...state, overlay: { ...overlay, cursor: clamp(overlay.cursor + by, 0, last) } };
}

function perform(state: ConsoleState, performed: Performed): Step {
  const { overlay } = state;
  if (overlay?.kind !== 'palette') return step(state);
  const item = foundItems(state, overlay.text)[overlay.cursor];
  if (!item) return step(state);
  return take({ ...state, overlay: null }, item.chosen, performed);
}

function take(state: ConsoleState, chosen: Chosen, { act, command }: Performed): Step {
  switch (chosen.kind) {
    case 'action':
      return act(chosen.page === null ? state : { ...state, page: chosen.page }, chosen.action);
    case 'command':
      return command(state, chosen.word, chosen.words);
    case 'tool':
      return step(openTool(state, chosen.tool));
    case 'experiment':
      return attachTo(state, chosen.experiment);
    case 'look':
      return chooseLook(state, chosen.choice);
  }
}
