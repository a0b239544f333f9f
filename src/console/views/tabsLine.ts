import { type ConsoleState, type PageName, pageNames } from '../consoleState.ts';
import { type Line, lineWidth, type Segment, seg, spread } from './line.ts';
import { shareSegments } from './shareSegments.ts';

const tabText = (page: PageName, index: number): string => ` ${index + 1} ${page} `;

/** The pages, with the number keys that lead to them, how the share is, and how many alarms there are. */
export function tabsLine({ page, reading, drawing, log, now }: ConsoleState, width: number): Line {
  const tabs: Segment[] = pageNames.map((name, i) => seg(tabText(name, i), name === page ? 'selected' : 'plain'));
  const alarms = reading?.status?.alarms.length ?? 0;
  const notes: Segment[] = [];
  if (log.bottom !== null) notes.push(seg('log held back, End follows ', 'dim'));
  if (alarms > 0) notes.push(seg(`${drawing.marks.late} ${alarms} ${alarms === 1 ? 'alarm' : 'alarms'} `, 'bad'));
  const share = reading?.status ? shareSegments(reading.status, now, drawing) : [];
  // The pages and what is wrong come first.
  const all = [...share, ...notes];
  const fits = lineWidth(tabs) + lineWidth(all) <= width;
  return spread(tabs, fits ? all : notes, width, drawing);
}

/** The page whose tab is at column `x`. */
export function tabAt(x: number): PageName | null {
  let from = 0;
  for (const [i, name] of pageNames.entries()) {
    const to = from + tabText(name, i).length;
    if (x >= from && x < to) return name;
    from = to;
  }
  return null;
}
