import { mustSyncFirst, removeFile, replaceFile, syncNamed } from '../files/durableNames.ts';
import type { Digest, Placed, PlaceRequest } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import { checkPlaced, digestLocal, hashBack, isVoid, type ShareTools } from './transfer.ts';
import { uploadPart } from './uploadPart.ts';

/**
 * Copies a file that is never changed to the share: to a temporary name, checked, renamed, made durable.
 *
 * What stands under its name is never replaced. With the same content it is the copy; with other content the copy goes
 * beside it, under a name with its own hash. So a call that is repeated, after a crash at any instant, ends in one copy.
 */
export async function placeFile(request: PlaceRequest, tools: ShareTools): Promise<Placed> {
  const { root, share, parts, checkMounted } = tools;
  const { local, remote } = request;
  await checkMounted();
  let target = remote;
  let found: Placed['found'] = 'nothing';
  if (await isTaken(sharePath(root, remote), tools)) {
    const digest = await digestLocal(local, tools);
    const chosen = await firstFit([remote, ...besideOf(remote, digest.sha256)], digest, tools);
    target = chosen.remote;
    found = target === remote ? 'same' : 'other';
    if (chosen.isThere) {
      // Whoever put it there may not have come so far as to make it durable.
      await syncNamed(share, sharePath(root, target));
      const left = await parts.take(remote);
      if (left !== null) await removeFile(share, sharePath(root, left));
      return { remote: target, ...digest, sent: 0, found };
    }
  }
  const path = sharePath(root, target);
  const syncFirst = await mustSyncFirst(share, path);
  const { part, size, sha256, sent, isSynced } = await uploadPart(request, tools, syncFirst);
  await checkMounted();
  if (await isTaken(path, tools)) {
    await parts.leave(part);
    throw new ShareError(`${path} appeared while it was copied; it is compared at the next attempt`, {
      code: 'EEXIST',
      path,
    });
  }
  await replaceFile(share, sharePath(root, part), path, { isSynced });
  await checkPlaced(path, size, tools);
  return { remote: target, size, sha256, sent, found };
}

async function isTaken(path: string, { share }: ShareTools): Promise<boolean> {
  const stat = await share.stat(path);
  return stat !== null && !isVoid(stat);
}

/** The first of the names that is free, or stands for the same content. */
async function firstFit(
  names: readonly string[],
  { size, sha256 }: Digest,
  tools: ShareTools,
): Promise<{ remote: string; isThere: boolean }> {
  for (const remote of names) {
    const path = sharePath(tools.root, remote);
    const stat = await tools.share.stat(path);
    tools.heartbeat();
    if (stat === null || (isVoid(stat) && size > 0)) return { remote, isThere: false };
    if (stat.isFolder || stat.strange || stat.size !== size) continue;
    if ((await hashBack(path, tools)) === sha256) return { remote, isThere: true };
  }
  throw new ShareError(`${names[0]} and every name beside it are taken by other files on the share`, {
    code: 'EEXIST',
    side: 'local',
  });
}
