import type { CanvasElement, DotContext } from 'blessed-contrib/lib/widget/canvas.js';
import type { Drawing } from '../drawing.ts';
import type { Rect } from '../layout.ts';
import { type Curve, dotsAcross, dotsDown, type Plot } from '../views/curves.ts';
import type { OpenScreen } from './openScreen.ts';
import { renderOnChange } from './renderOnChange.ts';
import { boxStyle, inkColour } from './sgr.ts';

type MakeCanvas = typeof import('blessed-contrib/lib/widget/canvas.js')['default'];

export interface PlotCanvases {
  /** Draws the plots of a panel over it (null: none); true when the screen must be drawn. */
  draw(panel: Rect | null, plots: readonly Plot[], drawing: Drawing): boolean;
  /** What lies below was drawn again. */
  mark(): void;
}

/**
 * Curves in braille, on blessed-contrib's canvas. It is loaded when the first curve is to be drawn, so that the first
 * picture need not wait for it; `whenLoaded` is called when the curves that were waiting are there.
 */
export function plotCanvases({ screen }: OpenScreen, whenLoaded: () => void): PlotCanvases {
  let make: MakeCanvas | 'loading' | null = null;
  /** Used again and again. */
  const canvases: { element: CanvasElement; mark: () => void }[] = [];
  let shown = 0;
  let wanted: { panel: Rect | null; plots: readonly Plot[]; drawing: Drawing } | null = null;

  const load = async (): Promise<void> => {
    const { default: loaded } = await import('blessed-contrib/lib/widget/canvas.js');
    make = loaded;
    if (!wanted || (screen as { destroyed?: boolean }).destroyed) return;
    drawNow(loaded, wanted.panel, wanted.plots, wanted.drawing);
    whenLoaded();
  };

  const drawNow = (canvas: MakeCanvas, panel: Rect | null, plots: readonly Plot[], drawing: Drawing): void => {
    while (canvases.length < plots.length) canvases.push(addCanvas(canvas));
    for (const [i, each] of canvases.entries()) {
      each.element.hide();
      each.mark();
      const plot = plots[i];
      if (!panel || !plot) continue;
      const { rect, curves } = plot;
      Object.assign(each.element.position, {
        left: panel.left + rect.left,
        top: panel.top + rect.top,
        width: rect.width,
        height: rect.height,
      });
      each.element.style = boxStyle(drawing);
      each.element.show();
      // What contrib does when its size changes: it begins with an empty picture.
      each.element.emit('attach');
      for (const curve of curves) drawCurve(each.element.ctx, curve, drawing);
      each.element.setContent(each.element.ctx._canvas.frame('\n'));
    }
    shown = panel ? plots.length : 0;
  };

  const addCanvas = (canvas: MakeCanvas): { element: CanvasElement; mark: () => void } => {
    const element = canvas({ width: 1, height: 1, wrap: false, hidden: true } as Parameters<MakeCanvas>[0]);
    // Its own size leaves room for a border; its own render makes the picture anew each time that anything is drawn.
    element.calcSize = () => {
      element.canvasSize = { width: Number(element.width) * dotsAcross, height: Number(element.height) * dotsDown };
    };
    element.render = () => element._render();
    screen.append(element);
    return { element, mark: renderOnChange(element) };
  };

  return {
    mark: () => {
      for (const { mark } of canvases) mark();
    },
    draw: (panel, plots, drawing) => {
      wanted = { panel, plots, drawing };
      if (plots.length === 0 && shown === 0) return false;
      if (make === 'loading') return false;
      if (make === null) {
        make = 'loading';
        void load();
        return false;
      }
      drawNow(make, panel, plots, drawing);
      return true;
    },
  };
}

function drawCurve(context: DotContext, { colour, parts }: Curve, drawing: Drawing): void {
  context.strokeStyle = inkColour(colour, drawing) ?? 'normal';
  for (const part of parts) {
    context.beginPath();
    for (const [i, [x, y]] of part.entries()) {
      if (i === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    // A single point has no line.
    if (part.length === 1) context.lineTo(...(part[0] as [number, number]));
    context.stroke();
  }
}
