import type { FileStat } from '../../files/files.ts';
import { isSameStat } from '../../share/publishFile.ts';
import type { Share } from '../../share/share.ts';
import type { RemoteStat } from '../../share/shareCalls.ts';
import type { SyncFile } from './syncFiles.ts';
import { type Copied, isSeen, type SyncLedger } from './syncLedger.ts';

export interface UpToDateTools {
  share: Share;
  ledger: SyncLedger;
  /** What was written is not read back, nor later. */
  trustWrite: boolean;
  /** ms since 1970. */
  now: number;
  /** Told what stood on the share and was kept. */
  warn: (message: string) => void;
  signal: AbortSignal;
}

/** A growing file is copied in steps of so many bytes; what is copied is remembered after each. */
const stepBytes = 1 << 26;
/** All of the copy of a growing file is compared with a file that has changed so often, ms. */
const compareEveryMs = 86_400_000;
/** A file that changes while it is copied is tried so often in a round. */
const maxTries = 3;
/** Hashes of what may stand on the share, while it never says what does. */
const maxOurs = 16;

/**
 * Brings the copy of a file up to date, and remembers it in the ledger. What has not changed on either side costs nothing.
 * @param present what stands on the share. @returns bytes that were sent; null when there was nothing to do.
 */
export async function bringUpToDate(
  file: SyncFile,
  present: RemoteStat | null,
  tools: UpToDateTools,
): Promise<number | null> {
  const { ledger } = tools;
  if (ledger.isFixed(file.remote) && present?.size === file.stat.size) return null;
  const copy = ledger.get(file.remote);
  if (copy && present && isSeen(copy, file.stat) && !isComparisonDue(copy, tools)) {
    const seen = copy.kind === 'whole' ? copy.remote : { size: copy.growth.length, mtimeMs: copy.growth.mtimeMs };
    if (seen && isSameStat(present, seen)) return null;
  }
  return { grown: append, fixed: place, replaced: publish }[file.kind](file, tools);
}

async function append({ local, remote, stat }: SyncFile, tools: UpToDateTools): Promise<number> {
  const { share, ledger, now, warn, signal } = tools;
  let sent = 0;
  for (;;) {
    const copy = ledger.get(remote);
    const before = copy?.kind === 'grown' && !isComparisonDue(copy, tools) ? copy : null;
    const known = before?.growth ?? null;
    const appended = await share.call('append', { local, remote, known, most: stepBytes }, signal);
    const { growth, kept, more } = appended;
    const compared = before?.compared ?? { at: now, mtimeMs: (before?.local ?? stat).mtimeMs };
    ledger.set(remote, { kind: 'grown', local: seen(stat), growth, compared });
    sent += appended.sent;
    if (kept !== null) warn(`${remote} on the share held what is not in ${local}: it is kept there as ${kept}`);
    if (!more) return sent;
    await ledger.save();
  }
}

async function place({ local, remote, stat }: SyncFile, tools: UpToDateTools): Promise<number> {
  const { share, ledger, warn, signal } = tools;
  const placed = await share.call('place', { local, remote }, signal);
  if (placed.remote === remote) {
    ledger.setFixed(remote);
    return placed.sent;
  }
  const { remote: at, sha256 } = placed;
  const [present = null] = await share.call('stats', [at], signal);
  ledger.set(remote, { kind: 'whole', local: seen(stat), ours: [sha256], at, remote: present });
  if (placed.found === 'other') {
    warn(`${remote} on the share has other content than ${local}: this one is kept there as ${at}`);
  }
  return placed.sent;
}

async function publish({ local, remote, stat }: SyncFile, tools: UpToDateTools): Promise<number | null> {
  const { share, ledger, warn, signal } = tools;
  for (let tries = 0; tries < maxTries; tries++) {
    const { sha256 } = (await share.call('digest', { local }, signal))!;
    const before = ledger.get(remote);
    const { ours = [], remote: lastSeen = null } = before?.kind === 'whole' ? before : {};
    const maybe = [...ours, sha256].slice(-maxOurs);
    // First: after a crash it must be known for ours, whether it was put there or not.
    ledger.set(remote, { kind: 'whole', local: { size: -1, mtimeMs: 0 }, ours: maybe, at: remote, remote: lastSeen });
    await ledger.save();
    const published = await share.call('publish', { local, remote, sha256, ours, seen: lastSeen }, signal);
    if (published === null) continue;
    const { stat: there, kept, sent } = published;
    ledger.set(remote, { kind: 'whole', local: seen(stat), ours: [sha256], at: remote, remote: there });
    if (kept !== null) warn(`${remote} on the share was not copied from here: it is kept there as ${kept}`);
    return sent;
  }
  return null;
}

/** The share has lost what was copied to it: it is an earlier state of itself. */
export function isLost(copy: Copied | undefined, present: RemoteStat | null): boolean {
  if (copy?.kind === 'grown') return (present?.size ?? -1) < copy.growth.length;
  // What was about to take its place may stand there by now.
  if (!copy?.remote || copy.ours.length > 1) return false;
  return present === null || !isSameStat(present, copy.remote);
}

/** The clock may have been set back since. */
function isComparisonDue(copy: Copied, { now, trustWrite }: UpToDateTools): boolean {
  if (trustWrite || copy.kind !== 'grown' || !copy.compared) return false;
  return copy.local.mtimeMs !== copy.compared.mtimeMs && Math.abs(now - copy.compared.at) >= compareEveryMs;
}

const seen = ({ size, mtimeMs }: FileStat): Copied['local'] => ({ size, mtimeMs });
