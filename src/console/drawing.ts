import { contrastRatio, luminance, type Rgb, tableColour } from './theme/contrast.ts';
import { type Theme, terminalOnLight, themeNames, themes } from './theme/themes.ts';

/** What the terminal can show, chosen from its environment, and how. Every sign is one column wide. */
export interface Drawing {
  /** False: only ASCII is drawn. */
  unicode: boolean;
  /** Colours that may be used: 0 with `NO_COLOR`. */
  colours: 0 | 8 | 256;
  theme: Theme;
  /** The theme's background is painted: the terminal's own is another. */
  paints: boolean;
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
} satisfies Omit<Drawing, 'colours' | 'theme' | 'paints'>;

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
} satisfies Omit<Drawing, 'colours' | 'theme' | 'paints'>;

/** What a person may choose: `auto` follows the terminal's background; `ascii` draws signs that every font has. */
export const lookChoices = ['auto', ...themeNames, 'ascii'] as const;
export type LookChoice = (typeof lookChoices)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Below this contrast between a text and the terminal's own background the theme paints its own. */
const leastContrast = 3.5;

/**
 * Unicode where the locale says UTF-8, except on the Linux console, whose fonts have neither braille nor thin blocks.
 * `NO_COLOR` (set and not empty) leaves bold and inverse only, whatever was chosen.
 * @param background the terminal's own, where it has told
 */
export function chooseDrawing(
  environment: Environment,
  choice: LookChoice = 'auto',
  background: Rgb | null = null,
): Drawing {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  const term = environment.TERM ?? '';
  const unicode = /utf-?8/i.test(locale) && !term.startsWith('linux') && choice !== 'ascii';
  const able = environment.NO_COLOR ? 0 : hasManyColours(term, environment.COLORTERM) ? 256 : 8;
  const colours = choice === 'mono' ? 0 : able;
  const theme = themeFor(colours, choice, background);
  return { ...(unicode ? unicodeDrawing : asciiDrawing), colours, theme, paints: mustPaint(theme, choice, background) };
}

/** The choices that make a difference on this terminal, in the order in which the theme key goes through them. */
export function choicesFor(environment: Environment): readonly LookChoice[] {
  const { colours } = chooseDrawing(environment);
  if (colours === 0) return ['auto', 'ascii'];
  return colours === 8 ? ['auto', 'mono', 'ascii'] : lookChoices;
}

function themeFor(colours: Drawing['colours'], choice: LookChoice, background: Rgb | null): Theme {
  if (colours === 0) return themes.mono;
  const isOnLight = background !== null && isLight(background);
  if (colours === 8 || choice === 'terminal') return isOnLight ? terminalOnLight : themes.terminal;
  if (choice !== 'auto' && choice !== 'ascii') return themes[choice];
  return isOnLight ? themes.light : themes.dark;
}

/** Text has more contrast in black than in white. */
const isLight = (background: Rgb): boolean => luminance(background) > 0.18;

function mustPaint({ background, tones, name }: Theme, choice: LookChoice, own: Rgb | null): boolean {
  if (background === null) return false;
  if (name === 'contrast') return true;
  // A terminal that tells nothing is nearly always dark, and keeps its own unless somebody asks for a theme.
  if (own === null) return choice === 'light' || choice === 'dark';
  return Object.values(tones).some(({ fg }) => fg !== undefined && contrastRatio(tableColour(fg), own) < leastContrast);
}

function hasManyColours(term: string, colorterm: string | undefined): boolean {
  return /256|direct|kitty|alacritty/.test(term) || /truecolor|24bit/.test(colorterm ?? '');
}
