/** What the terminal can show, chosen from its environment. Every sign is one column wide. */
export interface Drawing {
  /** False: only ASCII is drawn. */
  unicode: boolean;
  /** Colours that may be used: 0 with `NO_COLOR`. */
  colours: 0 | 8 | 256;
  rule: string;
  vertical: string;
  /** Top left, top right, bottom left, bottom right. */
  corners: readonly [string, string, string, string];
  ellipsis: string;
  /** Between words that belong side by side. */
  dot: string;
  /** A filled and an empty part of a bar. */
  filled: string;
  empty: string;
  /** Levels of a sparkline, lowest first; the first is nothing at all. */
  levels: readonly string[];
  pointer: string;
  marks: Record<'running' | 'starting' | 'paused' | 'draining' | 'stopped' | 'off' | 'late', string>;
}

const unicodeDrawing = {
  unicode: true,
  rule: '─',
  vertical: '│',
  corners: ['┌', '┐', '└', '┘'],
  ellipsis: '…',
  dot: '·',
  filled: '█',
  empty: '░',
  levels: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  pointer: '▸',
  marks: { running: '●', starting: '◌', paused: '‖', draining: '▼', stopped: '■', off: '○', late: '▲' },
} satisfies Omit<Drawing, 'colours'>;

const asciiDrawing = {
  unicode: false,
  rule: '-',
  vertical: '|',
  corners: ['+', '+', '+', '+'],
  ellipsis: '~',
  dot: '-',
  filled: '#',
  empty: '.',
  levels: [' ', '_', '.', ':', '-', '=', '+', '*', '#'],
  pointer: '>',
  marks: { running: '*', starting: '~', paused: '=', draining: 'v', stopped: 'x', off: 'o', late: '!' },
} satisfies Omit<Drawing, 'colours'>;

/**
 * Unicode where the locale says UTF-8, except on the Linux console, whose fonts have neither braille nor thin blocks.
 * `NO_COLOR` (set and not empty) leaves bold and inverse only.
 */
export function chooseDrawing(environment: Readonly<Record<string, string | undefined>>): Drawing {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  const term = environment.TERM ?? '';
  const unicode = /utf-?8/i.test(locale) && !term.startsWith('linux');
  const colours = environment.NO_COLOR ? 0 : hasManyColours(term, environment.COLORTERM) ? 256 : 8;
  return { ...(unicode ? unicodeDrawing : asciiDrawing), colours };
}

function hasManyColours(term: string, colorterm: string | undefined): boolean {
  return /256|direct|kitty|alacritty/.test(term) || /truecolor|24bit/.test(colorterm ?? '');
}
