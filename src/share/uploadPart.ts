import { createHash } from 'node:crypto';
import { removeFile } from '../files/durableNames.ts';
import type { OpenFile } from '../files/files.ts';
import type { PlaceRequest, Prepared } from './shareCalls.ts';
import { sharePath } from './sharePath.ts';
import {
  copyRange,
  damaged,
  makeFolderOf,
  openBack,
  readBack,
  readPieces,
  type ShareTools,
  sameUpTo,
  type Tell,
  withOpen,
} from './transfer.ts';

/** A whole unfinished copy, and its name relative to the root. */
export interface Uploaded extends Prepared {
  part: string;
  isSynced: boolean;
}

/**
 * Copies a local file to a temporary name on the share, durably, and checks it by reading it back.
 *
 * A part that an earlier call has left is compared with the file and continued where they begin to differ. With
 * `trustWrite` only the end of that part is compared, and nothing is read back.
 *
 * @param syncFirst false: it need not be durable under its temporary name, unless it was begun earlier (see `mustSyncFirst`).
 * @throws ShareError with code `ESHAREDAMAGED`, and the part is gone, when what was read back differs.
 */
export async function uploadPart(
  { local, remote, token, trustWrite }: PlaceRequest,
  tools: ShareTools,
  tell: Tell,
  syncFirst = true,
): Promise<Uploaded> {
  await makeFolderOf(sharePath(tools.root, remote), tools);
  return withOpen(tools.local.open(local, 'r'), async source => {
    const size = await source.size();
    const hash = createHash('sha256');
    // What only its owner may read here, others must not read there.
    const mode = (await tools.local.stat(local))?.mode;
    const { target, name, begun } = await openPart(remote, token, tools, mode);
    const part = sharePath(tools.root, name);
    const isSynced = syncFirst || begun > 0;
    const copy = isSynced ? target : { ...target, sync: async () => undefined };
    let start = 0;
    const back = createHash('sha256');
    try {
      const there = Math.min(begun, size);
      const from = trustWrite ? Math.max(0, there - tools.throttle.chunkBytes) : 0;
      await readPieces(source, 0, from, tools, tell, piece => void hash.update(piece));
      start = await sameUpTo(source, target, { from, to: there }, tools, tell, bytes => {
        hash.update(bytes);
        back.update(bytes);
      });
      // Also where nothing is cut off: it may have more place than its length says (see trimPlace).
      if (begun > 0) await target.truncate(start);
      await copyRange(source, copy, { from: start, to: size, path: part }, tools, tell, piece => {
        hash.update(piece);
      });
    } catch (error) {
      await tools.parts.leave(name);
      throw error;
    } finally {
      await target.close();
    }
    const sha256 = hash.digest('hex');
    if (!trustWrite) {
      const isWhole = await withOpen(openBack(part, tools), async written => {
        await readBack(written, start, size, tools, tell, piece => void back.update(piece));
        return (await written.size()) === size && back.digest('hex') === sha256;
      });
      if (!isWhole) {
        await removeFile(tools.share, part);
        throw damaged(part);
      }
    }
    return { part: name, size, sha256, sent: size - start, isSynced };
  });
}

/** Goes on with what an earlier call has left, if that can be opened and is a file of its own; else begins a new one. */
async function openPart(
  remote: string,
  token: string,
  { root, share, parts }: ShareTools,
  mode: number | undefined,
): Promise<{ target: OpenFile; name: string; begun: number }> {
  const left = await parts.take(remote, token);
  const target = left === null ? null : await share.open(sharePath(root, left), 'r+').catch(() => null);
  if (left !== null && target) return { target, name: left, begun: await target.size() };
  const name = parts.fresh(remote, token);
  return { target: await share.open(sharePath(root, name), 'wx', mode), name, begun: 0 };
}
