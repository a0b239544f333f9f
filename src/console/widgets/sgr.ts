import type { Drawing } from '../drawing.ts';
import type { Look } from '../theme/themes.ts';
import type { Ink, Line, Paint } from '../views/line.ts';

type Colouring = Pick<Drawing, 'colours' | 'theme'>;

/** A line as the terminal is told it: blessed reads these sequences back into attributes. */
export function sgr(of: Line, drawing: Colouring): string {
  let text = '';
  let now = '';
  for (const segment of of) {
    if (segment.text === '') continue;
    const code =
      typeof segment.style === 'string'
        ? lookCode(drawing.theme.tones[segment.style])
        : paintCode(segment.style, drawing);
    if (code !== now) text += code === '' ? '\u001b[m' : `\u001b[${now === '' ? '' : '0;'}${code}m`;
    now = code;
    text += segment.text;
  }
  return now === '' ? text : `${text}\u001b[m`;
}

/** The colour of a role, of the 256-colour table; null without colours. */
export const inkColour = (ink: Ink, { colours, theme }: Colouring): number | null =>
  colours === 0 ? null : typeof ink === 'number' ? ink : theme.inks[ink];

/** Colours that a box of blessed has where its text names none. */
export const boxStyle = ({ paints, theme: { background, foreground } }: Drawing): { fg?: number; bg?: number } =>
  paints && background !== null && foreground !== null ? { fg: foreground, bg: background } : {};

function lookCode({ fg, bold, inverse }: Look): string {
  const codes: string[] = [];
  if (bold) codes.push('1');
  if (inverse) codes.push('7');
  if (fg !== undefined) codes.push(`38;5;${fg}`);
  return codes.join(';');
}

function paintCode({ fg, bg }: Paint, drawing: Colouring): string {
  if (drawing.colours === 0) return '';
  const codes: string[] = [];
  if (fg !== undefined) codes.push(`38;5;${inkColour(fg, drawing)}`);
  if (bg !== undefined) codes.push(`48;5;${inkColour(bg, drawing)}`);
  return codes.join(';');
}
