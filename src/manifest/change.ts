import type { Entry } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';

/**
 * `add`: a new entry · `claim`, `settle`, `release`: a stage takes an entry, gives its outcome, releases it ·
 * `edit`: somebody changed the `.json` by hand · `requeue`: set back to an earlier state ·
 * `archive`: leaves the live manifest for a segment · `restore`: comes back from one.
 */
export type ChangeOperation = 'add' | 'claim' | 'settle' | 'release' | 'edit' | 'requeue' | 'archive' | 'restore';

/** One change of one entry, as the journal keeps it. */
export interface Change {
  id: string;
  /** The entry's revision after it. It counts only where the entry's revision is exactly one less at that place. */
  rev: number;
  op: ChangeOperation;
  /** The stage that claims, settles or releases. */
  stage?: StageName;
  /** Top-level fields that take these values; for `add` and `restore` the whole entry. */
  set: Partial<Entry>;
  /** Who wrote it: unique for each change, so that a writer in doubt finds its own again. */
  by: string;
}

/**
 * What an entry is after a change: the new entry, `null` when it leaves the live manifest, `undefined` when the change
 * does not count at this place. Pure: the old entry is not touched.
 */
export function applyChange(entry: Entry | undefined, change: Change): Entry | null | undefined {
  if (!entry) {
    const begins = (change.op === 'add' && change.rev === 1) || change.op === 'restore';
    return begins ? ({ ...change.set, entry_id: change.id, rev: change.rev } as Entry) : undefined;
  }
  // An entry that is there is never begun anew: on duplicates the live one wins.
  if (change.rev !== entry.rev + 1 || change.op === 'add' || change.op === 'restore') return undefined;
  if (change.op === 'archive') return null;
  return { ...entry, ...change.set, rev: change.rev };
}
