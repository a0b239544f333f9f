import type { Liveness } from '../files/processIdentity.ts';
import type { Entry, ProcessIdentity, ResultLocation } from '../model/entry.ts';
import { isFree } from './isFree.ts';
import type { Draft } from './transaction.ts';
import { isRemoved } from './workRules.ts';

export interface SetBackOptions {
  liveness: (owner: ProcessIdentity) => Liveness;
  /** Bring those that are not live back from the archive, where the entries were just read. */
  restore: boolean;
}

/** See `Manifest.requeue`. */
export function requeue(
  { live, change }: Draft,
  entries: readonly Entry[],
  to: 'pending' | 'skip',
  { liveness, restore }: SetBackOptions,
): Entry[] {
  const changed: Entry[] = [];
  for (const entry of entries) {
    const { entry_id: id, processing_status: status } = entry;
    if (to === 'pending' && isRemoved(live.get(id) ?? entry)) continue;
    const now = live.get(id) ?? (restore ? change(id, 'restore', entry) : null);
    if (now?.processing_status !== status || !isFree(now, liveness)) continue;
    change(id, 'requeue', { ...setBack(to), ...(now.process_deaths && { process_deaths: {} }), claims: {} });
    changed.push(now);
  }
  return changed;
}

/** See `Manifest.relocate`. */
export function relocate(
  { live, change }: Draft,
  moved: readonly { entry: Entry; result: ResultLocation }[],
  { liveness, restore }: SetBackOptions,
): Entry[] {
  const changed: Entry[] = [];
  for (const { entry, result } of moved) {
    const { entry_id: id, attempt } = entry;
    const now = live.get(id) ?? (restore ? change(id, 'restore', entry) : null);
    const isSame = now?.attempt === attempt && now.processing_status === 'processed';
    if (isSame && isFree(now, liveness)) changed.push(change(id, 'edit', { result }));
  }
  return changed;
}

function setBack(to: 'pending' | 'skip'): Partial<Entry> {
  const set: Partial<Entry> = { processing_status: to, processing_error: false, processing_error_msg: null };
  if (to === 'skip') return set;
  return { ...set, processing_timestamp_iso: null, data_transmitted: false, worker_deaths: 0 };
}
