import type { PipelineStatus } from '../../model/status.ts';
import { standingAlarms } from '../alarms/alarmsState.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { type Page, type PageName, pages } from '../pages.ts';
import { type Line, lineWidth, type Segment, seg, spread } from './line.ts';
import { shareSegments } from './shareSegments.ts';

/** How much of a page's name is shown, the least first. */
const forms: readonly ((page: Page) => string)[] = [() => '', ({ short }) => ` ${short}`, ({ title }) => ` ${title}`];

interface Tab<Name extends string> {
  name: Name;
  text: string;
}

/** The pages, with the number keys that lead to them, how the share is, and how many alarms there are. */
export function tabsLine(state: ConsoleState, width: number): Line {
  const { page, drawing } = state;
  const { tabs, notes } = parts(state, width);
  const shown: Line = tabs.map(({ name, text }) => seg(text, name === page ? 'selected' : 'plain'));
  return spread(shown, notes, width, drawing);
}

/** The page whose tab is at column `x` of the line. */
export function tabAt(state: ConsoleState, x: number, width: number): PageName | null {
  let from = 0;
  for (const { name, text } of parts(state, width).tabs) {
    const to = from + text.length;
    if (x >= from && x < to) return name;
    from = to;
  }
  return null;
}

/** Numbers of pages come first, then what is wrong, then names of pages, then what is well. */
function parts(state: ConsoleState, width: number): { tabs: Tab<PageName>[]; notes: Segment[] } {
  const { page } = state;
  const { alarms, config, share, held } = notesOf(state);
  const isShareWell = share.every(({ style }) => style === 'dim' || style === 'plain');
  let notes: Segment[] = [];
  const add = (note: Segment[], room: number): void => {
    // A column stays free between them.
    if (lineWidth(note) + lineWidth(notes) + room < width) notes = [...note, ...notes];
  };
  // Of the page that is shown, its name stays.
  const fewest = widthOf(tabsOf(pages, page, 0)) + 1 + (pages.find(({ name }) => name === page)?.short.length ?? 0);
  add(alarms, fewest);
  add(config, fewest);
  if (!isShareWell) add(share, fewest);
  add(held, fewest);
  const tabs = tabsOf(pages, page, width - lineWidth(notes) - 1);
  if (isShareWell) add(share, widthOf(tabs));
  return { tabs, notes };
}

const widthOf = (tabs: readonly Tab<string>[]): number => tabs.reduce((sum, { text }) => sum + text.length, 0);

/** The tabs with as much of their names as there is room for: first of the page that is shown, then short names of all, then whole ones. */
export function tabsOf<Name extends string>(
  of: readonly (Page & { name: Name })[],
  shown: Name,
  room: number,
): Tab<Name>[] {
  let tabs = of.map(page => ({ name: page.name, text: ` ${page.key} ` }));
  for (const form of forms) {
    for (const page of of.toSorted((a, b) => Number(b.name === shown) - Number(a.name === shown))) {
      const longer = tabs.map(tab => (tab.name === page.name ? { ...tab, text: ` ${page.key}${form(page)} ` } : tab));
      if (widthOf(longer) <= room) tabs = longer;
    }
  }
  return tabs;
}

function notesOf(state: ConsoleState): Record<'alarms' | 'config' | 'share' | 'held', Segment[]> {
  const { reading, drawing, log, now } = state;
  return {
    alarms: alarmsNote(state),
    config: configNote(reading?.status?.config, drawing),
    share: reading?.status ? shareSegments(reading.status, now, drawing) : [],
    held: log.bottom !== null ? [seg('log held back, End follows ', 'dim')] : [],
  };
}

/** How many alarms nobody has acknowledged; else how many stand. */
function alarmsNote(state: ConsoleState): Segment[] {
  const standing = standingAlarms(state);
  const fresh = standing.filter(({ acknowledged }) => acknowledged === null).length;
  if (fresh > 0) return [seg(`${state.drawing.marks.late} ${fresh} ${fresh === 1 ? 'alarm' : 'alarms'} `, 'bad')];
  const { length } = standing;
  return length > 0 ? [seg(`${length} ${length === 1 ? 'alarm' : 'alarms'} acknowledged `, 'warning')] : [];
}

/** What is wrong with the configuration stays in sight on every page until it is mended. */
function configNote(config: PipelineStatus['config'] | undefined, { marks }: Drawing): Segment[] {
  const count = config?.warnings?.length ?? 0;
  if (config && config.error !== null) return [seg(`${marks.late} config wrong `, 'bad')];
  return count > 0 ? [seg(`${marks.late} ${count} ${count === 1 ? 'warning' : 'warnings'} `, 'warning')] : [];
}
