import { localIso } from '../../model/localTime.ts';
import type { LogLine } from '../../model/logLine.ts';
import type { Drawing } from '../drawing.ts';
import { blank, type Line, paragraph, seg } from '../views/line.ts';
import { levelTones } from './logLines.ts';

/** A line of the log as one would paste it into a letter. */
export const lineText = ({ at, level, source, text }: LogLine): string =>
  `${localIso(at).slice(0, 23).replace('T', ' ')} ${level} ${source}: ${text}`;

/** The same with all that the event has besides, a line each. */
export const fullText = (line: LogLine): string =>
  [lineText(line), ...fieldsOf(line).map(([name, value]) => `  ${name}: ${value}`)].join('\n');

/** A line of the log in full: its words, broken into as many lines as they need, and its fields. */
export function fullLines(line: LogLine, width: number, drawing: Drawing): Line[] {
  const fields = fieldsOf(line);
  const widest = Math.min(20, Math.max(0, ...fields.map(([name]) => name.length)));
  const room = width - widest - 2;
  return [
    [
      seg(localIso(line.at).slice(0, 23).replace('T', ' '), 'dim'),
      seg(` ${line.level} `, levelTones[line.level]),
      seg(line.source, 'strong'),
    ],
    blank,
    ...paragraph(line.text, width, 200, levelTones[line.level], drawing),
    ...(fields.length > 0 ? [blank] : []),
    ...fields.flatMap(([name, value]) =>
      paragraph(value, room, 50, 'plain', drawing).map((each, i) => [
        seg((i === 0 ? name.slice(0, widest) : '').padEnd(widest + 2), 'accent'),
        ...each,
      ]),
    ),
  ];
}

/** Names and values; those of a table within are named `detail.brightness`. What the line says already is left out. */
function fieldsOf({ fields, source, text }: LogLine): [name: string, value: string][] {
  if (fields === undefined) return [];
  const found: unknown = JSON.parse(fields);
  const flat = (value: unknown, name: string): [string, string][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name === '' ? key : `${name}.${key}`))
      : [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  return flat(found, '').filter(([name, value]) => value !== text && !(name === 'stage' && value === source));
}
