import type { ListedExperiment } from '../../model/listedExperiment.ts';
import type { ConsoleTool } from '../consoleHost.ts';
import type { ConsoleState } from '../consoleState.ts';
import { choicesFor, type LookChoice } from '../drawing.ts';
import type { Place } from '../keyBinding.ts';
import { type ActionName, keyBindings, placeOf, worksIn } from '../keys.ts';
import { isPage, type PageName, pages } from '../pages.ts';
import { isPaused, mayStop, stagesOf } from '../situation.ts';
import { lookTitles } from '../theme/lookState.ts';
import { fuzzy } from './fuzzy.ts';

/** What an item of the palette does. */
export type Chosen =
  /** `page`: where the action works, when it does not on the page that is shown. */
  | { kind: 'action'; action: ActionName; page: PageName | null }
  | { kind: 'command'; word: string; words: readonly string[] }
  | { kind: 'tool'; tool: ConsoleTool }
  | { kind: 'look'; choice: LookChoice }
  | { kind: 'experiment'; experiment: ListedExperiment };

export interface PaletteItem {
  title: string;
  help: string;
  /** The key that does the same; empty: none. */
  key: string;
  chosen: Chosen;
}

/** Moving about is no action that anybody looks for. */
const moves: readonly string[] = [
  'up',
  'down',
  'pageUp',
  'pageDown',
  'top',
  'end',
  'palette',
  'nextPage',
  'previousPage',
];

/** All that can be done now, what works here first. */
export function paletteItems(state: ConsoleState): PaletteItem[] {
  return [
    ...actionItems(state),
    ...stageItems(state),
    ...toolItems(state),
    ...experimentItems(state),
    ...lookItems(state),
  ];
}

/** Those that have what was typed, the best first. */
export function foundItems(state: ConsoleState, typed: string): PaletteItem[] {
  const items = paletteItems(state);
  if (typed.trim() === '') return items;
  return items
    .map((item, i) => {
      const inTitle = fuzzy(typed, item.title);
      const anywhere = fuzzy(typed, `${item.title} ${item.help}`);
      // A word of the title is what people mean; letters scattered over a sentence mean nothing.
      const isPageNamed = item.title === `page ${typed.trim().toLowerCase()}`;
      const score =
        inTitle !== null ? inTitle + (isPageNamed ? 20 : 10) : anywhere !== null && anywhere > 4 ? anywhere : null;
      return { item, i, score };
    })
    .filter((each): each is typeof each & { score: number } => each.score !== null)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map(({ item }) => item);
}

function actionItems(state: ConsoleState): PaletteItem[] {
  const below = { ...state, overlay: null };
  const place = placeOf(below);
  const found = keyBindings.flatMap(binding => {
    const { action, when, places, label, help, shown } = binding;
    if (moves.includes(action)) return [];
    const worksHere = worksIn(binding, place);
    const page = worksHere ? null : pageOf(places);
    if (!worksHere && page === null) return [];
    if (when?.(page === null ? below : { ...below, page }) === false) return [];
    const isPageAction = isPage(action);
    const title = isPageAction ? `page ${label}` : page === null ? label : `${titleOf(page)}: ${label}`;
    const item: PaletteItem = {
      title,
      help: help.replaceAll('`', ''),
      key: shown,
      chosen: { kind: 'action', action, page },
    };
    return [{ item, rank: page !== null ? 3 : typeof places !== 'string' ? 0 : isPageAction ? 2 : 1 }];
  });
  return found.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** The page whose own a key is, the overview last; null: it works over pages only. */
const pageOf = (places: 'pages' | 'anywhere' | readonly Place[]): PageName | null =>
  typeof places === 'string'
    ? null
    : (places.filter(isPage).sort((a, b) => Number(a === 'overview') - Number(b === 'overview'))[0] ?? null);

const titleOf = (name: PageName): string => pages.find(page => page.name === name)?.title ?? name;

function stageItems(state: ConsoleState): PaletteItem[] {
  if (!mayStop(state)) return [];
  return stagesOf(state).map(stage => {
    const word = isPaused(state, stage) ? 'resume' : 'pause';
    return {
      title: `${word} ${stage}`,
      help: word === 'pause' ? 'The stage finishes what it has in work, and rests.' : 'The stage goes on.',
      key: '',
      chosen: { kind: 'command', word: `${word} ${stage}`, words: [word, stage] },
    };
  });
}

const toolItems = ({ tools }: ConsoleState): PaletteItem[] =>
  tools.map(tool => ({ title: tool.usage, help: tool.summary, key: '', chosen: { kind: 'tool', tool } }));

const experimentItems = ({ experiments: { list }, root }: ConsoleState): PaletteItem[] =>
  (list ?? [])
    .filter(each => each.root !== root && each.state !== 'gone')
    .map(experiment => ({
      title: `show ${experiment.root}`,
      help: `The ${experiment.kind} there: ${experiment.state}.`,
      key: '',
      chosen: { kind: 'experiment', experiment },
    }));

const lookItems = ({ look }: ConsoleState): PaletteItem[] =>
  choicesFor(look.environment).map(choice => ({
    title: `theme ${choice}`,
    help: lookTitles[choice],
    key: '',
    chosen: { kind: 'look', choice },
  }));
