import { distinctUntilChanged, map, type Observable } from 'rxjs';
import { parseIso } from '../../model/localTime.ts';
import type { RunMark } from '../../model/runMark.ts';
import { watchedText$ } from '../watched/watchedFile.ts';

/**
 * What happened to the experiment as a whole, from `logs_dir/audit.jsonl`: starts, stops, edits, pauses, and the marks of people. In order of time.
 *
 * Cold. Emits what there is, then anew when that changes; empty while the file is missing. Never completes, never errors.
 *
 * @param onError told why the file can't be read.
 */
export function runMarks$(auditFile: string, onError: (error: Error) => void): Observable<readonly RunMark[]> {
  return watchedText$(auditFile, onError).pipe(distinctUntilChanged(), map(readRunMarks));
}

/** Lines of other commands, and such that are no JSON (of a crash), are left out. */
export function readRunMarks(text: string | null): RunMark[] {
  const lines = (text ?? '').split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
  const takenBack = new Set(lines.flatMap(({ command, of }) => (command === 'unmark' ? [parseIso(String(of))] : [])));
  return lines
    .filter(({ command, time }) => command !== 'mark' || !takenBack.has(parseIso(String(time))))
    .flatMap(markOf)
    .sort((a, b) => a.time - b.time);
}

function markOf({ time, command, stages, changes, text, since }: Record<string, unknown>): RunMark[] {
  const at = parseIso(String(time));
  if (Number.isNaN(at)) return [];
  switch (command) {
    case 'start':
    case 'stop':
      return [{ time: at, kind: command, text: '' }];
    case 'edit':
      return [{ time: at, kind: 'edit', text: words(changes) }];
    case 'pause':
    case 'resume':
      return [{ time: at, kind: command, text: words(stages) }];
    case 'mark': {
      const from = Date.parse(String(since));
      return [{ time: Number.isNaN(from) ? at : from, kind: 'mark', text: typeof text === 'string' ? text : '' }];
    }
    default:
      return [];
  }
}

const words = (list: unknown): string => (Array.isArray(list) ? list.join(', ') : '');
