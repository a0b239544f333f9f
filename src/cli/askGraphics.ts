import { chooseDrawing } from '../console/drawing.ts';
import { type TerminalPicture, terminalPicture } from '../console/terminalPicture/terminalPicture.ts';
import { askOwnTerminal } from './askOwnTerminal.ts';
import type { CommandContext } from './commandDefinition.ts';

/** How the terminal shows pictures. */
export interface AskedGraphics {
  /** It has no pictures, and shows them in blocks of text. */
  isText: boolean;
  picture: TerminalPicture;
  /** Pixels of a row of text. */
  cellHeight: number;
}

/** Asks the terminal of a command that prints and ends; what is typed meanwhile is lost. */
export async function askGraphics({ output, environment }: CommandContext): Promise<AskedGraphics> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  try {
    const graphics = await askOwnTerminal(
      text => output.draw(text),
      environment,
      () => undefined,
    );
    return {
      isText: graphics.way === 'blocks',
      picture: terminalPicture(graphics, chooseDrawing(environment)),
      cellHeight: graphics.cell.height,
    };
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
