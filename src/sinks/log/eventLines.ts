import { alarmTitle } from '../../model/alarm.ts';
import { noControl } from '../../model/control.ts';
import type { ControlEvent, EventLevel, PipelineEvent } from '../../model/event.ts';
import { localIso, utcIso } from '../../model/localTime.ts';
import { duration, number } from '../../model/quantity.ts';
import { rateText } from '../../model/rate.ts';
import { oneLine, shownJson } from '../../model/shownText.ts';

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
    case 'replay':
    case 'claimed':
    case 'pace':
    case 'beat':
    case 'round':
    case 'health':
      return 'debug';
    case 'done':
      // A look at everything is no item; what it found is told by itself.
      return event.stage === 'health' ? 'debug' : 'info';
    case 'control':
      return controlChanges(event).length > 0 ? 'info' : 'debug';
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

/** One line for an event, without its end. Text of others (file names, messages) can't end the line. */
export function eventLine(event: PipelineEvent, { format, colour = false }: EventLineOptions): string {
  const level = eventLevel(event);
  if (format === 'json') return shownJson(JSON.stringify({ time: utcIso(event.at), level, ...event }));
  const name = level.padEnd(7);
  const shown = colour ? `\u001b[${levelColours[level]}m${name}\u001b[0m` : name;
  return `${localIso(event.at).slice(0, 23).replace('T', ' ')}  ${shown}  ${eventSource(event).padEnd(12)}  ${oneLine(eventWords(event))}`;
}

/** Who tells of an event: a stage, the configuration, or the pipeline as a whole. */
export function eventSource(event: PipelineEvent): string {
  if ('stage' in event && event.stage) return event.stage;
  return event.kind.startsWith('config') ? 'config' : 'pipeline';
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
    case 'replay':
      return `${number(event.progress.read)} frames read`;
    case 'claimed':
      return `took ${event.count}`;
    case 'done':
      return [...doneWords(event.detail, event.entryId), `took ${duration(event.ms)}`].join(' · ');
    case 'round':
      return [...doneWords(event.detail, 'round'), `took ${duration(event.ms)}`].join(' · ');
    case 'failed':
      return `failed: ${event.error} (entry ${event.entryId})`;
    case 'discarded':
      return `${event.entryId ?? ((event.count ?? 1) > 1 ? `${number(event.count!)} frames` : 'a frame')} skipped: ${event.reason}`;
    case 'alarm':
      return event.retryInMs > 0 ? `${event.message} (tries again in ${duration(event.retryInMs)})` : event.message;
    case 'well':
      return `over: ${alarmTitle(event.key)}`;
    case 'settings':
      return `new settings: ${event.changes.join(', ')}`;
    case 'pace':
      return event.perMinute === null ? 'no pace' : `${rateText(event.perMinute / 60)} asked`;
    case 'beat':
      return 'looked for work';
    case 'health':
      return `health ${event.report.light}`;
    case 'control':
      return controlChanges(event).join('; ') || 'the same stages are paused, and the replay goes as before';
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

/** What is otherwise than before: which stages are paused, whether and how fast a replay goes. A step or a seek is told by what it brings. */
function controlChanges({ paused, playback = {}, before = noControl }: ControlEvent): string[] {
  const stages = paused.join(', ');
  const last = before.playback ?? {};
  const words: string[] = [];
  if (stages !== before.paused.join(', ')) words.push(stages === '' ? 'no stage is paused' : `paused: ${stages}`);
  if (Boolean(playback.paused) !== Boolean(last.paused))
    words.push(playback.paused ? 'the replay is paused' : 'the replay goes on');
  const { speed } = playback;
  if (speed !== undefined && speed !== last.speed)
    words.push(`the replay goes ${speed === 'max' ? 'as fast as it can' : `at ${number(speed)} times its pace`}`);
  return words;
}

/** Details whose key alone does not say what they are. */
const detailWords: Readonly<Record<string, string>> = { rois: 'ROIs', rejected: 'not used' };

/** Details that are no counts of things. */
const amounts: ReadonlySet<string> = new Set(['brightness', 'contrast']);

function doneWords(detail: Readonly<Record<string, string | number>>, entryId: string): string[] {
  const { image, ...rest } = detail;
  const words = Object.entries(rest).map(([key, value]) => {
    const name = detailWords[key] ?? key.replace(/_ms$/, '').replaceAll('_', ' ');
    if (typeof value === 'string') return `${name} ${value}`;
    if (key.endsWith('_ms')) return `${name} ${duration(value)}`;
    return amounts.has(key) ? `${name} ${number(value)}` : `${number(value)} ${name}`;
  });
  return [String(image ?? entryId), ...words];
}
