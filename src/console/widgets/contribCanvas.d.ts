/** blessed-contrib types its index only; loading that would load every widget, maps and all. */
declare module 'blessed-contrib/lib/widget/canvas.js' {
  import type { Widgets } from 'blessed';

  /** What drawille's context offers and we use: straight lines in braille dots. */
  export interface DotContext {
    strokeStyle: number | 'normal';
    beginPath(): void;
    moveTo(x: number, y: number): void;
    lineTo(x: number, y: number): void;
    stroke(): void;
    _canvas: { frame(delimiter?: string): string };
  }

  export interface CanvasElement extends Widgets.BoxElement {
    ctx: DotContext;
    canvasSize: { width: number; height: number };
    calcSize(): void;
    render(): unknown;
    _render(): unknown;
  }

  export default function canvas(options: Widgets.BoxOptions): CanvasElement;
}
