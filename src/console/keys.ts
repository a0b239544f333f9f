import { type ChartAction, chartKeys } from './chart/chartKeys.ts';
import { commandKeys } from './commandKeys.ts';
import type { ConsoleState, Overlay } from './consoleState.ts';
import type { CoreAction, KeyBinding, Place } from './keyBinding.ts';
import { overlayKeys } from './overlayKeys.ts';
import { pageKeys } from './pageKeys.ts';
import { isPage, type PageName, pages } from './pages.ts';

/** Everything that a key does, of all parts of the console. */
export type ActionName = CoreAction | ChartAction;

/**
 * The one table: the footer, the help, `docs/keys.md` and what a key does all come from it. Each part of the console brings its own keys.
 */
export const keyBindings: readonly KeyBinding<ActionName>[] = [
  ...commandKeys,
  ...pageKeys,
  ...chartKeys,
  ...overlayKeys,
];

/** Where the keys of a state go. */
export const placeOf = (state: Pick<ConsoleState, 'page' | 'overlay'>): Place => state.overlay?.kind ?? state.page;

export function worksIn({ places }: KeyBinding, place: Place): boolean {
  if (places === 'anywhere') return true;
  return places === 'pages' ? isPage(place) : places.includes(place);
}

/** What a key means here and now. */
export function bindingFor(key: string, state: ConsoleState): KeyBinding<ActionName> | undefined {
  const place = placeOf(state);
  return keyBindings.find(binding => binding.keys.includes(key) && worksIn(binding, place));
}

/** The documentation page, made from the table. */
export function keysPage(): string {
  const lines = [
    '# Keys of the console',
    '',
    'Made from the key table of the console by `npm run generate`. The footer shows the keys that do something now; `?` lists them all.',
    'Besides, a click selects a stage or a page, and the wheel scrolls.',
    '',
    '| key | where | what it does | asks first |',
    '| --- | --- | --- | --- |',
  ];
  for (const { shown, places, help, asks } of keyBindings) {
    lines.push(`| \`${shown}\` | ${placesText(places)} | ${help} | ${asks ? 'yes' : ''} |`);
  }
  return `${lines.join('\n')}\n`;
}

const overlayTitles: Record<Overlay['kind'], string> = {
  help: 'help',
  question: 'a question',
  rois: 'ROI list',
  tools: 'tools menu',
  arguments: 'arguments of a tool',
  output: 'output of a tool',
  search: 'search line',
};

const titles = { ...overlayTitles, ...Object.fromEntries(pages.map(({ name, title }) => [name, title])) } as Record<
  Overlay['kind'] | PageName,
  string
>;

export function placesText(places: KeyBinding['places']): string {
  if (places === 'anywhere') return 'everywhere';
  return places === 'pages' ? 'every page' : places.map(place => titles[place]).join(', ');
}
