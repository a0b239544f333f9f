import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { makeFolder, removeFile } from '../files/durableNames.ts';
import type { OpenFile } from '../files/files.ts';
import { sharePath } from './sharePath.ts';
import { copyRange, damaged, openBack, readBack, readPieces, type ShareTools, sameUpTo, withOpen } from './transfer.ts';

/** A whole unfinished copy. */
export interface Uploaded {
  /** Its name, relative to the root. */
  part: string;
  size: number;
  sha256: string;
  sent: number;
  isSynced: boolean;
}

/**
 * Copies a local file to a temporary name on the share, durably, and checks it by reading it back.
 *
 * A part that an earlier call has left is compared with the file and continued where they begin to differ. Where what was written
 * is trusted, only the end of that part is compared, and nothing is read back.
 *
 * @param syncFirst false: it need not be durable under its temporary name, unless it was begun earlier (see `mustSyncFirst`).
 * @throws ShareError with code `ESHAREDAMAGED`, and the part is gone, when what was read back differs.
 */
export async function uploadPart(
  { local, remote }: { local: string; remote: string },
  tools: ShareTools,
  syncFirst = true,
): Promise<Uploaded> {
  const { share, trustWrite } = tools;
  await makeFolder(share, dirname(sharePath(tools.root, remote)), tools.root);
  return withOpen(tools.local.open(local, 'r'), async source => {
    const size = await source.size();
    const hash = createHash('sha256');
    // What only its owner may read here, others must not read there.
    const mode = (await tools.local.stat(local))?.mode;
    const { target, part, begun } = await openPart(remote, tools, mode);
    const path = sharePath(tools.root, part);
    const isSynced = syncFirst || begun > 0;
    const copy = isSynced ? target : { ...target, sync: async () => undefined };
    let start = 0;
    const back = createHash('sha256');
    try {
      const there = Math.min(begun, size);
      const from = trustWrite ? Math.max(0, there - tools.throttle.chunkBytes) : 0;
      await readPieces(source, { from: 0, to: from }, tools, piece => void hash.update(piece));
      start = await sameUpTo(source, target, { from, to: there }, tools, bytes => {
        hash.update(bytes);
        back.update(bytes);
      });
      // Also where nothing is cut off: it may have more place than its length says (see trimPlace).
      if (begun > 0) await target.truncate(start);
      await copyRange(source, copy, { from: start, to: size, path }, tools, piece => void hash.update(piece));
    } catch (error) {
      await tools.parts.leave(part);
      throw error;
    } finally {
      await target.close();
    }
    const sha256 = hash.digest('hex');
    if (!trustWrite) {
      const isWhole = await withOpen(openBack(path, tools), async written => {
        await readBack(written, { from: start, to: size }, tools, piece => void back.update(piece));
        return (await written.size()) === size && back.digest('hex') === sha256;
      });
      if (!isWhole) {
        await removeFile(share, path);
        throw damaged(path);
      }
    }
    return { part, size, sha256, sent: size - start, isSynced };
  });
}

/** Goes on with what an earlier call has left, if that can be opened and is a file of its own; else begins a new one. */
async function openPart(
  remote: string,
  { root, share, parts }: ShareTools,
  mode: number | undefined,
): Promise<{ target: OpenFile; part: string; begun: number }> {
  const left = await parts.take(remote);
  const target = left === null ? null : await share.open(sharePath(root, left), 'r+').catch(() => null);
  if (left !== null && target) return { target, part: left, begun: await target.size() };
  const part = parts.fresh(remote);
  return { target: await share.open(sharePath(root, part), 'wx', mode), part, begun: 0 };
}
