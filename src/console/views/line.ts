import type { Drawing } from '../drawing.ts';
import type { Ink, InkName, Paint, Tone } from '../theme/roles.ts';
import { cleanText } from './cleanText.ts';

export type { Ink, InkName, Paint, Tone };

export interface Segment {
  /** Only what {@link cleanText} lets through. */
  text: string;
  style: Tone | Paint;
}

/** One line of the screen. */
export type Line = readonly Segment[];

export const seg = (text: string, style: Tone | Paint = 'plain'): Segment => ({ text, style });

/** A line of one piece. */
export const line = (text: string, style: Tone | Paint = 'plain'): Line => [seg(text, style)];

export const blank: Line = [];

/** Columns that a line takes. */
export const lineWidth = (of: Line): number => of.reduce((sum, { text }) => sum + text.length, 0);

/** The text alone. */
export const lineText = (of: Line): string => of.map(({ text }) => text).join('');

/** Cut to `width` columns, with an ellipsis where something was cut. */
export function clip(of: Line, width: number, { ellipsis }: Pick<Drawing, 'ellipsis'>): Line {
  if (lineWidth(of) <= width) return of;
  const cut: Segment[] = [];
  let left = width - ellipsis.length;
  for (const { text, style } of of) {
    if (text.length > left) {
      if (left + ellipsis.length > 0) cut.push({ text: text.slice(0, Math.max(0, left)) + ellipsis, style });
      break;
    }
    cut.push({ text, style });
    left -= text.length;
  }
  return cut;
}

/** Exactly `width` columns. */
export function exactly(of: Line, width: number, drawing: Pick<Drawing, 'ellipsis'>): Line {
  const clipped = clip(of, width, drawing);
  const missing = width - lineWidth(clipped);
  return missing > 0 ? [...clipped, seg(' '.repeat(missing))] : clipped;
}

/** `left` at the left and `right` at the right edge; where both have no room, `left` is cut. */
export function spread(left: Line, right: Line, width: number, drawing: Pick<Drawing, 'ellipsis'>): Line {
  const shownRight = clip(right, width, drawing);
  const rest = width - lineWidth(shownRight);
  if (rest < 2) return shownRight;
  return [
    ...exactly(left, lineWidth(shownRight) === 0 ? rest : rest - 1, drawing),
    seg(lineWidth(shownRight) === 0 ? '' : ' '),
    ...shownRight,
  ];
}

/** A heading in a rule: `── Stages ─────`. */
export function titleRule(title: string, width: number, drawing: Drawing, note: Line = []): Line {
  const name = ` ${title} `;
  const noted: Line = note.length > 0 ? [seg(' '), ...note, seg(' ')] : [];
  const head: Line = [seg(drawing.rule.repeat(2), 'dim'), seg(name, 'heading')];
  const room = width - lineWidth(head) - lineWidth(noted) - 2;
  if (room < 0) return clip([...head, ...noted], width, drawing);
  return [...head, seg(drawing.rule.repeat(room), 'dim'), ...noted, seg(drawing.rule.repeat(2), 'dim')];
}

/** Words of a text from outside, broken into lines of at most `width` columns and at most `rows` lines. */
export function paragraph(text: string, width: number, rows: number, style: Tone, drawing: Drawing): Line[] {
  const lines: string[] = [];
  let rest = cleanText(text, drawing).trim();
  while (rest !== '' && lines.length < rows) {
    if (rest.length <= width) {
      lines.push(rest);
      rest = '';
    } else {
      const space = rest.lastIndexOf(' ', width);
      const at = space > width / 2 ? space : width;
      lines.push(rest.slice(0, at));
      rest = rest.slice(at).trimStart();
    }
  }
  if (rest !== '' && lines.length > 0) {
    const last = lines.length - 1;
    lines[last] = lineText(clip([seg(`${lines[last]} ${rest}`)], width, drawing));
  }
  return lines.map(each => line(each, style));
}
