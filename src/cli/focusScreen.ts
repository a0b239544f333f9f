import { chooseDrawing } from '../console/drawing.ts';
import { type Turn, terminalPicture } from '../console/terminalPicture/terminalPicture.ts';
import { sparkline } from '../console/views/bars.ts';
import { cleanText } from '../console/views/cleanText.ts';
import type { FrameTrend } from '../image/frameTrend.ts';
import type { MeasuredFrame } from '../image/measureFrame.ts';
import { drawFrame } from '../image/reducedFrame.ts';
import { askOwnTerminal, listenTo } from './askOwnTerminal.ts';
import type { CommandContext } from './commandDefinition.ts';
import { focusWords } from './frameWords.ts';

/** The whole terminal, while somebody focuses: the figures above, the picture below. */
export interface FocusScreen {
  show(measured: MeasuredFrame, trend: FrameTrend): void;
  /** A message, below the figures until the next one. */
  say(message: string): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

const begin = '\u001b[?1049h\u001b[?25l\u001b[2J';
const end = '\u001b[?25h\u001b[?1049l';
/** Rows above the picture. */
const headRows = 5;

/** @param onStop told of `q` and Ctrl-C, which the terminal does not make signals of meanwhile */
export async function openFocusScreen(
  { output, environment }: CommandContext,
  title: string,
  onStop: () => void,
): Promise<FocusScreen> {
  const { stdin } = process;
  const drawing = chooseDrawing(environment);
  const onTyped = (text: string): void => {
    // An answer that comes late is no key.
    if (text.includes('\u0003') || (text.includes('q') && !text.includes('\u001b'))) onStop();
  };
  stdin.setRawMode(true);
  stdin.resume();
  output.draw(begin);
  const giveBack = (): void => {
    output.draw(end);
    stdin.setRawMode(false);
    stdin.pause();
  };
  const graphics = await askOwnTerminal(text => output.draw(text), environment, onTyped).catch((error: unknown) => {
    giveBack();
    throw error;
  });
  const picture = terminalPicture(graphics, drawing);
  const deaf = listenTo(stdin, onTyped);
  let drawnSize = '';
  let turn: Turn = 0;
  let message = '';
  const row = (at: number, text: string): string =>
    `\u001b[${at};1H${cleanText(text, drawing).slice(0, output.width)}\u001b[K`;
  return {
    show: (measured, trend) => {
      const { columns, rows } = output.size;
      const small = drawFrame(measured.reduced, picture.pixels({ columns, rows: Math.max(1, rows - headRows) }));
      const size = `${columns} ${rows} ${small.width} ${small.height}`;
      const cleared = size === drawnSize ? '' : `${picture.end}\u001b[2J`;
      drawnSize = size;
      turn = turn === 0 ? 1 : 0;
      const spark = sparkline(trend.sharpness.history, Math.min(60, columns - 20), drawing);
      const [sharp, light] = focusWords(measured, trend);
      const head = [sharp, `last frames ${spark}`, light, message === '' ? title : message];
      output.draw(
        `${cleared}${head.map((text, i) => row(i + 1, text)).join('')}\u001b[${headRows + 1};1H${picture.draw(small, turn)}`,
      );
    },
    say: text => {
      message = text;
      output.draw(row(headRows - 1, text));
    },
    close: () => {
      deaf();
      output.draw(picture.end);
      giveBack();
    },
  };
}
