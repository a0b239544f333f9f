import type { Liveness } from '../files/processIdentity.ts';
import type { EntryGroup } from '../manifest/readEntries.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import { markMoved } from '../model/moved.ts';
import type { ResultLine } from '../model/result.ts';
import { EntryLedger } from './entryLedger.ts';

/** Results that wait for an earlier image's: workers finish about in order, and so are the reports. */
const windowLines = 32;

export interface Reported {
  /** All entries; read as a whole before the first line. */
  entries: AsyncIterable<EntryGroup>;
  /** All results, in the order of the log. */
  lines: AsyncIterable<{ line: ResultLine }>;
  liveness: (owner: ProcessIdentity) => Liveness;
  /** Ends the reading with its reason. */
  signal?: AbortSignal;
}

/**
 * The result lines that count and were reported, each once, in the order of their images but for neighbours. Memory is about 100 bytes an image.
 */
export async function reportedLines({
  entries,
  lines,
  liveness,
  signal,
}: Reported): Promise<AsyncGenerator<ResultLine>> {
  const ledger = new EntryLedger();
  let group = 0;
  for await (const { entries: some } of entries) {
    signal?.throwIfAborted();
    let place = 0;
    for (const entry of some) ledger.add(entry, place++ - group * 2 ** 32, liveness);
    group++;
  }
  return sorted(ledger, lines, signal);
}

async function* sorted(
  ledger: EntryLedger,
  lines: Reported['lines'],
  signal?: AbortSignal,
): AsyncGenerator<ResultLine> {
  const window: { line: ResultLine; order: number }[] = [];
  const takeFirst = (): ResultLine => {
    let first = 0;
    for (let i = 1; i < window.length; i++) if (isEarlier(window[i]!, window[first]!)) first = i;
    return window.splice(first, 1)[0]!.line;
  };
  for await (const { line } of lines) {
    signal?.throwIfAborted();
    const number = ledger.find(line.entry_id);
    const counts =
      number >= 0 &&
      ledger.status(number) === 'processed' &&
      ledger.isTransmitted(number) &&
      line.processing_successful &&
      line.attempt === ledger.attempt(number) &&
      ledger.countResult(number) === 1;
    if (!counts) continue;
    window.push({ line, order: ledger.order(number) });
    if (window.length > windowLines) yield takeFirst();
  }
  while (window.length > 0) yield takeFirst();
}

/** Each line with the flag `moved` where it differs from the one before. */
export async function* withMoves(lines: AsyncIterable<ResultLine>): AsyncGenerator<ResultLine> {
  let before: ResultLine | null = null;
  for await (const line of lines) {
    yield markMoved(before?.run_id === line.run_id ? before : null, line);
    before = line;
  }
}

/** An image that was brought back from the archive stands behind later ones in the manifest: its time says where it belongs. */
function isEarlier(one: { line: ResultLine; order: number }, other: { line: ResultLine; order: number }): boolean {
  const [a, b] = [timeOf(one.line), timeOf(other.line)];
  return a < b || (a === b && one.order < other.order);
}

export const timeOf = (line: ResultLine): string => line.image_timestamp ?? line.manifest_entry_timestamp;
