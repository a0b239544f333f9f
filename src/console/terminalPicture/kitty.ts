import { deflateSync } from 'node:zlib';
import type { GreyPicture } from '../../model/framePicture.ts';
import { markColours } from './markColours.ts';

/** The protocol takes so much in one escape sequence, characters. */
const pieceLength = 4096;

/** The numbers by which the terminal knows two pictures: that which is on the screen and that which takes its place once it has come whole. */
export type ImageIds = readonly [shown: number, next: number];

/** Programs in two panes of tmux share the pictures of its terminal: each has two numbers of its own, of those that a placeholder can have as its colour. */
export const imageIdsOf = (pid: number): ImageIds => {
  const first = 16 + 2 * (pid % 120);
  return [first, first + 1];
};

interface Cells {
  columns: number;
  rows: number;
}

/** A picture by the graphics protocol of kitty, drawn over so many cells from the cursor on, which stays where it is, in the place of the one shown. */
export function kitty(picture: GreyPicture, { columns, rows }: Cells, [shown, next]: ImageIds): string {
  return [...transmitted(picture, next, `a=T,p=1,C=1,c=${columns},r=${rows}`), kittyEnd(shown)].join('');
}

/**
 * The same within tmux, which hands the picture through and knows nothing of it: the terminal draws it where it finds placeholders, which are
 * text to tmux. Draws from the cursor on, and ends in the last row.
 */
export const kittyThroughTmux = (picture: GreyPicture, cells: Cells, [shown, next]: ImageIds): string =>
  [
    ...transmitted(picture, next, `a=T,U=1,c=${cells.columns},r=${cells.rows}`).map(throughTmux),
    placeholders(cells, next),
    throughTmux(kittyEnd(shown)),
  ].join('');

/** Where the picture is drawn within tmux. */
export function placeholders({ columns, rows }: Cells, id: number): string {
  const line = (row: number): string =>
    `\u001b[38;5;${id}m${placeholder}${String.fromCodePoint(rowMarks[row] as number)}${placeholder.repeat(columns - 1)}\u001b[39m`;
  const back = `\u001b[${columns}D\u001b[1B`;
  return Array.from({ length: rows }, (_, row) => line(row)).join(back);
}

/** Draws a picture that the terminal has again, from the cursor on. */
export const kittyAgain = ({ columns, rows }: Cells, id: number): string =>
  `\u001b_Ga=p,p=1,C=1,c=${columns},r=${rows},i=${id},q=2\u001b\\`;

/** Takes a picture off the screen; the terminal keeps it, until `kittyEnd`. */
export const kittyHide = (id: number): string => `\u001b_Ga=d,d=i,i=${id},q=2\u001b\\`;

/** Takes a picture away. */
export const kittyEnd = (id: number): string => `\u001b_Ga=d,d=I,i=${id},q=2\u001b\\`;

/** An escape sequence that tmux hands on to the terminal that it runs in, where its `allow-passthrough` is on. */
export const throughTmux = (sequence: string): string =>
  `\u001bPtmux;${sequence.replaceAll('\u001b', '\u001b\u001b')}\u001b\\`;

function transmitted({ width, height, grey, marks }: GreyPicture, id: number, how: string): string[] {
  const colours = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) {
    const colour = markColours.get(marks?.[i] ?? 0);
    if (colour) colours.set(colour, 3 * i);
    else colours.fill(grey[i] as number, 3 * i, 3 * i + 3);
  }
  const data = deflateSync(colours, { level: 3 }).toString('base64');
  const pieces = data.match(new RegExp(`.{1,${pieceLength}}`, 'g')) ?? [];
  return pieces.map((piece, i) => {
    const more = i < pieces.length - 1 ? 1 : 0;
    const keys = i === 0 ? `${how},i=${id},f=24,o=z,s=${width},v=${height},` : '';
    return `\u001b_G${keys}q=2,m=${more};${piece}\u001b\\`;
  });
}

const placeholder = '\u{10EEEE}';

/** The mark on a placeholder that says which row of the picture it shows, from 0; the protocol lists them. More rows are not drawn. */
const rowMarks = [
  0x305, 0x30d, 0x30e, 0x310, 0x312, 0x33d, 0x33e, 0x33f, 0x346, 0x34a, 0x34b, 0x34c, 0x350, 0x351, 0x352, 0x357, 0x35b,
  0x363, 0x364, 0x365, 0x366, 0x367, 0x368, 0x369, 0x36a, 0x36b, 0x36c, 0x36d, 0x36e, 0x36f, 0x483, 0x484, 0x485, 0x486,
  0x487, 0x592, 0x593, 0x594, 0x595, 0x597, 0x598, 0x599, 0x59c, 0x59d, 0x59e, 0x59f, 0x5a0, 0x5a1, 0x5a8, 0x5a9, 0x5ab,
  0x5ac, 0x5af, 0x5c4, 0x610, 0x611, 0x612, 0x613, 0x614, 0x615,
];

export const maxPlaceholderRows = rowMarks.length;
