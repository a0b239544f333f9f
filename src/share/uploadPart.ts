import { createHash } from 'node:crypto';
import type { PlaceRequest, Prepared } from './shareCalls.ts';
import { partOf, sharePath } from './sharePath.ts';
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

/**
 * Copies a local file to its temporary name on the share, durably, and checks it by reading it back.
 *
 * A part that an earlier call has left is compared with the file and continued where they begin to differ. With
 * `trustWrite` only the end of that part is compared, and nothing is read back.
 *
 * @throws ShareError with code `ESHAREDAMAGED`, and the part is gone, when what was read back differs.
 */
export async function uploadPart(
  { local, remote, token, trustWrite }: PlaceRequest,
  tools: ShareTools,
  tell: Tell,
): Promise<Prepared> {
  const part = sharePath(tools.root, partOf(remote, token));
  await makeFolderOf(part, tools);
  return withOpen(tools.local.open(local, 'r'), async source => {
    const size = await source.size();
    const hash = createHash('sha256');
    let begun = await tools.share.stat(part);
    if (begun?.isFolder) begun = null;
    // What only its owner may read here, others must not read there.
    const mode = (await tools.local.stat(local))?.mode;
    const target = await tools.share.open(part, begun ? 'r+' : 'w', mode);
    let start = 0;
    const back = createHash('sha256');
    try {
      const there = Math.min(begun?.size ?? 0, size);
      const from = trustWrite ? Math.max(0, there - tools.throttle.chunkBytes) : 0;
      await readPieces(source, 0, from, tools, tell, piece => void hash.update(piece));
      start = await sameUpTo(source, target, { from, to: there }, tools, tell, bytes => {
        hash.update(bytes);
        back.update(bytes);
      });
      if (begun && begun.size > start) await target.truncate(start);
      await copyRange(source, target, { from: start, to: size, path: part }, tools, tell, piece => {
        hash.update(piece);
      });
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
        await tools.share.remove(part);
        throw damaged(part);
      }
    }
    return { size, sha256, sent: size - start };
  });
}
