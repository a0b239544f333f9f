import type { Rgb } from '../theme/contrast.ts';
import { type ImageIds, imageIdsOf, throughTmux } from './kitty.ts';

/** How a terminal shows pictures. */
export interface TerminalGraphics {
  way: 'kitty' | 'kitty through tmux' | 'sixel' | 'blocks';
  /** Of one cell, pixels. */
  cell: { width: number; height: number };
  /** Colours of sixel pictures. */
  registers: number;
  /** The largest sixel picture, pixels. */
  maxSize: { width: number; height: number };
  /** Pictures that kitty keeps. */
  imageIds: ImageIds;
}

/** All that a terminal tells of itself. */
export interface TerminalAnswers extends TerminalGraphics {
  /** Its background; null where it does not tell. */
  background: Rgb | null;
  /** It can show a frame as a whole (mode 2026), so that none is seen half drawn. */
  synchronised: boolean;
}

/** The terminal's two ends, in raw mode: what is typed, and its answers, come unchanged. */
export interface TerminalEnds {
  write(text: string): void;
  /** Tells of what comes in; returns what ends it. */
  listen(onText: (text: string) => void): () => void;
}

/** What tmux says of the terminal that it is shown on. */
export interface OuterTerminal {
  /** Its kind, as its TERM says. */
  name: string;
  /** Of one cell, pixels; null where tmux does not know it. */
  cell: { width: number; height: number } | null;
}

export interface AskTerminalOptions {
  /** Of the window, cells: from the size of its largest picture follows how large a cell is, where the terminal does not say it. */
  size?: { columns: number; rows: number } | undefined;
  environment: Readonly<Record<string, string | undefined>>;
  /** It is asked for so long at most, ms: a slow network, or a terminal that says nothing. */
  timeoutMs: number;
  /** Of this process. */
  pid: number;
  /** The terminal that tmux is shown on now, asked of tmux; null when it does not tell. */
  outerTerminal: () => Promise<OuterTerminal | null>;
}

/** Terminals that are known to answer nothing, and to print what they are asked. */
const mute = /^(dumb|linux|cons25|vt52|emacs|eterm.*|)$/i;
/** Those that draw where tmux has placeholders. */
const placeholderTerminals = /kitty|ghostty/i;

const unknown = { cell: { width: 10, height: 20 }, registers: 16, maxSize: { width: 1000, height: 1000 } };

/**
 * Asks a terminal for its background, whether it shows frames as a whole, and how it shows pictures: whether it knows the graphics protocol of kitty, else sixels; how large a cell is, how many colours a
 * sixel picture has and how large it may be. The last question is one that every terminal answers. Within tmux, which answers for
 * itself, the terminal behind it is asked for kitty's protocol, through tmux where that lets it.
 *
 * What is no answer in what comes in meanwhile was typed: `onTyped` is told.
 */
export async function askTerminal(
  { write, listen }: TerminalEnds,
  { environment, timeoutMs, pid, outerTerminal, size }: AskTerminalOptions,
  onTyped: (text: string) => void = () => undefined,
): Promise<TerminalAnswers> {
  const imageIds = imageIdsOf(pid);
  if (mute.test(environment.TERM ?? '')) return { ...answersOf('', false, {}), imageIds };
  const isTmux = Boolean(environment.TMUX);
  const outer = isTmux ? await outerTerminal() : null;
  const isBehindTmux = placeholderTerminals.test(outer?.name ?? '');
  let said = '';
  const answered = Promise.withResolvers<void>();
  const timer = setTimeout(() => answered.resolve(), timeoutMs);
  const stop = listen(text => {
    said += text;
    // The terminal behind tmux answers after tmux itself, or never.
    if (deviceAttributes.test(said) && (!isBehindTmux || kittyAnswer.test(said))) answered.resolve();
  });
  const first = isTmux ? (isBehindTmux ? throughTmux(kittyQuestion('U=1,')) : '') : kittyQuestion('');
  write(`${first}\u001b]11;?\u001b\\\u001b[?2026$p\u001b[16t\u001b[?1;1;0S\u001b[?2;1;0S\u001b[c`);
  await answered.promise;
  clearTimeout(timer);
  stop();
  onTyped(withoutAnswers(said));
  return { ...answersOf(said, isTmux, { size, outer }), imageIds };
}

/** What was typed, of what came in: an answer that comes late is no key. */
export const withoutAnswers = (said: string): string =>
  said.includes('\u001b') ? answers.reduce((rest, answer) => rest.replaceAll(new RegExp(answer, 'g'), ''), said) : said;

/** A version that does not know a key, such as that of placeholders, does not answer. */
const kittyQuestion = (keys: string): string => `\u001b_Gi=31,s=1,v=1,a=q,${keys}t=d,f=24;AAAA\u001b\\`;

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: answers of terminals begin with them.
const kittyAnswer = /\u001b_Gi=31;([^\u001b]*)\u001b\\/;
const deviceAttributes = /\u001b\[\?([\d;]*)c/;
const cellSize = /\u001b\[6;(\d+);(\d+)t/;
const colourRegisters = /\u001b\[\?1;0;(\d+)S/;
const largestSixel = /\u001b\[\?2;0;(\d+);(\d+)S/;
const backgroundAnswer = /\u001b\]11;rgba?:([\da-f]+)\/([\da-f]+)\/([\da-f]+)[^\u0007\u001b]*(?:\u0007|\u001b\\)/i;
const synchronisedAnswer = /\u001b\[\?2026;(\d)\$y/;
const refusedQuestion = /\u001b\[\?[12];[123][\d;]*S/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above.
const answers = [
  backgroundAnswer,
  synchronisedAnswer,
  kittyAnswer,
  deviceAttributes,
  cellSize,
  colourRegisters,
  largestSixel,
  refusedQuestion,
];

/** What the answers of a terminal mean. */
function answersOf(
  said: string,
  isTmux: boolean,
  { size, outer }: { size?: AskTerminalOptions['size']; outer?: OuterTerminal | null },
): Omit<TerminalAnswers, 'imageIds'> {
  const attributes = deviceAttributes.exec(said)?.[1]?.split(';') ?? [];
  const hasKitty = kittyAnswer.exec(said)?.[1] === 'OK';
  const sizeOf = (answer: RegExp, least: number): [number, number] | null => {
    const [first, second] = (answer.exec(said) ?? []).slice(1, 3).map(Number);
    return first !== undefined && second !== undefined && first >= least && second >= least ? [first, second] : null;
  };
  const largest = sizeOf(largestSixel, 16);
  const [maxWidth, maxHeight] = largest ?? [unknown.maxSize.width, unknown.maxSize.height];
  const way = hasKitty
    ? isTmux
      ? 'kitty through tmux'
      : 'kitty'
    : attributes.slice(1).includes('4')
      ? 'sixel'
      : 'blocks';
  // A sixel picture is as large as its pixels, whatever the cells: one that is too large would cover what is beside it.
  const guessed =
    outer?.cell ?? (way !== 'sixel' ? unknown.cell : largest && size ? cellWithin(largest, size) : smallCell);
  const [height, width] = sizeOf(cellSize, 2) ?? [guessed.height, guessed.width];
  return {
    way,
    cell: { width, height },
    registers: Number(colourRegisters.exec(said)?.[1] ?? unknown.registers) || unknown.registers,
    maxSize: { width: maxWidth, height: maxHeight },
    background: backgroundOf(said),
    // Set or reset; what is set or reset for good can't be used.
    synchronised: ['1', '2'].includes(synchronisedAnswer.exec(said)?.[1] ?? ''),
  };
}

/** Cells are seldom smaller. */
const smallCell = { width: 6, height: 12 };

/** xterm does not tell the size of a cell unless it may, but a picture is at most as large as its window. */
function cellWithin([width, height]: [number, number], { columns, rows }: { columns: number; rows: number }) {
  return { width: Math.max(4, Math.floor(width / columns)), height: Math.max(8, Math.floor(height / rows)) };
}

/** Each part has one to four digits, of which all `f` are full light. */
function backgroundOf(said: string): Rgb | null {
  const parts = backgroundAnswer.exec(said)?.slice(1, 4);
  if (!parts) return null;
  return parts.map(digits => Math.round((255 * Number.parseInt(digits, 16)) / (16 ** digits.length - 1))) as [
    number,
    number,
    number,
  ];
}
