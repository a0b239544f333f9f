/** blessed-contrib types its index only; loading that would load every widget, maps and all. */
declare module 'blessed-contrib/lib/widget/charts/line.js' {
  import type { ContribElement } from 'blessed-contrib/lib/widget/canvas.js';

  export interface LineElement extends ContribElement {
    setData(curves: readonly { x: readonly string[]; y: readonly number[]; style: { line: number } }[]): void;
  }

  export default function line(options: object): LineElement;
}

declare module 'blessed-contrib/lib/widget/donut.js' {
  import type { ContribElement } from 'blessed-contrib/lib/widget/canvas.js';

  /** `percent`: above 1.001 it is of a hundred. `percentAltNumber`: what is written in the ring, by its `toFixed`. */
  export interface DonutElement extends ContribElement {
    setData(
      rings: readonly { percent: number; label: string; color: number; percentAltNumber: { toFixed(): string } }[],
    ): void;
  }

  export default function donut(options: object): DonutElement;
}

declare module 'blessed-contrib/lib/widget/canvas.js' {
  import type { Widgets } from 'blessed';

  /** What an element of blessed-contrib has besides that of blessed; colours are `normal` or of the 256-colour table. */
  export interface ContribElement extends Widgets.BoxElement {
    ctx: {
      fillStyle: number | 'normal';
      fillText(text: string, x: number, y: number): void;
      measureText(text: string): { width: number };
      _canvas: { frame(delimiter?: string): string };
    };
    /** In dots. */
    canvasSize: { width: number; height: number };
    calcSize(): void;
    render(): unknown;
    _render(): unknown;
  }
}
