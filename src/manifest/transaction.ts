import type { Claim, Entry } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';
import type { Change, ChangeOperation } from './change.ts';
import type { LiveEntries } from './liveEntries.ts';

/** What a transaction may do; it sees its own changes and those before it. */
export interface Draft {
  readonly live: LiveEntries;
  change(id: string, op: ChangeOperation, set: Partial<Entry>, stage?: StageName): Entry;
}

/** A transaction that somebody waits for. It is prepared anew whenever another writer came between. */
export interface Request {
  prepare: (draft: Draft) => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  attempts: number;
}

/** What a request has done to the live entries, and its lines for the journal. */
export interface Prepared {
  request: Request;
  value: unknown;
  changes: Change[];
}

/**
 * Runs requests on the live entries, each on top of those before it. One that throws leaves no trace and is rejected.
 *
 * @param mark gives each line its own mark.
 */
export function prepareAll(
  requests: readonly Request[],
  live: LiveEntries,
  mark: () => string,
): { prepared: Prepared[]; undo: () => void } {
  const applied: (() => void)[] = [];
  const undoTo = (length: number): void => {
    while (applied.length > length) applied.pop()!();
  };
  const prepared: Prepared[] = [];
  for (const request of requests) {
    const before = applied.length;
    const changes: Change[] = [];
    const change: Draft['change'] = (id, op, set, stage) => {
      const rev = (op === 'restore' ? (set.rev ?? 0) : (live.get(id)?.rev ?? 0)) + 1;
      const line: Change = { id, rev, op, ...(stage && { stage }), set, by: mark() };
      const takeBack = live.apply(line);
      if (!takeBack) throw new Error(`${op} of entry ${id} does not follow its revision`);
      applied.push(takeBack);
      changes.push(line);
      return live.get(id)!;
    };
    try {
      prepared.push({ request, value: request.prepare({ live, change }), changes });
    } catch (error) {
      undoTo(before);
      request.reject(error);
    }
  }
  return { prepared, undo: () => undoTo(0) };
}

/** A claim that a transaction made, or would have. */
export interface MadeClaim {
  id: string;
  stage: StageName;
  claim: Claim;
}

/** The claims that a prepared request makes. */
export function claimsOf({ changes }: Prepared): MadeClaim[] {
  return changes.flatMap(({ id, op, stage, set }) => {
    const claim: Claim | undefined = op === 'claim' && stage ? set.claims?.[stage] : undefined;
    return claim && stage ? [{ id, stage, claim }] : [];
  });
}
