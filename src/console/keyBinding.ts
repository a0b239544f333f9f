import type { ConsoleState, Overlay, Step } from './consoleState.ts';
import type { PageName } from './pages.ts';

/** What keys do that belong to no part of the console. A part names its own beside its keys. */
export type CoreAction =
  | 'start'
  | 'stop'
  | 'restart'
  | 'pause'
  | PageName
  | 'nextPage'
  | 'previousPage'
  | 'tools'
  | 'edit'
  | 'help'
  | 'quit'
  | 'interrupt'
  | 'redraw'
  | 'suspend'
  | 'dismiss'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'top'
  | 'end'
  | 'yes'
  | 'background'
  | 'no'
  | 'toggle'
  | 'fewOrNone'
  | 'choose'
  | 'erase'
  | 'eraseLine'
  | 'cut'
  | 'close';

/** Where a key works: a page, one ROI that fills a page, or what lies over it. */
export type Place = PageName | 'ROI' | Overlay['kind'];

export interface KeyBinding<Action extends string = string> {
  action: Action;
  /** As blessed names them. */
  keys: readonly string[];
  /** As people read them. */
  shown: string;
  /** A word or two for the footer. */
  label: string;
  /** A sentence for the help and the documentation. */
  help: string;
  /** `pages`: on every page, while nothing lies over it. `anywhere`: always. */
  places: 'pages' | 'anywhere' | readonly Place[];
  /** It asks before it does it. */
  asks?: true;
  /** Lower comes first in the footer; without it, only the help has it. */
  footer?: number;
  /** Whether it can be done now; without it, always. */
  when?: (state: ConsoleState) => boolean;
}

/** What each of some actions does; that none is forgotten is checked by the compiler. */
export type KeyHandlers<Action extends string> = Readonly<Record<Action, (state: ConsoleState) => Step>>;
