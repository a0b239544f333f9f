import { outcomeOfResult } from '../../manifest/outcomeOfResult.ts';
import type { Queue } from '../../manifest/queue.ts';
import type { ResultStore } from '../stage/experiment.ts';

/**
 * Ends the processor's claims of processes that are gone: where the result line was written it counts, else the image waits
 * again. The order makes it safe beside living processors, and beside another one that does the same: a process that is gone
 * writes no more, and of two outcomes of one claim the manifest takes the first, which are the same.
 *
 * @returns how many claims it has ended. Errors are the file system's.
 */
export async function settleProcessorOrphans(
  queue: Pick<Queue, 'orphans' | 'release' | 'settle'>,
  results: Pick<ResultStore, 'find' | 'read'>,
): Promise<number> {
  let ended = 0;
  for (const entry of queue.orphans('processor')) {
    const { segment = 0, length = 0 } = entry.claims.processor!;
    const location = await results.find({ segment, length }, entry.entry_id, entry.attempt);
    ended += location
      ? await queue.settle([entry], 'processor', outcomeOfResult(await results.read(location), location))
      : await queue.release([entry], 'processor');
  }
  return ended;
}
