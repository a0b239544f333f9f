import type { ContribElement } from 'blessed-contrib/lib/widget/canvas.js';
import type { LineElement } from 'blessed-contrib/lib/widget/charts/line.js';
import type { DonutElement } from 'blessed-contrib/lib/widget/donut.js';
import type { SchedulerLike } from 'rxjs';
import { historyBucketMs } from '../../model/status.ts';
import type { Drawing } from '../drawing.ts';
import type { DonutsWidget, LineWidget, Widget } from '../views/panelView.ts';
import { dotsAcross, dotsDown } from '../views/raster.ts';
import type { OpenScreen } from './openScreen.ts';
import { renderOnChange } from './renderOnChange.ts';
import { boxStyle, inkColour } from './sgr.ts';

/** Widgets of blessed-contrib over the panels. */
export interface ContribWidgets {
  /** Shows these and no others; their `rect` is of the screen. `moved`: what lies below them must be drawn again. */
  show(widgets: readonly Widget[], drawing: Drawing): 'nothing' | 'drawn' | 'moved';
  /** What lies below was drawn again. */
  mark(): void;
}

interface Shown {
  element: ContribElement;
  mark: () => void;
  draw: (widget: Widget, drawing: Drawing) => void;
  /** What is seen: its place, and the whole of it; empty: it is hidden. */
  place: string;
  from: string;
  drawing: Drawing | null;
}

type Makers = Record<Widget['kind'], () => Pick<Shown, 'element' | 'draw'>>;

/**
 * The package is loaded when the first widget is to be shown, after the picture has been drawn without it; the next picture has the widgets.
 * There is one widget of a kind at a time.
 */
export function contribWidgets({ screen }: OpenScreen, scheduler: SchedulerLike): ContribWidgets {
  let makers: Makers | 'loading' | null = null;
  const shown = new Map<Widget['kind'], Shown>();

  const load = async (): Promise<void> => {
    const [{ default: line }, { default: donut }] = await Promise.all([
      import('blessed-contrib/lib/widget/charts/line.js'),
      import('blessed-contrib/lib/widget/donut.js'),
    ]);
    makers = { line: () => lineOf(line(options())), donuts: () => donutsOf(donut(options())) };
  };

  const elementFor = (kind: Widget['kind'], made: Makers): Shown => {
    let of = shown.get(kind);
    if (!of) {
      const { element, draw } = made[kind]();
      // Its own size leaves room for a border; its own render makes the picture anew each time that anything is drawn.
      element.calcSize = () => {
        const rows = Number(element.height) + (kind === 'line' ? 1 : 0);
        element.canvasSize = { width: Number(element.width) * dotsAcross, height: rows * dotsDown };
      };
      element.render = () => element._render();
      screen.append(element);
      of = { element, mark: renderOnChange(element), draw, place: '', from: '', drawing: null };
      shown.set(kind, of);
    }
    return of;
  };

  const drawOne = (widget: Widget, drawing: Drawing, made: Makers): 'nothing' | 'drawn' | 'moved' => {
    const of = elementFor(widget.kind, made);
    const { element } = of;
    const [place, from] = [JSON.stringify(widget.rect), JSON.stringify(widget)];
    if (of.from === from && of.drawing === drawing) return 'nothing';
    const hasMoved = place !== of.place;
    if (hasMoved) {
      element.hide();
      Object.assign(element.position, widget.rect);
      element.show();
    }
    element.style = boxStyle(drawing);
    // What contrib does when its size changes: it begins with an empty picture.
    element.emit('attach');
    of.draw(widget, drawing);
    element.setContent(element.ctx._canvas.frame('\n'));
    of.mark();
    Object.assign(of, { place, from, drawing });
    return hasMoved ? 'moved' : 'drawn';
  };

  return {
    mark: () => {
      for (const { mark } of shown.values()) mark();
    },
    show: (widgets, drawing) => {
      if (makers === null && widgets.length > 0) {
        makers = 'loading';
        scheduler.schedule(() => void load());
      }
      if (makers === null || makers === 'loading') return 'nothing';
      const results = new Set<'nothing' | 'drawn' | 'moved'>();
      for (const [kind, of] of shown) {
        if (of.place === '' || widgets.some(each => each.kind === kind)) continue;
        of.element.hide();
        Object.assign(of, { place: '', from: '' });
        results.add('moved');
      }
      for (const widget of widgets) results.add(drawOne(widget, drawing, makers));
      return results.has('moved') ? 'moved' : results.has('drawn') ? 'drawn' : 'nothing';
    },
  };
}

const options = (): object => ({ left: 0, top: 0, width: 1, height: 1, wrap: false, hidden: true });

function lineOf(element: LineElement): Pick<Shown, 'element' | 'draw'> {
  return {
    element,
    draw: (widget, drawing) => {
      const { top, labels, curves } = widget as LineWidget;
      const dim = drawing.theme.tones.dim.fg ?? 'normal';
      Object.assign(element.options, {
        xPadding: axisDots,
        maxY: top,
        numYLabels: labelsUpTo(top),
        style: { line: dim, text: dim, baseline: dim },
      });
      // Its own labels of time are every so many points, wherever that is: ours are at whole minutes.
      const x = labels.map(() => ' ');
      element.setData(
        curves.map(({ colour, values }) => ({
          x,
          y: values,
          style: { line: inkColour(colour, drawing) as number },
        })),
      );
      const { width, height } = element.canvasSize;
      const row = height - 2 * dotsDown;
      const end = width - 3 * dotsAcross;
      for (const [i, label] of labels.entries()) {
        const at = axisDots + 2 + ((width - axisDots) * i) / labels.length;
        const isWhole = label.endsWith(':00') || (i === 0 && labels.length < aMinute);
        if (isWhole && at + (label.length + 1) * dotsAcross <= end) element.ctx.fillText(label, at, row);
      }
      element.ctx.fillText('now', end, row);
    },
  };
}

/** Left of its curves contrib has the labels of the scale, in so many dots. */
const axisDots = 10;
/** Points of the history in a minute. */
const aMinute = 60_000 / historyBucketMs;

/** Into so many parts a scale is divided that the labels of contrib, which have two decimals below 1 and none above, are exact. */
export function labelsUpTo(top: number): number {
  const isExact = (parts: number): boolean => {
    const part = top / parts;
    return Math.abs(Number(part.toFixed(part < 1 ? 2 : 0)) - part) < 1e-9;
  };
  return [5, 4, 3, 2].find(isExact) ?? 1;
}

/** Dots of a ring from its outer to its inner edge. */
const thickness = 3;
/** Contrib draws 370 points for a ring, and a share of 360. */
const wholeRing = 370 / 360;

function donutsOf(element: DonutElement): Pick<Shown, 'element' | 'draw'> {
  return {
    element,
    draw: (widget, drawing) => {
      const { rect, donuts } = widget as DonutsWidget;
      Object.assign(element.options, {
        // The ring, a row for its name below it, and no more.
        radius: Math.min(2 * rect.height - 3, Math.floor((rect.width * dotsAcross) / donuts.length / 2) - 2),
        yPadding: 3,
        arcWidth: thickness,
        fill: 'normal',
        remainColor: inkColour('unknown', drawing),
      });
      // Its own puts text to the right of the middle.
      element.ctx.measureText = text => ({ width: dotsAcross * text.length + 6 });
      element.setData(
        donuts.map(({ name, share, text, tone }) => ({
          label: name,
          percent: share * wholeRing > 1 ? share * wholeRing * 100 : share * wholeRing,
          percentAltNumber: { toFixed: () => text },
          color: drawing.theme.tones[tone].fg as number,
        })),
      );
    },
  };
}
