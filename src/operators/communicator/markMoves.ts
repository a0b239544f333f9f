import type { Archive, Queue } from '../../manifest/queue.ts';
import type { Entry } from '../../model/entry.ts';
import { markMoved } from '../../model/moved.ts';
import type { ResultLine } from '../../model/result.ts';

/** An entry whose result line was read, with it. */
export interface Read {
  entry: Entry;
  line: ResultLine;
}

export interface MarkMovesDeps {
  queue: Queue;
  archive: Archive;
  /** The line that counts of an entry; null when it can't be had. Rejects for a disk that fails. */
  readLine: (entry: Entry) => Promise<ResultLine | null>;
}

/** Lines of entries that are reported together, each with the flag `moved` where it is due; in the order in which they came. */
export type MarkMoves = (reads: readonly Read[]) => Promise<Read[]>;

/**
 * Compares each line with that of the image before it: the nearest one in the order of collection, of the same run, that was
 * transmitted or is among those that are reported with it. One that was overtaken by its successors is none: what was
 * reported without it must come out the same after a crash, whatever has become of it. Where that line can't be had, nothing
 * has moved.
 *
 * Looks at the live entries up to the last of the batch, and at the archive only when none of these comes before it: after
 * a start. Remembers one line.
 */
export function createMarkMoves({ queue, archive, readLine }: MarkMovesDeps): MarkMoves {
  let last: Read | null = null;

  async function lineOf(entry: Entry): Promise<ResultLine | null> {
    return last !== null && isSame(last.entry, entry) ? last.line : readLine(entry);
  }

  /** The newest entry of a run that has left the live manifest. */
  async function archived(runId: string | null): Promise<Entry | null> {
    // One that is still live does not come before, or it would have been found there.
    if (last?.entry.run_id === runId && !queue.get(last.entry.entry_id)) return last.entry;
    const newest = (await archive.segments()).at(-1);
    if (newest === undefined) return null;
    const entries = await archive.segment(newest);
    return entries.findLast(entry => entry.run_id === runId && entry.data_transmitted) ?? null;
  }

  return async reads => {
    const before = entriesBefore(reads, queue);
    const lines = new Map(reads.map(({ entry, line }) => [entry.entry_id, line]));
    const marked: Read[] = [];
    for (const { entry, line } of reads) {
      const earlier = before.get(entry.entry_id) ?? (await archived(entry.run_id));
      const isOther = earlier !== null && earlier.entry_id !== entry.entry_id;
      const earlierLine = isOther ? (lines.get(earlier.entry_id) ?? (await lineOf(earlier))) : null;
      marked.push({ entry, line: markMoved(earlierLine, line) });
    }
    last = reads.at(-1) ?? last;
    return marked;
  };
}

const isSame = (a: Entry, b: Entry): boolean => a.entry_id === b.entry_id && a.attempt === b.attempt;

/** Of each entry the one before it among the live ones, by its id. */
function entriesBefore(reads: readonly Read[], queue: Queue): ReadonlyMap<string, Entry> {
  const missing = new Set(reads.map(({ entry }) => entry.entry_id));
  const newest = new Map<string | null, Entry>();
  const before = new Map<string, Entry>();
  if (missing.size === 0) return before;
  for (const entry of queue.entries()) {
    const { entry_id: id, run_id: runId } = entry;
    const isReported = missing.delete(id);
    const earlier = newest.get(runId);
    if (isReported && earlier !== undefined) before.set(id, earlier);
    if (missing.size === 0) break;
    if (isReported || (entry.data_transmitted && entry.result)) newest.set(runId, entry);
  }
  return before;
}
