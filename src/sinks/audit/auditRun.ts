import { concat, concatMap, defer, ignoreElements, merge, mergeMap, type Observable, of } from 'rxjs';
import type { PipelineEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';

/** What was done to the run, as its line in the audit has it. */
export type RunNote =
  | { command: 'start' | 'stop'; stages: readonly StageName[] }
  | { command: 'edit'; changes: readonly string[] }
  | { command: 'pause' | 'resume'; stages: readonly StageName[] };

/**
 * Notes what happens to a run as a whole, for whoever reads its numbers later: that a process started and stopped, that the configuration was
 * edited, that stages were paused and went on. A process that was killed has a start only.
 *
 * Emits nothing. Completes when the events have, after the last note. Never errors, as long as `note` does not.
 */
export function auditRun(
  events$: Observable<PipelineEvent>,
  stages: readonly StageName[],
  note: (what: RunNote) => Promise<unknown>,
): Observable<never> {
  return defer(() => {
    let paused: readonly StageName[] | null = null;
    const notesOf = (event: PipelineEvent): RunNote[] => {
      if (event.kind === 'config') return event.changes.length > 0 ? [{ command: 'edit', changes: event.changes }] : [];
      if (event.kind !== 'control') return [];
      // What was paused before this process is no news.
      const before = paused ?? event.paused;
      paused = event.paused;
      const more = event.paused.filter(stage => !before.includes(stage));
      const fewer = before.filter(stage => !event.paused.includes(stage));
      return [
        ...(more.length > 0 ? [{ command: 'pause' as const, stages: more }] : []),
        ...(fewer.length > 0 ? [{ command: 'resume' as const, stages: fewer }] : []),
      ];
    };
    // What comes before the start is noted must not be missed.
    const notes$ = merge(of<RunNote>({ command: 'start', stages }), events$.pipe(mergeMap(notesOf)));
    return concat(notes$, of<RunNote>({ command: 'stop', stages })).pipe(concatMap(note), ignoreElements());
  });
}
