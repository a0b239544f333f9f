import { PassThrough } from 'node:stream';
import type { Widgets } from 'blessed';
import { chooseDrawing, type Drawing, type Environment } from '../drawing.ts';
import type { Rect } from '../layout.ts';
import { withoutAnswers } from '../terminalPicture/askTerminal.ts';

/** The terminal that the console is shown on. */
export interface TerminalStreams {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  environment: Readonly<Record<string, string | undefined>>;
}

/** Of blessed, what its types leave out. */
interface Inner {
  program: {
    removeAllListeners(event: string): void;
    on(event: string, listener: () => void): void;
    setMouse(modes: Record<string, boolean>, enable: boolean): void;
    enableMouse(): void;
    disableMouse(): void;
    normalBuffer(): void;
    alternateBuffer(): void;
    showCursor(): void;
    hideCursor(): void;
    flush(): void;
    _owrite(text: string): boolean;
    _write(text: string): boolean;
    tput: { brokenACS: boolean };
  };
  alloc(): void;
  enableMouse(): void;
  /** What is to be on the screen, and what blessed takes it to show: of each cell its look and its sign. */
  lines: ([number, string][] & { dirty: boolean })[];
  olines: [number, string][][];
}

export interface OpenScreen {
  screen: Widgets.Screen;
  box: (options: Widgets.BoxOptions) => Widgets.BoxElement;
  /** The window has another size: nothing of the old one stays. */
  resized(): void;
  /** Writes what blessed knows nothing of, in turn with what it writes. */
  write(text: string): void;
  /** Cells that something else was drawn over: the next drawing writes them, whatever they were. */
  spoil(cells: Rect): void;
  /** The terminal has not taken yet what was written. */
  isBusy(): boolean;
  /** Gives the terminal to another program; what is returned takes it back. */
  lend(): () => void;
  /** Restores the terminal. May be called more than once. */
  close(): void;
}

export interface ScreenOptions {
  drawing: Drawing;
  /** What was typed before, one character a byte. */
  typed?: string;
  /** The terminal shows frames as a whole (mode 2026). */
  synchronised?: boolean;
}

/**
 * Takes over the terminal: alternate screen, raw keys, mouse buttons.
 * blessed's own handlers of signals and errors are taken away: they would end the process with code 0. Its handler of `exit`
 * stays, and restores the terminal however the process ends.
 */
export async function openScreen(
  { input, output, environment }: TerminalStreams,
  { drawing, typed = '', synchronised = false }: ScreenOptions,
): Promise<OpenScreen> {
  const { default: blessed } = await import('blessed');
  const before = new Map(handled.map(event => [event, process.listeners(event as 'SIGTERM')]));
  const keys = typedKeys(input);
  const screen = blessed.screen({
    input: keys.stream,
    output,
    terminal: terminalName(environment),
    forceUnicode: drawing.unicode,
    warnings: false,
    cursor: { artificial: false, shape: 'block', blink: false, color: '' },
    title: 'phorest',
  } as Widgets.IScreenOptions);
  for (const event of handled) {
    for (const listener of process.listeners(event as 'SIGTERM')) {
      if (!before.get(event)?.includes(listener)) process.removeListener(event, listener);
    }
  }
  const inner = screen as unknown as Inner;
  const { program } = inner;
  if (synchronised) {
    const write = program._owrite.bind(program);
    // The terminal shows what is between as one.
    program._owrite = text => write(`\u001b[?2026h${text}\u001b[?2026l`);
  }
  // Line drawing goes out as it is; the alternate character set breaks in mosh and tmux.
  program.tput.brokenACS = true;
  // Buttons, wheel and drags only: a report for every move of the pointer would flood a slow line.
  program.enableMouse = () => program.setMouse({ vt200Mouse: true, cellMotion: true, sgrMouse: true }, true);
  // blessed would draw the old layout into the new size first.
  program.removeAllListeners('resize');
  const hasMouse = !environment.TERM?.startsWith('linux');
  if (hasMouse) inner.enableMouse();
  if (!input.isRaw) input.setRawMode(true);
  input.resume();
  // Whoever listens to keys begins right after this.
  setImmediate(() => keys.take(typed));
  let isOpen = true;
  let takeBack: (() => void) | null = null;
  return {
    screen,
    box: options => blessed.box(options),
    resized: () => inner.alloc(),
    write: text => {
      if (text !== '') program._write(text);
    },
    spoil: ({ left, top, width, height }) => {
      for (let row = top; row < top + height; row++) {
        for (const cell of inner.olines[row]?.slice(left, left + width) ?? []) cell[1] = '';
        if (inner.lines[row]) inner.lines[row].dirty = true;
      }
    },
    isBusy: () => output.writableNeedDrain,
    lend: () => {
      program.normalBuffer();
      program.showCursor();
      program.disableMouse();
      program.flush();
      input.setRawMode(false);
      input.pause();
      takeBack = () => {
        takeBack = null;
        input.setRawMode(true);
        input.resume();
        program.alternateBuffer();
        program.hideCursor();
        if (hasMouse) program.enableMouse();
        inner.alloc();
      };
      return () => takeBack?.();
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      try {
        takeBack?.();
        screen.destroy();
        keys.close();
      } catch (error) {
        // A terminal that has hung up can't be restored, and needs not be.
        if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      }
    },
  };
}

/** What is typed, for blessed, which would take an answer of the terminal that comes late for keys. */
function typedKeys(input: NodeJS.ReadStream): {
  stream: NodeJS.ReadStream;
  take: (text: string) => void;
  close: () => void;
} {
  const keys = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (raw: boolean) => input.setRawMode(raw) });
  Object.defineProperty(keys, 'isRaw', { get: () => input.isRaw });
  const take = (text: string): void => {
    // With a report of the mouse blessed drops what was typed in the same moment.
    for (const piece of withoutAnswers(text).split(mouseReport))
      if (piece !== '') keys.emit('data', Buffer.from(piece, 'latin1'));
  };
  const hear = (bytes: Buffer): void => take(bytes.toString('latin1'));
  input.on('data', hear);
  return {
    stream: keys as unknown as NodeJS.ReadStream,
    take,
    close: () => {
      input.off('data', hear);
      if (!input.destroyed) input.pause();
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: reports of terminals begin with it.
const mouseReport = /(\u001b\[<[\d;]+[Mm])/;

const handled = ['uncaughtException', 'SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * A terminal that blessed knows: it prints an error for the descriptions of screen and tmux, which take what xterm takes.
 */
function terminalName(environment: Environment): string {
  const term = environment.TERM ?? '';
  if (term.startsWith('linux')) return 'linux';
  return chooseDrawing(environment).colours === 256 || /256/.test(term) ? 'xterm-256color' : 'xterm';
}
