import { Subject } from 'rxjs';
import { expect, it } from 'vitest';
import type { PipelineEvent } from '../../../src/model/event.ts';
import { auditRun, type RunNote } from '../../../src/sinks/audit/auditRun.ts';
import { readRunMarks } from '../../../src/streams/console/runMarks.ts';

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

it('the audit has the start, the edits, the pauses and the stop of a run, which are the marks of its charts', async () => {
  const events$ = new Subject<PipelineEvent>();
  const notes: RunNote[] = [];
  let isComplete = false;
  auditRun(events$, ['collector'], async what => notes.push(what)).subscribe({ complete: () => (isComplete = true) });
  const config = { kind: 'config', at: 0, file: 'c.toml', warnings: [] } as const;
  const control = { kind: 'control', at: 0, seq: 1 } as const;
  // What was paused before, and a configuration that is only read, are no news.
  events$.next({ ...control, paused: ['syncer'] });
  events$.next({ ...config, changes: [] });
  events$.next({ ...config, changes: ['[Timing] collector_interval_seconds'] });
  events$.next({ ...control, paused: ['syncer', 'processor'] });
  events$.next({ ...control, paused: ['processor'] });
  events$.complete();
  await settled();
  expect(notes).toEqual([
    { command: 'start', stages: ['collector'] },
    { command: 'edit', changes: ['[Timing] collector_interval_seconds'] },
    { command: 'pause', stages: ['processor'] },
    { command: 'resume', stages: ['syncer'] },
    { command: 'stop', stages: ['collector'] },
  ]);
  expect(isComplete).toBe(true);
  const lines = notes.map((note, i) => JSON.stringify({ time: `2026-11-22T11:00:0${i}.000Z`, ...note }));
  const marks = readRunMarks(
    `${lines.join('\n')}\n{"time":"2026-11-22T11:01:00Z","command":"mark","text":"ethanol"}\n{"comm`,
  );
  expect(marks.map(({ kind, text }) => `${kind} ${text}`.trim())).toEqual([
    'start',
    'edit [Timing] collector_interval_seconds',
    'pause processor',
    'resume syncer',
    'stop',
    'mark ethanol',
  ]);
  expect(marks[1]!.time).toBe(Date.UTC(2026, 10, 22, 11, 0, 1));
  // A mark that was made afterwards stands where it belongs.
  const late = { time: '2026-11-22T11:00:00Z', command: 'mark', text: 'water', since: '2026-11-22T09:30' };
  expect(readRunMarks(JSON.stringify(late))[0]!.time).toBe(new Date(2026, 10, 22, 9, 30).getTime());
  expect(readRunMarks('{"time":"2026-11-22T11:00:00Z","command":"requeue"}\n')).toEqual([]);
  expect(readRunMarks(null)).toEqual([]);
});
