import { createHash } from 'node:crypto';
import { mustSyncFirst, removeFile, replaceFile, syncNamed } from '../files/durableNames.ts';
import type { Placed, PlaceRequest } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import { checkPlaced, hashBack, isVoid, readPieces, type ShareTools, type Tell, withOpen } from './transfer.ts';
import { uploadPart } from './uploadPart.ts';

/**
 * Copies a file that is never changed to the share: to a temporary name, checked, renamed, made durable.
 *
 * What stands under its name is never replaced. With the same content it is the copy; with other content the copy goes
 * beside it, under a name with its own hash. So a call that is repeated, after a crash at any instant, ends in one copy.
 */
export async function placeFile(request: PlaceRequest, tools: ShareTools, tell: Tell): Promise<Placed> {
  const { root, share, parts, checkMounted } = tools;
  await checkMounted();
  const asked = sharePath(root, request.remote);
  let target = { remote: request.remote, path: asked };
  let found: Placed['found'] = 'nothing';
  if (await isTaken(asked, tools)) {
    const { size, sha256 } = await hashLocal(request.local, tools, tell);
    const names = [request.remote, ...besideOf(request.remote, sha256)];
    const chosen = await firstFit(names, { size, sha256 }, tools, tell);
    found = chosen.remote === request.remote ? 'same' : 'other';
    if (chosen.isThere) {
      // Whoever put it there may not have come so far as to make it durable.
      await syncNamed(share, sharePath(root, chosen.remote));
      const left = await parts.take(request.remote, request.token);
      if (left !== null) await removeFile(share, sharePath(root, left));
      return { remote: chosen.remote, size, sha256, sent: 0, found };
    }
    target = { remote: chosen.remote, path: sharePath(root, chosen.remote) };
  }
  const syncFirst = await mustSyncFirst(share, target.path);
  const { part, size, sha256, sent, isSynced } = await uploadPart(request, tools, tell, syncFirst);
  await checkMounted();
  if (await isTaken(target.path, tools)) {
    await parts.leave(part);
    throw new ShareError(`${target.path} appeared while it was copied; it is compared at the next attempt`, {
      code: 'EEXIST',
      path: target.path,
    });
  }
  await replaceFile(share, sharePath(root, part), target.path, { isSynced });
  await checkPlaced(target.path, size, tools);
  return { remote: target.remote, size, sha256, sent, found };
}

async function isTaken(path: string, { share }: ShareTools): Promise<boolean> {
  const stat = await share.stat(path);
  return stat !== null && !isVoid(stat);
}

/** The first of the names that is free, or stands for the same content. */
async function firstFit(
  names: readonly string[],
  { size, sha256 }: { size: number; sha256: string },
  tools: ShareTools,
  tell: Tell,
): Promise<{ remote: string; isThere: boolean }> {
  for (const remote of names) {
    const path = sharePath(tools.root, remote);
    const stat = await tools.share.stat(path);
    tell();
    if (stat === null || (isVoid(stat) && size > 0)) return { remote, isThere: false };
    if (stat.isFolder || stat.strange || stat.size !== size) continue;
    if ((await hashBack(path, createHash('sha256'), tools, tell)) === sha256) return { remote, isThere: true };
  }
  throw new ShareError(`${names[0]} and every name beside it are taken by other files on the share`, {
    code: 'EEXIST',
    side: 'local',
  });
}

async function hashLocal(path: string, tools: ShareTools, tell: Tell): Promise<{ size: number; sha256: string }> {
  return withOpen(tools.local.open(path, 'r'), async file => {
    const hash = createHash('sha256');
    const size = await file.size();
    await readPieces(file, 0, size, tools, tell, piece => void hash.update(piece));
    return { size, sha256: hash.digest('hex') };
  });
}
