import type { Widgets } from 'blessed';
import type { SchedulerLike } from 'rxjs';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { paintGraphic } from '../frame/paintGraphic.ts';
import { layoutOf, type PanelName, type Rect } from '../layout.ts';
import type { Line } from '../views/line.ts';
import { overlayView, smallWindow } from '../views/overlayView.ts';
import { panelViews } from '../views/panels.ts';
import type { Widget } from '../views/panelView.ts';
import { contribWidgets } from './contribWidgets.ts';
import type { OpenScreen } from './openScreen.ts';
import { renderOnChange } from './renderOnChange.ts';
import { boxStyle, sgr } from './sgr.ts';

interface Panel {
  box: Widgets.BoxElement;
  mark: () => void;
  rect: Rect | null;
  depends: readonly unknown[];
  text: string;
  widgets: readonly Widget[];
}

/** Draws states on a screen. */
export interface Painter {
  /** Draws what differs from the state before; nothing where nothing does. */
  paint(state: ConsoleState): void;
  /** Forgets what is on the screen. */
  forget(): void;
  /** Takes off the screen what the next program that has the terminal would not draw over. */
  hide(): void;
  /** Nothing stays in the terminal. */
  end(): void;
  /** How often the screen was drawn. */
  readonly renders: number;
}

/** A box for each panel of the layout, and one for what lies over them. */
export function paintPanels(open: OpenScreen, scheduler: SchedulerLike): Painter {
  const { screen } = open;
  const panels = new Map<string, Panel>();
  const graphic = paintGraphic(open, scheduler);
  const contrib = contribWidgets(open, scheduler);
  let renders = 0;
  let size = '';
  let drawing: Drawing | null = null;
  /** Something was moved, or lies over others: all of them are drawn again. */
  let hasMoved = false;

  const panelOf = (name: string): Panel => {
    let panel = panels.get(name);
    if (!panel) {
      const box = open.box({
        wrap: false,
        tags: false,
        hidden: true,
        top: 0,
        left: 0,
        width: 1,
        height: 1,
      } as Widgets.BoxOptions);
      screen.append(box);
      if (drawing) box.style = boxStyle(drawing);
      panel = { box, mark: renderOnChange(box), rect: null, depends: [], text: '', widgets: [] };
      panels.set(name, panel);
    }
    return panel;
  };

  /** Puts lines where they belong; true when that changed anything. */
  const show = (name: string, rect: Rect | null, lines: readonly Line[], state: ConsoleState): boolean => {
    const panel = panelOf(name);
    const moved = !sameRect(panel.rect, rect);
    const text = rect ? lines.map(each => sgr(each, state.drawing)).join('\n') : '';
    if (!moved && text === panel.text) return false;
    if (moved) {
      place(panel.box, rect);
      hasMoved = true;
    }
    panel.rect = rect;
    panel.text = text;
    if (rect) panel.box.setContent(text);
    panel.mark();
    if (panel.widgets.length > 0) contrib.mark();
    return true;
  };

  const paintPanel = (name: PanelName, rect: Rect | null, state: ConsoleState): boolean => {
    const panel = panelOf(name);
    const view = panelViews[name];
    const depends = rect ? view.depends(state) : [];
    if (sameRect(panel.rect, rect) && sameItems(panel.depends, depends)) return false;
    panel.depends = depends;
    const { lines, widgets = [] } = rect ? view.content(state, rect) : { lines: [] };
    panel.widgets = widgets;
    return show(name, rect, lines, state);
  };

  const draw = (): void => {
    const overlay = panelOf('overlay');
    overlay.box.setFront();
    if (hasMoved || overlay.rect !== null) {
      for (const panel of panels.values()) panel.mark();
      contrib.mark();
    }
    hasMoved = false;
    screen.render();
    renders++;
  };

  /** Another theme: all is drawn again in its colours, on its background where that is not the terminal's own. */
  const redress = (state: ConsoleState): void => {
    drawing = state.drawing;
    const style = boxStyle(drawing);
    for (const panel of panels.values()) {
      panel.box.style = style;
      panel.depends = [];
      panel.text = '';
    }
    size = '';
  };

  return {
    get renders() {
      return renders;
    },
    forget: () => {
      for (const panel of panels.values()) panel.depends = [];
      size = '';
      graphic.forget();
    },
    hide: graphic.hide,
    end: graphic.end,
    paint: state => {
      const places = layoutOf(state);
      if (drawing !== state.drawing) redress(state);
      const now = `${state.columns} ${state.rows}`;
      let changed = now !== size;
      if (changed) hasMoved = true;
      size = now;
      if (graphic.clear(state)) changed = true;
      const whole: Rect = { left: 0, top: 0, width: state.columns, height: state.rows };
      if (show('ground', state.drawing.paints ? whole : null, [], state)) changed = true;
      for (const name of Object.keys(panelViews) as PanelName[]) {
        if (paintPanel(name, places?.[name] ?? null, state)) changed = true;
      }
      const shown = [...panels.values()].flatMap(({ rect, widgets }) => (rect ? placedIn(rect, widgets) : []));
      const drawn = contrib.show(shown, state.drawing);
      if (drawn !== 'nothing') changed = true;
      if (drawn === 'moved') hasMoved = true;
      const overlay = places ? overlayView(state) : { rect: whole, lines: smallWindow(state) };
      if (show('overlay', overlay?.rect ?? null, overlay?.lines ?? [], state)) changed = true;
      if (changed) draw();
      graphic.draw(state);
    },
  };
}

/** Hiding clears what was there. */
function place(box: Widgets.BoxElement, rect: Rect | null): void {
  box.hide();
  if (!rect) return;
  Object.assign(box.position, { left: rect.left, top: rect.top, width: rect.width, height: rect.height });
  box.show();
}

const placedIn = ({ left, top }: Rect, widgets: readonly Widget[]): Widget[] =>
  widgets.map(each => ({ ...each, rect: { ...each.rect, left: left + each.rect.left, top: top + each.rect.top } }));

const sameRect = (a: Rect | null, b: Rect | null): boolean =>
  a === b ||
  (a !== null && b !== null && a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height);

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => Object.is(item, b[i]));
