import { oneLine } from '../../model/shownText.ts';
import type { Drawing } from '../drawing.ts';

/** Takes no column of its own: combining marks, joiners, directions. */
const widthless = /[\p{M}\p{Cf}]/gu;
/**
 * Two columns wide, or not to be relied on: beyond the basic plane, East Asian, emoji, unassigned, private, half a pair; and what is
 * written from right to left, since a terminal that knows this moves the columns beside it.
 */
const notSingle =
  /[\u{10000}-\u{10ffff}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\p{Emoji_Presentation}\p{Cn}\p{Co}\p{Cs}]/gu;
const notAscii = /[^ -~]/gu;

const asciiFor: Readonly<Record<string, string>> = {
  '→': '->',
  '←': '<-',
  '…': '...',
  '·': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '×': 'x',
  '≥': '>=',
  '≤': '<=',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '°': 'deg ',
  µ: 'u',
  μ: 'u',
  '±': '+-',
};

/**
 * Text from outside (log lines, errors, paths) made fit for a screen that is drawn by columns: `oneLine`, and every character one
 * column wide. What can't be shown is a `?`. In ASCII the common signs get their usual spelling.
 */
export function cleanText(text: string, { unicode }: Pick<Drawing, 'unicode'>): string {
  if (/^[ -~]*$/.test(text)) return text;
  const shown = oneLine(text).normalize('NFC').replace(widthless, '').replace(notSingle, '?');
  return unicode ? shown : shown.replace(notAscii, sign => asciiFor[sign] ?? unaccented(sign));
}

function unaccented(sign: string): string {
  const [base] = sign.normalize('NFD');
  return base !== undefined && base >= ' ' && base <= '~' ? base : '?';
}
