import type { ConsoleState } from '../consoleState.ts';
import type { KeyBinding } from '../keyBinding.ts';
import { keyBindings, placeOf, worksIn } from '../keys.ts';
import { type Line, seg } from './line.ts';

interface FooterItem {
  /** As blessed names it. */
  key: string;
  shown: string;
  label: string;
  /** First column. */
  from: number;
}

/** The keys that do something now, the most important first, as many as fit. */
export function footerLine(state: ConsoleState, width: number): Line {
  const items = footerItems(state, width);
  return items.flatMap(({ shown, label }, i) => [seg(i === 0 ? ' ' : '  '), seg(shown, 'accent'), seg(` ${label}`)]);
}

/** The key whose words are at column `x`, as blessed names it. */
export function footerKeyAt(state: ConsoleState, x: number, width: number): string | null {
  const at = footerItems(state, width).find(
    ({ from, shown, label }) => x >= from && x <= from + shown.length + label.length,
  );
  return at?.key ?? null;
}

/** Help and leaving first; then what the page has of its own, before what every page has. On the overview the pipeline is what it is about. */
function rankOf({ footer = 0, places }: KeyBinding, { page }: ConsoleState): number {
  const isCommon = places === 'pages' || places === 'anywhere';
  return isCommon && footer > 0 && page !== 'overview' ? footer + commonFrom : footer;
}

/** Above every rank that a page gives its own keys. */
const commonFrom = 100;

function footerItems(state: ConsoleState, width: number): FooterItem[] {
  const place = placeOf(state);
  const offered = keyBindings
    .filter(binding => binding.footer !== undefined && worksIn(binding, place) && binding.when?.(state) !== false)
    .sort((a, b) => rankOf(a, state) - rankOf(b, state));
  const items: FooterItem[] = [];
  let from = 1;
  for (const { keys, shown, label } of offered) {
    const length = shown.length + label.length + 1;
    if (from + length > width) continue;
    items.push({ key: keys[0] as string, shown, label, from });
    from += length + 2;
  }
  return items;
}
