import { type Entry, isBrightfield } from '../model/entry.ts';
import { isCompressed, isSynced, noRules, type WorkRules } from './workRules.ts';

/** No stage has anything left to do with an entry: it may leave the live manifest. */
export function isSettled(entry: Entry, rules: WorkRules = noRules): boolean {
  if (Object.keys(entry.claims).length > 0) return false;
  const { processing_status: status, camera_data: camera } = entry;
  const isReported =
    isBrightfield(camera) ||
    status === 'failed' ||
    status === 'skip' ||
    (status === 'processed' && entry.data_transmitted);
  return isReported && isCompressed(entry, rules) && isSynced(entry, rules);
}

/** Nothing is left to do with an entry but to copy its image to the share: it may leave the live manifest, and waits there. */
export function awaitsCopy(entry: Entry, rules: WorkRules): boolean {
  return !isSynced(entry, rules) && isSettled(entry, { ...rules, sync: false });
}
