import type { GreyPicture } from '../../model/framePicture.ts';
import type { Drawing } from '../drawing.ts';
import { sgr } from '../widgets/sgr.ts';
import type { TerminalGraphics } from './askTerminal.ts';
import { greyBlocks } from './greyBlocks.ts';
import {
  type ImageIds,
  kitty,
  kittyAgain,
  kittyEnd,
  kittyHide,
  kittyThroughTmux,
  maxPlaceholderRows,
  placeholders,
  throughTmux,
} from './kitty.ts';
import { sixel } from './sixel.ts';

/** A part of the screen, cells. */
export interface Space {
  columns: number;
  rows: number;
}

/** Pictures that follow each other have one and the other, in turn. */
export type Turn = 0 | 1;

/** Pictures in a terminal, in the best way that it has. */
export interface TerminalPicture {
  /** So many pixels a picture may have at most, to fit into a space. */
  pixels(space: Space): { width: number; height: number };
  /** The part of the screen that a picture takes. */
  cells(picture: { width: number; height: number }): Space;
  /**
   * What draws a picture of at most those pixels from the cursor on, and takes the place of the last one. Where the cursor is then is not said.
   * @param turn other than that of the last one where that is to be seen until this one has come whole
   */
  draw(picture: GreyPicture, turn?: Turn): string;
  /** What draws the last picture again after it was taken off, where the terminal kept it; null where it has to be sent anew. */
  drawAgain(picture: { width: number; height: number }, turn: Turn): string | null;
  /** What takes the last one off the screen where writing over it does not; and what also makes the terminal forget it. */
  readonly hide: string;
  readonly end: string;
}

/** A sixel is about two bytes a pixel: more would take long over a network. */
const maxSixelPixels = 400_000;
/** kitty takes larger ones; nobody sees more in a window. */
const maxKittySide = 1024;

/** @param drawing what the terminal can show as text, where it has no pictures */
export function terminalPicture(
  { way, cell, registers, maxSize, imageIds }: TerminalGraphics,
  drawing: Pick<Drawing, 'unicode' | 'colours' | 'theme'>,
): TerminalPicture {
  const inCells = ({ width, height }: { width: number; height: number }): Space => ({
    columns: Math.max(1, Math.round(width / cell.width)),
    rows: Math.max(1, Math.round(height / cell.height)),
  });
  const inPixels = ({ columns, rows }: Space, maxRows = rows) => ({
    width: columns * cell.width,
    height: Math.min(rows, maxRows) * cell.height,
  });
  const idsOf = (turn: Turn): ImageIds => (turn === 0 ? [imageIds[1], imageIds[0]] : imageIds);
  const end = imageIds.map(kittyEnd);
  switch (way) {
    case 'kitty':
      return {
        pixels: space => capped(inPixels(space), maxKittySide),
        cells: inCells,
        draw: (picture, turn = 0) => kitty(picture, inCells(picture), idsOf(turn)),
        drawAgain: (picture, turn) => kittyAgain(inCells(picture), imageIds[turn]),
        hide: imageIds.map(kittyHide).join(''),
        end: end.join(''),
      };
    case 'kitty through tmux':
      return {
        pixels: space => capped(inPixels(space, maxPlaceholderRows), maxKittySide),
        cells: inCells,
        draw: (picture, turn = 0) => kittyThroughTmux(picture, inCells(picture), idsOf(turn)),
        drawAgain: (picture, turn) => placeholders(inCells(picture), imageIds[turn]),
        hide: '',
        end: end.map(throughTmux).join(''),
      };
    case 'sixel':
      return {
        // Below the last row of cells the terminal would scroll.
        pixels: ({ columns, rows }) => {
          const { width, height } = inPixels({ columns, rows: Math.max(1, rows - 1) });
          const side = Math.sqrt(maxSixelPixels);
          return {
            width: Math.min(width, maxSize.width, 1.25 * side),
            height: Math.min(height, maxSize.height, side / 1.25),
          };
        },
        cells: ({ width, height }) => ({
          columns: Math.ceil(width / cell.width),
          rows: Math.ceil(height / cell.height),
        }),
        draw: picture => sixel(picture, registers),
        drawAgain: () => null,
        hide: '',
        end: '',
      };
    case 'blocks':
      return {
        pixels: ({ columns, rows }) => ({ width: columns, height: 2 * rows }),
        cells: ({ width, height }) => ({ columns: width, rows: Math.ceil(height / 2) }),
        draw: picture => {
          const lines = greyBlocks(picture, drawing).map(line => sgr(line, drawing));
          return lines.join(`\u001b[${picture.width}D\u001b[1B`);
        },
        drawAgain: () => null,
        hide: '',
        end: '',
      };
  }
}

const capped = ({ width, height }: { width: number; height: number }, side: number) => ({
  width: Math.min(width, side),
  height: Math.min(height, side),
});
