import type { Action, ConsoleState } from '../../src/console/consoleState.ts';
import { reduce } from '../../src/console/reduce.ts';

/** Presses keys one after the other: a name of several letters in brackets, else a letter each. */
export function press(state: ConsoleState, keys: string): { state: ConsoleState; actions: Action[] } {
  const actions: Action[] = [];
  let now = state;
  for (const [key] of keys.matchAll(/<[^>]+>|./g)) {
    const isName = key.length > 1;
    const name = isName ? key.slice(1, -1) : /[A-Z]/.test(key) ? `S-${key.toLowerCase()}` : key === ' ' ? 'space' : key;
    const taken = reduce(now, { kind: 'key', key: name, text: isName ? '' : key });
    now = taken.state;
    actions.push(...taken.actions);
  }
  return { state: now, actions };
}
