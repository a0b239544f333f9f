import type { Drawing } from '../drawing.ts';
import { keyBindings, placesText } from '../keys.ts';
import { clip, type Line, paragraph, seg } from './line.ts';

const keyWidth = 11;

/** Every key of the table, by where it works; none wider than `width`. */
export function helpLines(width: number, drawing: Drawing): Line[] {
  const lines: Line[] = [];
  let where = '';
  for (const { shown, help, places, asks } of [...keyBindings].sort(byPlace)) {
    const here = heading(places);
    if (here !== where) lines.push(...(where === '' ? [] : [[]]), [seg(here, 'heading')]);
    where = here;
    const words = paragraph(
      `${help.replaceAll('`', '')}${asks && !help.includes('asks first') ? ' Asks first.' : ''}`,
      width - keyWidth,
      9,
      'plain',
      drawing,
    );
    lines.push(
      ...words.map((text, i) => [
        seg(i === 0 ? ` ${shown}`.padEnd(keyWidth) : ' '.repeat(keyWidth), 'accent'),
        ...text,
      ]),
    );
  }
  lines.push([], [seg('A click selects a page, a stage, an item or a key of the footer; the wheel scrolls.', 'dim')]);
  return lines.map(line => clip(line, width, drawing));
}

type Places = (typeof keyBindings)[number]['places'];

function heading(places: Places): string {
  if (places === 'anywhere') return 'Everywhere';
  return places === 'pages' ? 'On every page' : `In ${placesText(places)}`;
}

const byPlace = (a: { places: Places }, b: { places: Places }): number =>
  rank(a.places) - rank(b.places) || placesText(a.places).localeCompare(placesText(b.places));

const rank = (places: Places): number => (places === 'pages' ? 0 : places === 'anywhere' ? 1 : 2);
