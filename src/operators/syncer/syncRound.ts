import { createHash } from 'node:crypto';
import type { FileStat, Files } from '../../files/files.ts';
import { asError } from '../../model/asError.ts';
import { looksSame } from '../../share/publishFile.ts';
import type { Share } from '../../share/share.ts';
import type { RemoteStat } from '../../share/shareCalls.ts';
import { isFilesOwn } from './syncError.ts';
import { type SyncFile, type SyncPlace, syncFiles } from './syncFiles.ts';
import type { Copied, SeenLocally, SyncLedger } from './syncLedger.ts';

export interface SyncRound {
  places: readonly SyncPlace[];
  trustWrite: boolean;
  share: Share;
  ledger: SyncLedger;
  files: Files;
  /** Looks at every file that never changes, not at the newest alone. */
  isFull: boolean;
  /** Told what was kept beside, and which file could not be copied for a reason of its own. */
  note: (level: 'info' | 'warning', message: string) => void;
  signal: AbortSignal;
}

/** A growing file is copied in steps of so many bytes; what is copied is remembered after each. */
const stepBytes = 1 << 26;

/**
 * Of the files that never change, so many that were copied last are looked at in each round, here and on the share: an earlier state
 * of it has lost those first.
 */
const newestFixed = 32;

/** What a round has moved. */
export interface RoundTally {
  files: number;
  bytes: number;
}

/**
 * Brings the copies of all files besides the images up to date, in the order of the places. What has not changed on
 * either side costs a look; what never changes, once copied, only its name in a list.
 *
 * Marks the ledger where the share has lost what was copied to it: the images may be concerned too.
 *
 * A file that can't be copied for a reason of its own is noted and left for the next round. Rejects with what the share
 * says, and with the reason of `signal`; what was copied till then is remembered.
 */
export async function syncRound(round: SyncRound): Promise<RoundTally> {
  const { places, share, ledger, files, signal } = round;
  const newest = new Set(ledger.newestFixed(newestFixed));
  const isSettled = (remote: string): boolean => !round.isFull && ledger.isFixed(remote) && !newest.has(remote);
  const { found, unlooked } = await syncFiles(places, files, isSettled);
  const copies = found.map(({ remote }) => ledger.get(remote));
  const remotes = found.map(({ remote }, i) => {
    const copy = copies[i];
    return copy?.kind === 'whole' ? copy.at : remote;
  });
  const stats = await share.call('stats', remotes, signal);
  const tally: RoundTally = { files: 0, bytes: 0 };
  const isAnyLost = found.some((file, i) => {
    const present = stats[i] ?? null;
    // Somebody has put it there: the copying of this file says so.
    if (present?.strange) return false;
    return ledger.isFixed(file.remote) ? present?.size !== file.stat.size : isLost(copies[i], present);
  });
  if (isAnyLost) {
    ledger.isStale = true;
    await ledger.save();
    // The older ones may be lost as well.
    if (!round.isFull) return syncRound({ ...round, isFull: true });
  }
  ledger.keepOnly(new Set([...found.map(({ remote }) => remote), ...unlooked]));
  try {
    for (const [i, file] of found.entries()) {
      signal.throwIfAborted();
      const moved = await attempt(file, stats[i] ?? null, round);
      if (moved === null) continue;
      tally.files++;
      tally.bytes += moved;
    }
  } finally {
    if (tally.files > 0) await ledger.save();
  }
  return tally;
}

/** The same as {@link bringUpToDate}, but for a failure of the file's own: that is noted. */
async function attempt(file: SyncFile, present: RemoteStat | null, round: SyncRound): Promise<number | null> {
  try {
    return await bringUpToDate(file, present, round);
  } catch (error) {
    if (round.signal.aborted || !isFilesOwn(error)) throw error;
    const { code, message } = asError(error);
    // It went while the round was on its way to it.
    if (code !== 'ENOENT') round.note('warning', `${file.local} was not copied to the share: ${message}`);
    return null;
  }
}

/** Bytes that were sent; null when there was nothing to do. */
async function bringUpToDate(file: SyncFile, present: RemoteStat | null, round: SyncRound): Promise<number | null> {
  const { ledger } = round;
  const copy = ledger.get(file.remote);
  if (ledger.isFixed(file.remote) && present?.size === file.stat.size) return null;
  if (copy && present && isSeen(copy.local, file.stat)) {
    const seen = copy.kind === 'whole' ? copy.remote : { size: copy.growth.length, mtimeMs: copy.growth.mtimeMs };
    if (seen && looksSame(present, seen)) return null;
  }
  if (file.kind === 'grown') return grow(file, round);
  return file.kind === 'fixed' ? place(file, round) : replace(file, round);
}

async function grow({ local, remote, stat }: SyncFile, round: SyncRound): Promise<number> {
  const { share, ledger, trustWrite, signal, note } = round;
  let sent = 0;
  for (;;) {
    const copy = ledger.get(remote);
    const known = copy?.kind === 'grown' ? copy.growth : null;
    const appended = await share.call('append', { local, remote, known, most: stepBytes, trustWrite }, signal);
    ledger.set(remote, { kind: 'grown', local: seen(stat), growth: appended.growth });
    sent += appended.sent;
    if (appended.kept !== null) {
      note('warning', `${remote} on the share held what is not in ${local}: it is kept there as ${appended.kept}`);
    }
    if (!appended.more) return sent;
    await ledger.save();
  }
}

async function place({ local, remote, stat }: SyncFile, round: SyncRound): Promise<number> {
  const { share, ledger, trustWrite, signal, note } = round;
  const placed = await share.call('place', { local, remote, token: tokenOf(remote), trustWrite }, signal);
  if (placed.remote === remote) {
    ledger.setFixed(remote);
    return placed.sent;
  }
  const [present] = await share.call('stats', [placed.remote], signal);
  ledger.set(remote, {
    kind: 'whole',
    local: seen(stat),
    sha256: placed.sha256,
    at: placed.remote,
    remote: present ?? null,
  });
  if (placed.found === 'other') {
    note(
      'warning',
      `${remote} on the share has other content than ${local}: this one is kept there as ${placed.remote}`,
    );
  }
  return placed.sent;
}

async function replace({ local, remote, stat }: SyncFile, round: SyncRound): Promise<number> {
  const { share, ledger, trustWrite, signal, note } = round;
  const token = tokenOf(remote);
  const prepared = await share.call('prepare', { local, remote, token, trustWrite }, signal);
  const before = ledger.get(remote);
  const { sha256 = null, pending, remote: lastSeen = null } = before?.kind === 'whole' ? before : {};
  const ours = [sha256, pending, prepared.sha256].filter(hash => typeof hash === 'string');
  // First: after a crash it must be known for ours, whether it was put there or not.
  ledger.set(remote, {
    kind: 'whole',
    local: { size: -1, mtimeMs: 0 },
    sha256,
    at: remote,
    remote: lastSeen,
    pending: prepared.sha256,
  });
  await ledger.save();
  const published = await share.call('publish', { remote, token, ours, seen: lastSeen }, signal);
  ledger.set(remote, {
    kind: 'whole',
    local: seen(stat),
    sha256: prepared.sha256,
    at: remote,
    remote: published.stat,
  });
  if (published.kept !== null) {
    note('warning', `${remote} on the share was not copied from here: it is kept there as ${published.kept}`);
  }
  return prepared.sent;
}

/** The share has lost what was copied to it: it is an earlier state of itself. */
function isLost(copy: Copied | undefined, present: RemoteStat | null): boolean {
  if (copy?.kind === 'grown') return (present?.size ?? -1) < copy.growth.length;
  // What was about to take its place may stand there by now.
  if (!copy?.remote || copy.pending !== undefined) return false;
  return present === null || !looksSame(present, copy.remote);
}

const seen = ({ size, mtimeMs }: FileStat): SeenLocally => ({ size, mtimeMs });

const isSeen = (copy: SeenLocally, now: FileStat): boolean => copy.size === now.size && copy.mtimeMs === now.mtimeMs;

const tokenOf = (remote: string): string => createHash('sha256').update(remote).digest('hex').slice(0, 12);
