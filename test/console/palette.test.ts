import { describe, expect, it } from 'vitest';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { keyHandlers } from '../../src/console/keyActions.ts';
import { keyBindings } from '../../src/console/keys.ts';
import { overlayRect } from '../../src/console/overlayRect.ts';
import { isPage, pages } from '../../src/console/pages.ts';
import { fuzzy } from '../../src/console/palette/fuzzy.ts';
import { foundItems, paletteItems } from '../../src/console/palette/paletteItems.ts';
import { reduce } from '../../src/console/reduce.ts';
import { footerLine } from '../../src/console/views/footerLine.ts';
import { lineText } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { sampleState as plainState, sampleTools } from './sampleConsole.ts';

const look = { environment: { TERM: 'xterm-256color', LANG: 'C.UTF-8' }, choice: 'auto', background: null } as const;
const sampleState = (over: Partial<ConsoleState> = {}): ConsoleState => plainState({ look, ...over });

const key = (state: ConsoleState, name: string, text = '') => reduce(state, { kind: 'key', key: name, text });
const typed = (text: string, over: Partial<ConsoleState> = {}): ConsoleState => {
  let state = key(sampleState(over), ':', ':').state;
  for (const letter of text) state = key(state, letter, letter).state;
  return state;
};
const best = (text: string, over: Partial<ConsoleState> = {}): string | undefined =>
  foundItems(typed(text, over), text)[0]?.title;

describe('the command palette', () => {
  it.each([
    ['resta', 'restart'],
    ['pg chart', 'page chart'],
    ['chart', 'page chart'],
    ['pause proc', 'pause processor'],
    ['pproc', 'pause processor'],
    ['replay', 'replay <folder>'],
    ['light', 'theme light'],
    ['quit', 'quit'],
    ['contr', 'theme contrast'],
  ])('finds by %j: %s', (text, title) => {
    expect(best(text)).toBe(title);
  });

  it('has every action that a key does on a page, every page, a command for every stage, every tool and theme', () => {
    const items = paletteItems(sampleState());
    const actions = items.flatMap(({ chosen }) => (chosen.kind === 'action' ? [chosen.action] : []));
    const moves = ['up', 'down', 'pageUp', 'pageDown', 'top', 'end', 'palette', 'nextPage', 'previousPage'];
    for (const { action, places, when } of keyBindings) {
      const isOfPages = typeof places === 'string' || places.some(isPage);
      if (isOfPages && when === undefined && !moves.includes(action)) expect(actions, action).toContain(action);
    }
    for (const { name } of pages) expect(actions).toContain(name);
    const titles = items.map(({ title }) => title);
    for (const title of [
      'pause collector',
      'pause communicator',
      'theme dark',
      ...sampleTools.map(({ usage }) => usage),
    ])
      expect(titles).toContain(title);
  });

  it('offers nothing that can not be done now', () => {
    const stopped = sampleState({ reading: { connection: 'none', status: null } });
    const titles = paletteItems(stopped).map(({ title }) => title);
    expect(titles).toContain('start');
    expect(titles).not.toContain('stop');
    expect(titles.some(title => title.startsWith('pause '))).toBe(false);
  });

  it('does on Enter what the pointer is on: the same as its key', () => {
    expect(key(typed('restart'), 'enter')).toEqual(keyHandlers.restart({ ...sampleState() }));
    expect(key(typed('page log'), 'enter').state).toMatchObject({ page: 'log', overlay: null });
    const paused = key(typed('pause processor'), 'enter');
    expect(paused.actions).toMatchObject([{ do: 'command', words: ['pause', 'processor'] }]);
    expect(key(typed('theme light'), 'enter').actions).toEqual([{ do: 'rememberLook', choice: 'light' }]);
    expect(key(typed('replay'), 'enter').state.overlay).toMatchObject({ kind: 'arguments', tool: { name: 'replay' } });
  });

  it('goes to the page of an action that does not work here', () => {
    const { state } = key(typed('log: search', { page: 'chip' }), 'enter');
    expect(state.overlay).toMatchObject({ kind: 'search' });
    expect(['overview', 'log']).toContain(state.page);
  });

  it('does nothing where nothing is found, takes letters back, and closes', () => {
    const lost = typed('qqqqzzz');
    expect(foundItems(lost, 'qqqqzzz')).toEqual([]);
    expect(key(lost, 'enter').actions).toEqual([]);
    const back = key(key(lost, 'backspace').state, 'down').state;
    expect(back.overlay).toMatchObject({ text: 'qqqqzz', cursor: 0 });
    expect(key(back, 'escape').state.overlay).toBeNull();
  });

  it('moves its pointer by arrows and wheel, within what is found', () => {
    let { state } = key(sampleState(), 'C-p');
    state = key(key(state, 'down').state, 'down').state;
    state = key(state, 'up').state;
    expect(state.overlay).toMatchObject({ cursor: 1 });
    const wheeled = reduce(state, { kind: 'mouse', what: 'wheelDown', x: 5, y: 5 }).state;
    expect(wheeled.overlay).toMatchObject({ cursor: 4 });
  });

  it('shows the keys, and keeps to its frame, at every size', () => {
    for (const [columns, rows] of [
      [60, 18],
      [80, 24],
      [120, 40],
      [200, 60],
    ] as const) {
      const state = typed('', { columns, rows });
      const view = overlayView(state);
      for (const line of view?.lines ?? []) expect(lineText(line)).toHaveLength(view?.rect.width ?? 0);
      expect(view?.lines.map(lineText).join('\n')).toMatch(/ x {2,}stop/);
    }
  });
});

describe('letters as they are typed', () => {
  it('find words that begin so before letters that are scattered', () => {
    expect(fuzzy('log', 'page log')).toBeGreaterThan(fuzzy('log', 'catalogue') ?? 0);
    expect(fuzzy('xyz', 'page log')).toBeNull();
    expect(fuzzy('log page', 'page log')).not.toBeNull();
  });
});

describe('the mouse', () => {
  const press = (state: ConsoleState, x: number, y: number) => reduce(state, { kind: 'mouse', what: 'press', x, y });

  it('does what a key of the footer does', () => {
    const state = sampleState();
    const text = lineText(footerLine(state, state.columns));
    const y = state.rows - 1;
    expect(press(state, text.indexOf('help'), y).state.overlay).toMatchObject({ kind: 'help' });
    expect(press(state, text.indexOf('stop'), y).state.overlay).toMatchObject({ kind: 'question' });
    expect(press(state, 0, y).state).toBe(state);
  });

  it('takes an item of a list, and closes it by a click beside it', () => {
    const state = key(sampleState(), 'm').state;
    const { left, top } = overlayRect(state);
    expect(press(state, left + 4, top + 2).state.overlay).toMatchObject({ kind: 'arguments', tool: sampleTools[1] });
    expect(press(state, 0, 0).state.overlay).toBeNull();
  });

  it('answers a question on the words of its answers', () => {
    const state = key(sampleState(), 'x').state;
    const { rect, lines } = overlayView(state) as NonNullable<ReturnType<typeof overlayView>>;
    const row = lines.findIndex(line => lineText(line).includes('y yes'));
    const text = lineText(lines[row] ?? []);
    expect(press(state, rect.left + text.indexOf('n no'), rect.top + row)).toMatchObject({
      state: { overlay: null },
      actions: [],
    });
    expect(press(state, rect.left + text.indexOf('y yes'), rect.top + row).actions).toMatchObject([
      { do: 'command', words: ['stop'] },
    ]);
    expect(press(state, rect.left + 2, rect.top + 1).state.overlay).toMatchObject({ kind: 'question' });
  });

  it('acknowledges the message that it is pressed on', () => {
    const said = reduce(sampleState(), { kind: 'said', level: 'error', text: 'it failed' }).state;
    expect(press(said, 3, said.rows - 2).state.messages).toEqual([]);
  });
});
