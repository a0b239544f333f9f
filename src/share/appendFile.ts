import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { endOfLines } from '../files/appendDurably.ts';
import { makeFolder, removeFile, replaceFile, syncNamed, trimPlace } from '../files/durableNames.ts';
import type { FileStat, OpenFile } from '../files/files.ts';
import { isSameStat, keepBeside } from './publishFile.ts';
import type { Appended, AppendRequest } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import {
  type ByteRange,
  checkPlaced,
  copyRange,
  damaged,
  hashBack,
  isVoid,
  openBack,
  type ShareTools,
  sameUpTo,
  withOpen,
} from './transfer.ts';

/** So much before the end of what is known is compared before anything is appended. */
const overlap = 1 << 16;
/** A longer line than this is copied in parts. */
const longestLine = 1 << 25;

/**
 * Brings the copy of a growing file up to date: appends what is new, up to the last whole line, and checks it by reading
 * it back.
 *
 * The end of what was copied is compared with the file first; all of it is where that differs (another file), where one of the two has
 * become shorter (a stale share), and where the copy was touched. The copy goes on where the two begin to differ; what stands behind
 * that in the copy, and is not in the file, is kept beside it.
 */
export async function appendFile(request: AppendRequest, tools: ShareTools): Promise<Appended> {
  const { remote, most } = request;
  await tools.checkMounted();
  const path = sharePath(tools.root, remote);
  await makeFolder(tools.share, dirname(path), tools.root);
  const copy = await tools.share.stat(path);
  if (copy?.strange) {
    const message = `${path} is a ${copy.strange}, where the copy of a file belongs; move it away`;
    throw new ShareError(message, { code: 'ESHAREPATH', path });
  }
  if (copy?.isFolder) {
    throw new ShareError(`${path} is a folder, where the copy of a file belongs; move it away`, { code: 'EISDIR' });
  }
  const here = await tools.local.stat(request.local);
  if (!here) throw new ShareError(`${request.local} is gone`, { side: 'local', code: 'ENOENT' });
  return withOpen(tools.local.open(request.local, 'r'), async source => {
    const size = await source.size();
    let start = copy ? await equalLength(source, size, copy, request, tools) : 0;
    let kept: string | null = null;
    let isNew = copy === null;
    if (copy && start < copy.size) {
      kept = await keepRest(remote, { from: start, to: copy.size }, tools);
      // The whole copy may have been moved away: a new one is begun.
      isNew = (await tools.share.stat(path)) === null;
      if (isNew) start = 0;
    }
    const limit = Math.min(size, start + most);
    const to = await lastLineEnd(source, start, limit);
    // Of a new copy: what only its owner may read here, others must not read there.
    if (to > start || isNew) await append(source, path, { from: start, to }, isNew ? { mode: here.mode } : null, tools);
    const { mtimeMs } = await checkPlaced(path, null, tools);
    return { growth: { length: to, mtimeMs }, sent: to - start, more: limit < size && to > start, kept };
  });
}

/** How far the copy is the same as the file. */
async function equalLength(
  source: OpenFile,
  size: number,
  copy: FileStat,
  { remote, known }: AppendRequest,
  tools: ShareTools,
): Promise<number> {
  const to = Math.min(size, copy.size);
  return withOpen(openBack(sharePath(tools.root, remote), tools), async written => {
    if (known && known.length <= to) {
      // A copy that is longer: a crash came between writing and remembering. One of another time: somebody has touched it.
      const isAsLeft = isSameStat(copy, { size: known.length, mtimeMs: known.mtimeMs });
      if (isAsLeft || copy.size > known.length || tools.trustWrite) {
        const same = await sameUpTo(source, written, { from: Math.max(0, known.length - overlap), to }, tools);
        if (same >= known.length) return same;
      }
    }
    return sameUpTo(source, written, { from: 0, to }, tools);
  });
}

/**
 * Keeps what stands in a copy behind `from` and is not in the file: beside it, as a file of its own. When that is most of
 * it the whole copy is moved there.
 */
async function keepRest(remote: string, { from, to }: ByteRange, tools: ShareTools): Promise<string> {
  const { root, share, parts } = tools;
  const path = sharePath(root, remote);
  if (from < to / 2) return keepBeside(remote, await hashBack(path, tools), tools);
  const [beside] = besideOf(remote, await hashBack(path, tools, { from, to })) as [string];
  const target = sharePath(root, beside);
  const there = await share.stat(target);
  // Whoever put it there may not have come so far as to make it durable.
  if (there && !isVoid(there)) await syncNamed(share, target);
  else {
    // Under a temporary name first: half of it must not look like all of it after a crash.
    const left = await parts.take(beside);
    if (left !== null) await removeFile(share, sharePath(root, left));
    const part = sharePath(root, parts.fresh(beside));
    await withOpen(share.open(path, 'r'), copy => {
      // The rest begins at 0 in its own file.
      const rest: OpenFile = { ...copy, read: (into, position) => copy.read(into, position + from) };
      return withOpen(share.open(part, 'wx'), file =>
        copyRange(rest, file, { from: 0, to: to - from, path: part }, tools),
      );
    });
    await replaceFile(share, part, target, { isSynced: true });
  }
  await withOpen(share.open(path, 'r+'), async file => {
    await file.truncate(from);
    await file.sync();
  });
  return beside;
}

/** The end of the last whole line between `from` and `to`; `to` itself when one line is longer than any should be. */
async function lastLineEnd(file: OpenFile, from: number, to: number): Promise<number> {
  const floor = Math.max(from, to - longestLine);
  const end = await endOfLines(file, to, floor);
  return end === floor && floor > from ? to : end;
}

const changed = (path: string): ShareError =>
  new ShareError(`${path} was shortened by another program while it was written; it is compared and copied again`, {
    code: 'ECHANGED',
    path,
  });

/** @param begun how a new copy is begun; null: the copy is there. */
async function append(
  source: OpenFile,
  path: string,
  range: ByteRange,
  begun: { mode: number | undefined } | null,
  tools: ShareTools,
): Promise<void> {
  const { share, trustWrite } = tools;
  const sent = createHash('sha256');
  if (!begun) await trimPlace(share, path);
  await withOpen(begun ? share.open(path, 'wx', begun.mode) : share.open(path, 'r+'), async target => {
    // Somebody has put a shorter one in its place just now: a hole must not come before what is appended.
    if (!begun && (await target.size()) < range.from) throw changed(path);
    await copyRange(source, target, { ...range, path }, tools, piece => void sent.update(piece));
  });
  if (begun) await share.syncFolder(dirname(path));
  if (trustWrite || (await hashBack(path, tools, range)) === sent.digest('hex')) return;
  await withOpen(share.open(path, 'r+'), target => target.truncate(range.from));
  throw damaged(path);
}
