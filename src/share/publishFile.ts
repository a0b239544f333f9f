import { createHash } from 'node:crypto';
import { replaceFile } from '../files/durableNames.ts';
import type { FileStat } from '../files/files.ts';
import { moveFile } from '../files/moveFile.ts';
import type { Published, PublishRequest } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import { checkPlaced, hashBack, isVoid, type ShareTools } from './transfer.ts';
import { uploadPart } from './uploadPart.ts';

/** Time stamps of vfat and of some servers are this coarse, ms. */
const coarseMs = 2000;

/** Whether a file on the share is as it was seen last, as far as that can be told without reading it. */
export function isSameStat(now: { size: number; mtimeMs: number }, seen: { size: number; mtimeMs: number }): boolean {
  return now.size === seen.size && Math.abs(now.mtimeMs - seen.mtimeMs) <= coarseMs;
}

/**
 * Puts the copy of a file in the place of the earlier one: to a temporary name, checked, renamed over it, made durable. What stands
 * there and is not ours (an earlier experiment on the same share, somebody's edit) is kept beside it, under a name with its hash.
 *
 * Null when the file does not hold any more what it was asked for with: nobody has written down that this may stand there.
 */
export async function publishFile(request: PublishRequest, tools: ShareTools): Promise<Published | null> {
  const { root, share, parts, checkMounted } = tools;
  await checkMounted();
  const path = sharePath(root, request.remote);
  const { part, sha256, sent } = await uploadPart(request, tools);
  await checkMounted();
  if (sha256 !== request.sha256) {
    await parts.leave(part);
    return null;
  }
  const present = await share.stat(path);
  const kept = present && !isVoid(present) ? await keepForeign(present, path, request, tools) : null;
  await replaceFile(share, sharePath(root, part), path, { isSynced: true });
  const { size, mtimeMs } = await checkPlaced(path, null, tools);
  return { stat: { size, mtimeMs }, sent, kept };
}

async function keepForeign(
  present: FileStat,
  path: string,
  { remote, sha256, ours, seen }: PublishRequest,
  tools: ShareTools,
): Promise<string | null> {
  // A folder, a link or a pipe has no content that may be read: its name stands for it.
  if (present.isFolder || present.strange) {
    return keepBeside(remote, createHash('sha256').update(path).digest('hex'), tools);
  }
  if (seen && isSameStat(present, seen)) return null;
  const there = await hashBack(path, tools);
  return there === sha256 || ours.includes(there) ? null : keepBeside(remote, there, tools);
}

/** Moves a file on the share to a free name beside it, which it returns. */
export async function keepBeside(remote: string, sha256: string, { root, share }: ShareTools): Promise<string> {
  for (const beside of besideOf(remote, sha256)) {
    const to = sharePath(root, beside);
    if ((await share.stat(to)) !== null) continue;
    await moveFile(share, sharePath(root, remote), to);
    return beside;
  }
  throw new ShareError(`${remote}: every name beside it is taken on the share; move some of its old copies away`, {
    code: 'EEXIST',
  });
}
