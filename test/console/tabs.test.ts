import { describe, expect, it } from 'vitest';
import { type Page, pages } from '../../src/console/pages.ts';
import { lineText, lineWidth } from '../../src/console/views/line.ts';
import { tabAt, tabsLine, tabsOf } from '../../src/console/views/tabsLine.ts';
import { sampleState } from './sampleConsole.ts';

const titles = ['overview', 'chart', 'chip', 'frame', 'log', 'ROIs', 'alarms', 'settings', 'experiments'];
const nine = titles.map(
  (title, i): Page => ({ key: `${i + 1}`, name: title, title, short: title.slice(0, 4), help: '' }),
);
const textOf = (shown: string, room: number): string =>
  tabsOf(nine, shown, room)
    .map(({ text }) => text)
    .join('');

describe('tabs', () => {
  it('have all names of nine pages where these fit, short ones where not, and on 60 columns that of the shown page with room for the alarms', () => {
    expect(textOf('chart', 120)).toContain(' 1 overview  2 chart  3 chip ');
    expect(textOf('experiments', 80)).toContain(' 1 over  2 chart  3 chip ');
    expect(textOf('experiments', 80)).toContain(' 9 experiments ');
    expect(textOf('frame', 60)).toBe(' 1 over  2 chart  3 chip  4 frame  5 log  6 ROIs  7  8  9 ');
    expect(textOf('experiments', 40)).toBe(' 1 over  2  3  4  5  6  7  8  9 expe ');
    expect(textOf('experiments', 48)).toBe(' 1 over  2 chart  3 chip  4  5  6  7  8  9 expe ');
    for (const shown of titles)
      for (const room of [48, 60, 80, 120]) expect(textOf(shown, room).length).toBeLessThanOrEqual(room);
  });

  it('have a name of every page on 80 columns, whichever is shown', () => {
    for (const { name, short } of pages) {
      const text = lineText(tabsLine(sampleState({ page: name, columns: 80 }), 80));
      for (const page of pages) expect(text).toContain(` ${page.key} ${page.short}`);
      expect(text, name).toContain(short);
    }
  });

  it('are hit where they are drawn, on any width', () => {
    for (const width of [60, 80, 120, 200]) {
      const state = sampleState({ page: 'frame', columns: width });
      const line = tabsLine(state, width);
      expect(lineWidth(line)).toBeLessThanOrEqual(width);
      const text = lineText(line);
      expect(tabAt(state, text.indexOf(' 4 frame') + 2, width)).toBe('frame');
      expect(tabAt(state, text.indexOf(' 3 ') + 1, width)).toBe('chip');
      expect(tabAt(state, width - 1, width)).toBeNull();
    }
  });
});
