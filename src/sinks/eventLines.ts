import { stripVTControlCharacters } from 'node:util';
import type { PipelineEvent } from '../model/event.ts';
import { localIso, utcIso } from '../model/localTime.ts';

export type EventLevel = 'debug' | 'info' | 'warning' | 'error';

export interface EventLineOptions {
  format: 'pretty' | 'json';
  /** Escape sequences around the level; never with `json`. */
  colour?: boolean;
}

/** `debug` is what happens for every item besides its outcome; a log leaves it out. */
export function eventLevel(event: PipelineEvent): EventLevel {
  switch (event.kind) {
    case 'note':
      return event.level;
    case 'queued':
    case 'expected':
    case 'claimed':
      return 'debug';
    case 'failed':
      return 'warning';
    case 'alarm':
    case 'config_error':
      return 'error';
    case 'config':
      return event.warnings.length > 0 ? 'warning' : 'info';
    default:
      return 'info';
  }
}

/**
 * One line for an event, without its end. Text of others (file names, messages) can't end the line or move a terminal's
 * cursor: control characters are taken out.
 */
export function eventLine(event: PipelineEvent, { format, colour = false }: EventLineOptions): string {
  const level = eventLevel(event);
  if (format === 'json') return JSON.stringify({ time: utcIso(event.at), level, ...event });
  const stage = 'stage' in event && event.stage ? event.stage : event.kind.startsWith('config') ? 'config' : 'pipeline';
  const name = level.padEnd(7);
  const shown = colour ? `\u001b[${levelColours[level]}m${name}\u001b[0m` : name;
  return `${localIso(event.at).slice(0, 23).replace('T', ' ')}  ${shown}  ${stage.padEnd(12)}  ${plain(eventWords(event))}`;
}

const levelColours: Record<EventLevel, number> = { debug: 90, info: 36, warning: 33, error: 31 };

/** What an event says, in words. */
export function eventWords(event: PipelineEvent): string {
  switch (event.kind) {
    case 'state':
      return event.state;
    case 'queued':
      return `${number(event.count)} waiting`;
    case 'expected':
      return `${number(event.count)} to come in all`;
    case 'claimed':
      return `took ${event.count}`;
    case 'done':
      return [...doneWords(event.detail, event.entryId), duration(event.ms)].join(' · ');
    case 'failed':
      return `${event.entryId} failed: ${event.error}`;
    case 'discarded':
      return `${event.entryId ?? 'a frame'} left out: ${event.reason}`;
    case 'alarm':
      return event.retryInMs > 0 ? `${event.message} (tries again in ${duration(event.retryInMs)})` : event.message;
    case 'well':
      return `${event.key} works again`;
    case 'settings':
      return `new settings: ${event.changes.join(', ')}`;
    case 'config':
      return [
        event.file ? `read ${event.file}` : 'no file: the shipped defaults',
        ...(event.changes.length > 0 ? [`changed: ${event.changes.join(', ')}`] : []),
        ...event.warnings.map(warning => `warning: ${warning}`),
      ].join('; ');
    case 'config_error':
      return `${event.error} (the last good configuration stays)`;
    case 'note':
      return event.message;
  }
}

function doneWords(detail: Readonly<Record<string, string | number>>, entryId: string): string[] {
  const { image, ...rest } = detail;
  const words = Object.entries(rest).map(([key, value]) => {
    if (typeof value === 'string') return `${key.replaceAll('_', ' ')} ${value}`;
    return key.endsWith('_ms')
      ? `${key.slice(0, -3).replaceAll('_', ' ')} ${duration(value)}`
      : `${number(value)} ${key.replaceAll('_', ' ')}`;
  });
  return [String(image ?? entryId), ...words];
}

/** Whole numbers with thousands apart, others to four figures: `12,880`, `0.4321`. */
export function number(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en-GB')
    : value.toLocaleString('en-GB', { maximumSignificantDigits: 4 });
}

/** `840 ms`, `2.41 s`, `3 min 20 s`, `2 h 5 min`. @param ms milliseconds. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 10) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${Number((ms / 1000).toPrecision(3))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return parts(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return parts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function parts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

function plain(words: string): string {
  return stripVTControlCharacters(words).replaceAll(/\p{Cc}+/gu, ' ');
}
