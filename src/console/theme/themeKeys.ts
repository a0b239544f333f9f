import { type ConsoleState, type Step, step } from '../consoleState.ts';
import { choicesFor, chooseDrawing, type LookChoice } from '../drawing.ts';
import type { KeyBinding, KeyHandlers } from '../keyBinding.ts';
import { say } from '../messages.ts';
import { type LookState, lookTitles } from './lookState.ts';

export type ThemeAction = 'theme';

export const themeKeys: readonly KeyBinding<ThemeAction>[] = [
  {
    action: 'theme',
    keys: ['S-t'],
    shown: 'T',
    label: 'theme',
    help: "The next theme: as the terminal's background asks, dark, light, high contrast, the terminal's own 16 colours, no colour, ASCII. It is remembered for you.",
    places: 'pages',
  },
];

export const themeHandlers: KeyHandlers<ThemeAction> = {
  theme: state => {
    const choices = choicesFor(state.look.environment);
    return chooseLook(state, choices[(choices.indexOf(state.look.choice) + 1) % choices.length] as LookChoice);
  },
};

/** Draws with another theme, and remembers it for this user. */
export function chooseLook(state: ConsoleState, choice: LookChoice): Step {
  const words = `theme: ${lookTitles[choice]}`;
  return step(say(withLook(state, { choice }), 'info', words), { do: 'rememberLook', choice });
}

function withLook(state: ConsoleState, over: Partial<LookState>): ConsoleState {
  const look = { ...state.look, ...over };
  return { ...state, look, drawing: chooseDrawing(look.environment, look.choice, look.background) };
}
