import type { Drawing } from '../drawing.ts';
import { type Line, type Segment, seg } from './line.ts';

/** Dots of a braille character. */
export const dotsAcross = 2;
export const dotsDown = 4;

/** Bits of a braille character, by column and row of the dot. */
const bits = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

type Style = Segment['style'];

interface Cell {
  dots: number;
  /** Where there is no braille, and for what is written. */
  text: string;
  style: Style;
  rank: number;
}

/**
 * A picture in cells: dots of braille, or letters where there is none, and signs over them. A cell has one style: that of the highest rank drawn
 * in it, of equals the last.
 */
export class Raster {
  readonly width: number;
  readonly height: number;
  readonly #cells: Cell[];

  /** In columns and rows. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#cells = Array.from({ length: width * height }, () => ({ dots: 0, text: ' ', style: 'plain', rank: 0 }));
  }

  /** A dot; outside it draws nothing. @param letter what stands for it where there is no braille */
  dot(x: number, y: number, { letter, style, rank }: { letter: string; style: Style; rank: number }): void {
    const cell = this.#at(Math.floor(x / dotsAcross), Math.floor(y / dotsDown));
    if (!cell) return;
    cell.dots |= bits[x % dotsAcross]![y % dotsDown]!;
    if (rank < cell.rank) return;
    Object.assign(cell, { text: letter, style, rank });
  }

  /** Dots from one place to another, without a gap. */
  stroke(x0: number, y0: number, x1: number, y1: number, pen: { letter: string; style: Style; rank: number }): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let i = 0; i <= steps; i++)
      this.dot(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps), pen);
  }

  /** A sign in place of what is drawn there; `below`: only where nothing is. */
  sign(column: number, row: number, text: string, style: Style, below = false): void {
    const cell = this.#at(column, row);
    if (!cell || (below && (cell.dots !== 0 || cell.rank > 0))) return;
    Object.assign(cell, { dots: 0, text, style, rank: below ? 0 : Number.POSITIVE_INFINITY });
  }

  /** Rows of the picture; neighbours of one style are one piece. */
  lines({ unicode }: Pick<Drawing, 'unicode'>): Line[] {
    return Array.from({ length: this.height }, (_, row) => {
      const pieces: Segment[] = [];
      for (let column = 0; column < this.width; column++) {
        const { dots, text, style } = this.#at(column, row)!;
        const shown = unicode && dots !== 0 ? String.fromCharCode(0x2800 + dots) : text;
        const last = pieces.at(-1);
        if (last && isSameStyle(last.style, style)) last.text += shown;
        else pieces.push({ ...seg(shown, style) });
      }
      return pieces;
    });
  }

  #at(column: number, row: number): Cell | undefined {
    if (column < 0 || column >= this.width || row < 0 || row >= this.height) return undefined;
    return this.#cells[row * this.width + column];
  }
}

const isSameStyle = (a: Style, b: Style): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : a.fg === b.fg && a.bg === b.bg;
