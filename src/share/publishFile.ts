import { createHash } from 'node:crypto';
import { replaceFile } from '../files/durableNames.ts';
import type { FileStat } from '../files/files.ts';
import { moveFile } from '../files/moveFile.ts';
import type { Published, PublishRequest, RemoteStat } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import { checkPlaced, hashBack, isVoid, type ShareTools, type Tell } from './transfer.ts';

/** Time stamps of vfat and of some servers are this coarse, ms. */
const coarseMs = 2000;

type Seen = Pick<RemoteStat, 'size' | 'mtimeMs'>;

/** Whether a file on the share is as it was seen last, as far as that can be told without reading it. */
export function looksSame(now: Seen, seen: Seen): boolean {
  return now.size === seen.size && Math.abs(now.mtimeMs - seen.mtimeMs) <= coarseMs;
}

/**
 * Puts a prepared copy in the place of the earlier one. What stands there and is not ours (an earlier experiment on the
 * same share, somebody's edit) is kept beside it, under a name with its hash.
 */
export async function publishFile(request: PublishRequest, tools: ShareTools, tell: Tell): Promise<Published> {
  const { root, share, parts, checkMounted } = tools;
  await checkMounted();
  const path = sharePath(root, request.remote);
  const part = parts.takeWhole(request.remote, request.token);
  if (part === null) {
    throw new ShareError(`${path} was not prepared by this process: it is copied again`, { code: 'ENOENT', path });
  }
  const present = await share.stat(path);
  const kept = present && !isVoid(present) ? await keepForeign(present, path, request, tools, tell) : null;
  await replaceFile(share, sharePath(root, part), path, { isSynced: true });
  const stat = await checkPlaced(path, null, tools);
  return { stat: { size: stat.size, mtimeMs: stat.mtimeMs }, kept };
}

async function keepForeign(
  present: FileStat,
  path: string,
  { remote, ours, seen }: PublishRequest,
  tools: ShareTools,
  tell: Tell,
): Promise<string | null> {
  if (present.isFolder || present.strange) return keepBeside(remote, hashOfName(path), tools);
  if (seen && looksSame(present, seen)) return null;
  const sha256 = await hashBack(path, createHash('sha256'), tools, tell);
  return ours.includes(sha256) ? null : keepBeside(remote, sha256, tools);
}

/** Stands for the content of what has none that may be read: a folder, a link, a pipe. */
const hashOfName = (path: string): string => createHash('sha256').update(path).digest('hex');

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
