import type { EventLevel } from '../../model/event.ts';
import { parseIso } from '../../model/localTime.ts';
import type { LogLine } from '../../model/logLine.ts';
import { plainText } from './plainText.ts';

/**
 * Reads one line of a log file as pino writes it. Of a torn line with a whole one behind it, the whole one. Null when there is
 * none.
 */
export function readLogLine(line: string): LogLine | null {
  const raw = parsed(line) ?? parsed(line.slice(Math.max(0, line.lastIndexOf('{"level":'))));
  if (!raw) return null;
  const level = levels[String(raw.level)];
  const at = typeof raw.time === 'number' ? raw.time : parseIso(String(raw.time));
  const words = [raw.msg, (raw.err as { message?: unknown } | null | undefined)?.message, raw.kind];
  const text = words.find(word => typeof word === 'string' && word !== '');
  if (level === undefined || Number.isNaN(at) || typeof text !== 'string') return null;
  const fields = fieldsOf(raw);
  const alarm = alarmOf(raw, text);
  return {
    at,
    level,
    source: sourceOf(raw),
    text: plainText(text, longestText),
    ...(fields !== null && { fields }),
    ...(alarm && { alarm }),
  };
}

/** What the text, the level and the time don't say already. */
function fieldsOf({
  level: _level,
  time: _time,
  msg: _msg,
  ...rest
}: Readonly<Record<string, unknown>>): string | null {
  const text = JSON.stringify(rest);
  return text === '{}' || text.length > longestFields ? null : text;
}

function alarmOf({ kind, key, message }: Readonly<Record<string, unknown>>, text: string): LogLine['alarm'] | null {
  if ((kind !== 'alarm' && kind !== 'well') || typeof key !== 'string') return null;
  const said = plainText(typeof message === 'string' ? message : text, longestText);
  return { state: kind === 'alarm' ? 'raised' : 'over', key: plainText(key, longestSource), message: said };
}

const longestFields = 8_000;
const longestText = 2_000;
const longestSource = 30;

const levels: Readonly<Record<string, EventLevel | undefined>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  warning: 'warning',
  error: 'error',
  fatal: 'error',
  '10': 'debug',
  '20': 'debug',
  '30': 'info',
  '40': 'warning',
  '50': 'error',
  '60': 'error',
};

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function sourceOf({ stage, kind }: Readonly<Record<string, unknown>>): string {
  if (typeof stage === 'string' && stage !== '') return plainText(stage, longestSource);
  return typeof kind === 'string' && kind.startsWith('config') ? 'config' : 'pipeline';
}
