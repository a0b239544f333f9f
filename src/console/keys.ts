import { type AlarmAction, alarmKeys } from './alarms/alarmKeys.ts';
import { type ChartAction, chartKeys } from './chart/chartKeys.ts';
import { type ChipAction, chipKeys } from './chip/chipKeys.ts';
import { commandKeys } from './commandKeys.ts';
import type { ConsoleState, Overlay } from './consoleState.ts';
import { type ExperimentAction, experimentKeys } from './experiments/experimentKeys.ts';
import { type FrameAction, frameKeys } from './frame/frameKeys.ts';
import type { CoreAction, KeyBinding, Place } from './keyBinding.ts';
import { type LogAction, logKeys } from './log/logKeys.ts';
import { overlayKeys } from './overlayKeys.ts';
import { pageKeys } from './pageKeys.ts';
import { isPage, pages } from './pages.ts';
import { type PaletteAction, paletteKeys } from './palette/paletteKeys.ts';
import { type FormAction, formKeys } from './replay/replayForm.ts';
import { type ReplayAction, replayKeys } from './replay/replayKeys.ts';
import { type RoiAction, roiKeys } from './rois/roiKeys.ts';
import { type SettingsAction, settingsKeys } from './settings/settingsKeys.ts';
import { type ThemeAction, themeKeys } from './theme/themeKeys.ts';

/** Everything that a key does, of all parts of the console. */
export type ActionName =
  | CoreAction
  | ChartAction
  | FrameAction
  | ChipAction
  | RoiAction
  | ThemeAction
  | LogAction
  | PaletteAction
  | SettingsAction
  | ReplayAction
  | AlarmAction
  | FormAction
  | ExperimentAction;

/**
 * The one table: the footer, the help, `docs/keys.md` and what a key does all come from it. Each part of the console brings its own keys.
 */
export const keyBindings: readonly KeyBinding<ActionName>[] = [
  ...commandKeys,
  ...pageKeys,
  ...replayKeys,
  ...formKeys,
  ...chartKeys,
  ...frameKeys,
  ...chipKeys,
  ...roiKeys,
  ...themeKeys,
  ...paletteKeys,
  ...logKeys,
  ...settingsKeys,
  ...alarmKeys,
  ...experimentKeys,
  ...overlayKeys,
];

/** Where the keys of a state go. */
export const placeOf = ({ page, overlay, roisPage }: Pick<ConsoleState, 'page' | 'overlay' | 'roisPage'>): Place =>
  overlay?.kind ?? (page === 'ROIs' && roisPage.openedFrom !== null ? 'ROI' : page);

export function worksIn({ places }: KeyBinding, place: Place): boolean {
  if (places === 'anywhere') return true;
  return places === 'pages' ? isPage(place) || place === 'ROI' : places.includes(place);
}

/** What a key means here and now: what a place has of its own comes before what every page has. */
export function bindingFor(key: string, state: ConsoleState): KeyBinding<ActionName> | undefined {
  const place = placeOf(state);
  const found = keyBindings.filter(binding => binding.keys.includes(key) && worksIn(binding, place));
  return found.find(({ places }) => typeof places !== 'string') ?? found[0];
}

/** The documentation page, made from the table. */
export function keysPage(): string {
  const lines = [
    '# Keys of the console',
    '',
    'Made from the key table of the console by `npm run generate`. The footer shows the keys that do something now; `?` lists them all.',
    'The mouse: a click selects a page, a stage, an item of a list or a key of the footer; a click beside what lies over a page closes it; the wheel scrolls.',
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
  palette: 'palette',
  arguments: 'arguments of a tool',
  output: 'output of a tool',
  search: 'search line',
  goTo: 'a place to go to',
  replayForm: 'form of a replay',
  roiFilter: 'filter of ROIs',
  sources: 'list of stages',
  setting: 'a setting',
  alarm: 'one alarm',
  line: 'a line of the log',
};

const titles = {
  ...overlayTitles,
  ROI: 'one ROI',
  ...Object.fromEntries(pages.map(({ name, title }) => [name, title])),
} as Record<Place, string>;

export function placesText(places: KeyBinding['places']): string {
  if (places === 'anywhere') return 'everywhere';
  return places === 'pages' ? 'every page' : places.map(place => titles[place]).join(', ');
}
