import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { endOfLines } from '../files/appendDurably.ts';
import { removeFile, replaceFile, syncNamed, trimPlace } from '../files/durableNames.ts';
import type { FileStat, OpenFile } from '../files/files.ts';
import { BlockHashes } from './blockHashes.ts';
import { keepBeside, looksSame } from './publishFile.ts';
import type { Appended, AppendRequest, Growth } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { besideOf, sharePath } from './sharePath.ts';
import {
  checkPlaced,
  copyRange,
  damaged,
  hashBack,
  isVoid,
  makeFolderOf,
  openBack,
  readBack,
  readPieces,
  type ShareTools,
  sameUpTo,
  type Tell,
  withOpen,
} from './transfer.ts';

/** So much before the end of what is known is looked at when the copy is longer than that. */
const overlap = 1 << 16;
/** A longer line than this is copied in parts. */
const longestLine = 1 << 25;

/** Where a growing file and its copy are the same, and the hashes up to there. */
interface Agreed {
  hashes: BlockHashes;
  /** The copy goes on behind this with something that is not in the file. */
  foreign: boolean;
}

/**
 * Brings the copy of a growing file up to date: appends what is new, up to the last whole line, and checks it by reading
 * it back.
 *
 * A copy that is as it was left is taken as it is. One that is longer (a crash came between writing and remembering),
 * shorter (a stale share) or otherwise changed is compared with the file, and continued where they begin to differ; what
 * stands behind that in the copy, and is not in the file, is kept beside it.
 */
export async function appendFile(request: AppendRequest, tools: ShareTools, tell: Tell): Promise<Appended> {
  const { remote, most, trustWrite } = request;
  await tools.checkMounted();
  const path = sharePath(tools.root, remote);
  await makeFolderOf(path, tools);
  const stat = await tools.share.stat(path);
  if (stat?.strange) {
    const message = `${path} is a ${stat.strange}, where the copy of a file belongs; move it away`;
    throw new ShareError(message, { code: 'ESHAREPATH', path });
  }
  if (stat?.isFolder) {
    throw new ShareError(`${path} is a folder, where the copy of a file belongs; move it away`, { code: 'EISDIR' });
  }
  const localStat = await tools.local.stat(request.local);
  if (!localStat) throw new ShareError(`${request.local} is gone`, { side: 'local', code: 'ENOENT' });
  return withOpen(tools.local.open(request.local, 'r'), async source => {
    const size = await source.size();
    const agreed = await agree(source, size, localStat.ino, stat, request, tools, tell);
    let { hashes } = agreed;
    let kept: string | null = null;
    let isThere = stat !== null;
    if (agreed.foreign) {
      kept = await keepRest(remote, hashes.length, stat!.size, tools, tell);
      isThere = (await tools.share.stat(path)) !== null;
      // The whole copy was moved away: a new one is begun.
      if (!isThere) hashes = new BlockHashes();
    }
    const start = hashes.length;
    const limit = Math.min(size, start + most);
    const to = await lastLineEnd(source, start, limit);
    if (to > start || !isThere) {
      const { mode } = localStat;
      await append(source, path, { start, to, isNew: !isThere, mode, trustWrite, hashes }, tools, tell);
    }
    const after = await checkPlaced(path, null, tools);
    const growth: Growth = {
      length: to,
      blocks: hashes.blocks,
      tail: hashes.tail(),
      ino: localStat.ino,
      mtimeMs: after.mtimeMs,
    };
    return { growth, sent: to - start, more: limit < size && to > start, kept };
  });
}

async function agree(
  source: OpenFile,
  size: number,
  ino: number,
  copy: FileStat | null,
  { remote, known, trustWrite }: AppendRequest,
  tools: ShareTools,
  tell: Tell,
): Promise<Agreed> {
  if (copy === null) return { hashes: new BlockHashes(), foreign: false };
  const path = sharePath(tools.root, remote);
  const compare = (hashes: BlockHashes, from: number): Promise<number> =>
    withOpen(openBack(path, tools), async written =>
      sameUpTo(source, written, { from, to: Math.min(size, copy.size) }, tools, tell, (bytes, position) => {
        const behind = hashes.length - position;
        if (behind < bytes.length) hashes.update(bytes.subarray(Math.max(0, behind)));
      }),
    );
  const isKnown = known && known.length <= size && copy.size >= known.length;
  const hashes = isKnown ? await knownHashes(source, known, ino, tools, tell) : null;
  if (known && hashes) {
    const seen = { size: known.length, mtimeMs: known.mtimeMs };
    if (looksSame(copy, seen)) return { hashes, foreign: false };
    // Somebody has touched it, or it is longer by what was not remembered: its end tells, unless nothing is longer.
    if (copy.size > known.length || trustWrite) {
      const same = await compare(hashes, Math.max(0, known.length - overlap));
      if (same >= known.length) return { hashes, foreign: same < copy.size };
    }
  }
  const anew = new BlockHashes();
  const same = await compare(anew, 0);
  return { hashes: anew, foreign: same < copy.size };
}

/** The hashes up to what is known, where the file is still the one that they were made of; null when it is another. */
async function knownHashes(
  source: OpenFile,
  known: Growth,
  ino: number,
  tools: ShareTools,
  tell: Tell,
): Promise<BlockHashes | null> {
  const hashes = new BlockHashes(ino === known.ino ? known.blocks : []);
  await readPieces(source, hashes.length, known.length, tools, tell, piece => hashes.update(piece));
  const isSame =
    hashes.length === known.length &&
    hashes.tail() === known.tail &&
    hashes.blocks.length === known.blocks.length &&
    hashes.blocks.every((block, i) => block === known.blocks[i]);
  return isSame ? hashes : null;
}

/**
 * Keeps what stands in a copy from `from` on and is not in the file: beside it, as a file of its own. When that is most of
 * it the whole copy is moved there.
 */
async function keepRest(remote: string, from: number, size: number, tools: ShareTools, tell: Tell): Promise<string> {
  const { root, share, parts } = tools;
  const path = sharePath(root, remote);
  if (from < size / 2) {
    return keepBeside(remote, await hashBack(path, createHash('sha256'), tools, tell), tools);
  }
  const hash = createHash('sha256');
  await withOpen(openBack(path, tools), file =>
    readBack(file, from, size, tools, tell, piece => void hash.update(piece)),
  );
  const sha256 = hash.digest('hex');
  const [beside] = besideOf(remote, sha256) as [string];
  const to = sharePath(root, beside);
  const there = await share.stat(to);
  // Whoever put it there may not have come so far as to make it durable.
  if (there && !isVoid(there)) await syncNamed(share, to);
  else {
    // Under a temporary name first: half of it must not look like all of it after a crash.
    const token = sha256.slice(0, 12);
    const left = await parts.take(beside, token);
    if (left !== null) await removeFile(share, sharePath(root, left));
    const part = sharePath(root, parts.fresh(beside, token));
    await withOpen(share.open(path, 'r'), rest =>
      withOpen(share.open(part, 'wx'), target => copyRest(rest, target, { from, to: size, path: part }, tools, tell)),
    );
    await replaceFile(share, part, to, { isSynced: true });
  }
  await withOpen(share.open(path, 'r+'), async file => {
    await file.truncate(from);
    await file.sync();
  });
  return beside;
}

/** The rest begins at 0 in its own file. */
function copyRest(
  rest: OpenFile,
  target: OpenFile,
  { from, to, path }: { from: number; to: number; path: string },
  tools: ShareTools,
  tell: Tell,
): Promise<void> {
  const shifted: OpenFile = { ...rest, read: (into, position) => rest.read(into, position + from) };
  return copyRange(shifted, target, { from: 0, to: to - from, path }, tools, tell, () => undefined);
}

/** The end of the last whole line between `from` and `to`; `to` itself when one line is longer than any should be. */
async function lastLineEnd(file: OpenFile, from: number, to: number): Promise<number> {
  const floor = Math.max(from, to - longestLine);
  const end = await endOfLines(file, to, floor);
  return end === floor && floor > from ? to : end;
}

interface AppendRange {
  start: number;
  to: number;
  isNew: boolean;
  /** Of a new copy: what only its owner may read here, others must not read there. */
  mode: number | undefined;
  trustWrite: boolean;
  /** Given what is appended. */
  hashes: BlockHashes;
}

async function append(
  source: OpenFile,
  path: string,
  { start, to, isNew, mode, trustWrite, hashes }: AppendRange,
  tools: ShareTools,
  tell: Tell,
): Promise<void> {
  const sent = createHash('sha256');
  if (!isNew) await trimPlace(tools.share, path);
  await withOpen(tools.share.open(path, isNew ? 'wx' : 'r+', mode), target =>
    copyRange(source, target, { from: start, to, path }, tools, tell, piece => {
      sent.update(piece);
      hashes.update(piece);
    }),
  );
  if (isNew) await tools.share.syncFolder(dirname(path));
  if (trustWrite) return;
  const back = createHash('sha256');
  await withOpen(openBack(path, tools), written =>
    readBack(written, start, to, tools, tell, piece => void back.update(piece)),
  );
  if (back.digest('hex') === sent.digest('hex')) return;
  await withOpen(tools.share.open(path, 'r+'), target => target.truncate(start));
  throw damaged(path);
}
