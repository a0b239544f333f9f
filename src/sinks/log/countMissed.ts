import { concat, concatMap, defer, from, type Observable, type OperatorFunction } from 'rxjs';
import type { PipelineEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';

type Missed = Extract<PipelineEvent, { kind: 'discarded' }>;

/** Frames that are missed again and again for one reason are told together so often, ms: the disk may be full. */
const tellAgainMs = 600_000;

interface Row {
  last: Missed;
  /** Frames that were not told yet. */
  count: number;
  toldAt: number;
}

/**
 * Frames that a stage misses one after the other for one reason are one line at first, then one for all in ten minutes, and one for those
 * that are left when the stage goes on, changes its state, or the events end. All other events pass at once. No frame is left out.
 */
export function countMissed(): OperatorFunction<PipelineEvent, PipelineEvent> {
  return events$ =>
    defer(() => {
      const rows = new Map<StageName, Row>();
      const told = ({ last, count }: Row): PipelineEvent[] => (count > 0 ? [{ ...last, count }] : []);
      const end = (stage: StageName): PipelineEvent[] => {
        const row = rows.get(stage);
        rows.delete(stage);
        return row ? told(row) : [];
      };
      const take = (event: Missed): PipelineEvent[] => {
        const { stage, at } = event;
        const row = rows.get(stage);
        if (row?.last.reason !== event.reason) {
          const before = end(stage);
          rows.set(stage, { last: event, count: 0, toldAt: at });
          return [...before, event];
        }
        const now = { last: event, count: row.count + (event.count ?? 1), toldAt: row.toldAt };
        // A clock that is set back by hours must not make the log silent for as long.
        const isDue = Math.abs(at - row.toldAt) >= tellAgainMs;
        rows.set(stage, isDue ? { last: event, count: 0, toldAt: at } : now);
        return isDue ? told(now) : [];
      };
      const all: Observable<PipelineEvent> = events$.pipe(
        concatMap(event => {
          if (event.kind === 'discarded' && event.entryId === null) return take(event);
          const ends = event.kind === 'done' || event.kind === 'state' || event.kind === 'well';
          return ends ? [...end(event.stage), event] : [event];
        }),
      );
      return concat(
        all,
        defer(() => from([...rows.keys()].flatMap(end))),
      );
    });
}
