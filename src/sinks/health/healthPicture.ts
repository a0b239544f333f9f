import { moment, parseIso, timeOfDay } from '../../model/localTime.ts';
import type { LogLine } from '../../model/logLine.ts';
import { bytes, duration, number } from '../../model/quantity.ts';
import { oneLine, shortened } from '../../model/shownText.ts';
import { type StageName, stageNames } from '../../model/stageName.ts';
import type { HealthLight, HealthStatus, PipelineStatus } from '../../model/status.ts';

export interface HealthPictureData {
  report: HealthStatus;
  pipeline: PipelineStatus | null;
  /** Newest lines of the log, oldest first. */
  log: readonly LogLine[];
  /** Folder of the experiment. */
  root: string;
}

const width = 1200;
const margin = 36;
const textLeft = 300;
/** Glyphs of DejaVu Sans Mono are so wide, in parts of their size. */
const monoWidth = 0.602;
/** Those of DejaVu Sans on an average, generously. */
const sansWidth = 0.58;

const shades: Record<HealthLight, { fill: string; text: string; mark: string; word: string }> = {
  green: { fill: '#1a9850', text: '#12703a', mark: '✓', word: 'OK' },
  amber: { fill: '#f0a30a', text: '#8a5a00', mark: '!', word: 'LOOK' },
  red: { fill: '#c81e1e', text: '#a31515', mark: '✕', word: 'TROUBLE' },
  grey: { fill: '#9aa0a6', text: '#5f6368', mark: '–', word: 'OFF' },
};

/** Lines of the log beside a stage that is well, and beside one that is not. */
const fewLines = 1;
const manyLines = 5;
const maxFindings = 12;

/** What is drawn so far, and how far down it reaches. */
class Sheet {
  readonly #parts: string[] = [];
  y = margin;

  text(
    x: number,
    words: string,
    { size = 15, fill = '#202124', bold = false, mono = false, anchor = 'start' } = {},
  ): void {
    const family = mono ? 'DejaVu Sans Mono' : 'DejaVu Sans';
    this.#parts.push(
      `<text x="${x}" y="${this.y}" font-family="${family}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${bold ? ' font-weight="bold"' : ''} xml:space="preserve">${escaped(words)}</text>`,
    );
  }

  draw(svg: string): void {
    this.#parts.push(svg);
  }

  svg(): string {
    const height = Math.ceil(this.y + margin);
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#ffffff"/>${this.#parts.join('')}</svg>`;
  }
}

/**
 * The health report as SVG text: a light for each stage with its word, its numbers and the last lines of its log; above them what
 * was found, the disk, and when. Pure, and bounded in size.
 */
export function healthPicture(data: HealthPictureData): string {
  const sheet = new Sheet();
  heading(sheet, data);
  findings(sheet, data.report);
  for (const name of stageNames) stageRow(sheet, name, data);
  return sheet.svg();
}

function heading(sheet: Sheet, { report, pipeline, root }: HealthPictureData): void {
  const shade = shades[report.light];
  sheet.y += 22;
  sheet.text(margin, 'Phorest Pipeline Health', { size: 26, bold: true });
  sheet.draw(
    `<rect x="${width - margin - 190}" y="${sheet.y - 30}" width="190" height="42" rx="21" fill="${shade.fill}"/>`,
  );
  sheet.text(width - margin - 95, `${shade.mark} ${shade.word}`, {
    size: 20,
    bold: true,
    fill: '#ffffff',
    anchor: 'middle',
  });
  sheet.y += 34;
  sheet.text(margin, `seen ${clockTime(report.at)}`, { bold: true });
  sheet.text(textLeft, cut(root, 800 / (15 * sansWidth)), { fill: shades.grey.text });
  sheet.y += 24;
  sheet.text(margin, 'disk', { fill: shades.grey.text });
  sheet.text(textLeft, diskWords(report));
  sheet.y += 24;
  sheet.text(margin, 'frames', { fill: shades.grey.text });
  sheet.text(textLeft, frameWords(report));
  sheet.y += 24;
  sheet.text(margin, 'processes', { fill: shades.grey.text });
  sheet.text(textLeft, cut(processWords(pipeline), 850 / (15 * sansWidth)));
  sheet.y += 16;
}

function findings(sheet: Sheet, { findings: all }: HealthStatus): void {
  if (all.length === 0) return;
  rule(sheet);
  const newest = all.toSorted((a, b) => b.since.localeCompare(a.since));
  for (const { message, since, light } of newest.slice(0, maxFindings)) {
    const shade = shades[light];
    sheet.y += 26;
    light === 'red' ? mark(sheet, margin + 12, 11, 'red') : mark(sheet, margin + 12, 11, 'amber');
    sheet.text(margin + 34, `since ${clockTime(since)}`, { fill: shade.text });
    for (const [index, line] of wrapped(message, (width - textLeft - margin) / (15 * sansWidth), 3).entries()) {
      if (index > 0) sheet.y += 20;
      sheet.text(textLeft, line, { bold: index === 0 && light === 'red', fill: shade.text });
    }
  }
  if (newest.length > maxFindings) {
    sheet.y += 24;
    sheet.text(textLeft, `and ${newest.length - maxFindings} more`);
  }
  sheet.y += 14;
}

function stageRow(sheet: Sheet, name: StageName, { report, pipeline, log }: HealthPictureData): void {
  const { light, word } = report.stages[name] ?? { light: 'grey', word: 'not run' };
  const shade = shades[light];
  const top = sheet.y;
  rule(sheet);
  sheet.y += 32;
  mark(sheet, margin + 26, 24, light, sheet.y + 8);
  sheet.text(margin + 68, name.replace('_', ' '), { size: 18, bold: true });
  sheet.text(textLeft, word.toUpperCase(), { size: 16, bold: true, fill: shade.text });
  const stage = pipeline?.stages[name];
  if (stage) sheet.text(textLeft + 130, countWords(stage), { fill: '#3c4043' });
  const heartbeat = stage?.heartbeat ?? null;
  sheet.y += 22;
  if (heartbeat !== null) sheet.text(margin + 68, signOfLife(heartbeat), { size: 13, fill: shades.grey.text });
  const bad = light === 'red' || light === 'amber';
  const alarm = pipeline?.alarms.find(each => each.stage === name && name !== 'health');
  if (alarm) {
    for (const line of wrapped(alarm.message, (width - textLeft - margin) / (15 * sansWidth), 3)) {
      sheet.text(textLeft, line, { fill: shade.text });
      sheet.y += 20;
    }
  }
  const perLine = (width - textLeft - margin) / (12 * monoWidth);
  for (const { at, level, text } of linesOf(name, log, bad)) {
    const fill = level === 'error' ? shades.red.text : level === 'warning' ? shades.amber.text : '#5f6368';
    sheet.text(textLeft, cut(`${timeOfDay(at)} ${level.padEnd(7)} ${oneLine(text)}`, perLine), {
      size: 12,
      mono: true,
      fill,
    });
    sheet.y += 17;
  }
  sheet.y = Math.max(sheet.y, top + 72);
}

/** The newest; of a stage that is not well those that tell of trouble before others. In order of time. */
function linesOf(name: StageName, log: readonly LogLine[], bad: boolean): LogLine[] {
  const own = log.filter(({ source }) => source === name);
  if (!bad) return own.slice(-fewLines);
  const trouble = own.filter(({ level }) => level === 'warning' || level === 'error').slice(-manyLines);
  const others = own.filter(line => !trouble.includes(line)).slice(trouble.length - manyLines);
  return trouble.length === manyLines ? trouble : [...trouble, ...others].sort((a, b) => a.at - b.at);
}

function rule(sheet: Sheet): void {
  sheet.draw(
    `<line x1="${margin}" y1="${sheet.y}" x2="${width - margin}" y2="${sheet.y}" stroke="#dadce0" stroke-width="1"/>`,
  );
}

/** A light: a colour, and a sign that says the same without it. */
function mark(sheet: Sheet, x: number, radius: number, light: HealthLight, y = sheet.y - 5): void {
  const { fill, mark: sign } = shades[light];
  sheet.draw(`<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}"/>`);
  const before = sheet.y;
  sheet.y = y + radius * 0.42;
  sheet.text(x, sign, { size: radius * 1.2, bold: true, fill: '#ffffff', anchor: 'middle' });
  sheet.y = before;
}

function countWords({
  queued,
  in_flight,
  done,
  failed,
  last_ms,
}: NonNullable<PipelineStatus['stages'][StageName]>): string {
  return [
    `${number(done)} done`,
    `${number(failed)} failed`,
    `${number(queued)} waiting`,
    ...(in_flight > 0 ? [`${number(in_flight)} in work`] : []),
    ...(last_ms === null ? [] : [`the last took ${duration(last_ms)}`]),
  ].join(' · ');
}

function diskWords({ disk }: HealthStatus): string {
  if (!disk) return 'does not answer';
  const share = disk.size > 0 ? ` (${Math.round((100 * disk.free) / disk.size)} %)` : '';
  const full = disk.full_at === null ? '' : `, full about ${clockTime(disk.full_at).slice(0, 16)}`;
  return `${bytes(disk.free)} of ${bytes(disk.size)} free${share}${full}`;
}

function frameWords({ missed_frames: missed, last_gap: gap }: HealthStatus): string {
  if (missed === 0 || !gap) return 'none missed';
  return `${number(missed)} missed, the last ${clockTime(gap.to)}`;
}

function processWords(pipeline: PipelineStatus | null): string {
  if (!pipeline) return 'none has told its status';
  return pipeline.processes
    .filter(({ state }) => state !== 'stopped')
    .map(({ pid, host, started }) => `${pid} on ${host} since ${clockTime(started)}`)
    .join('; ');
}

/** Local date and time, to the second. */
const clockTime = (iso: string): string => moment(parseIso(iso));

const signOfLife = (iso: string): string => `last sign of life ${timeOfDay(parseIso(iso))}`;

const cut = (text: string, length: number): string => shortened(text, Math.floor(length));

/** Breaks a text at its spaces, into so many lines at most. */
function wrapped(text: string, length: number, maxLines: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > length) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  const kept = lines.slice(0, maxLines).map(each => cut(each, length));
  if (lines.length > maxLines) kept[maxLines - 1] = cut(`${kept[maxLines - 1]}  …`, length);
  return kept;
}

/** Text of others must not end an element. */
function escaped(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
