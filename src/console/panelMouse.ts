import type { MouseInput } from './consoleInput.ts';
import type { ConsoleState, Step } from './consoleState.ts';
import type { Rect } from './layout.ts';

/** What the mouse does in a panel, with its place counted from the panel's corner; null where it does nothing there. */
export type PanelMouse = (state: ConsoleState, mouse: MouseInput, panel: Rect) => Step | null;
