import type { Drawing } from '../drawing.ts';
import type { Line, Paint, Tone } from '../views/line.ts';

const coloured: Record<Tone, string> = {
  plain: '',
  dim: '38;5;245',
  strong: '1',
  heading: '1',
  good: '38;5;78',
  warning: '38;5;214',
  bad: '1;38;5;203',
  accent: '38;5;75',
  selected: '7',
  match: '1;7',
};

const fewColours: Record<Tone, string> = {
  ...coloured,
  dim: '',
  good: '32',
  warning: '33',
  bad: '1;31',
  accent: '36',
};

const colourless: Record<Tone, string> = { ...coloured, dim: '', good: '', warning: '1', bad: '1;7', accent: '' };

/** A line as the terminal is told it: blessed reads these sequences back into attributes. */
export function sgr(of: Line, { colours }: Pick<Drawing, 'colours'>): string {
  let text = '';
  let now = '';
  for (const segment of of) {
    if (segment.text === '') continue;
    const code =
      typeof segment.style === 'string' ? toneCode(segment.style, colours) : paintCode(segment.style, colours);
    if (code !== now) text += code === '' ? '\u001b[m' : `\u001b[${now === '' ? '' : '0;'}${code}m`;
    now = code;
    text += segment.text;
  }
  return now === '' ? text : `${text}\u001b[m`;
}

function toneCode(tone: Tone, colours: Drawing['colours']): string {
  return (colours === 256 ? coloured : colours === 8 ? fewColours : colourless)[tone];
}

function paintCode({ fg, bg }: Paint, colours: Drawing['colours']): string {
  if (colours === 0) return '';
  const codes: string[] = [];
  if (fg !== undefined) codes.push(`38;5;${fg}`);
  if (bg !== undefined) codes.push(`48;5;${bg}`);
  return codes.join(';');
}
