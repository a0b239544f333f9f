import { createHash } from 'node:crypto';
import { confinedFiles } from '../files/confinedFiles.ts';
import type { FileStat, Files } from '../files/files.ts';
import { appendFile } from './appendFile.ts';
import { Parts } from './parts.ts';
import { placeFile } from './placeFile.ts';
import { publishFile } from './publishFile.ts';
import type { RemoteStat, ShareCall, ShareCalls } from './shareCalls.ts';
import { ShareError } from './shareError.ts';
import { checkMarker, enterShare } from './shareMarker.ts';
import { sharePath } from './sharePath.ts';
import type { Throttle } from './throttle.ts';
import { readBack, type ShareTools, sided, type Tell, withOpen } from './transfer.ts';
import { uploadPart } from './uploadPart.ts';

/** What can be done with a share: each call by its name. `tell` is called whenever something has moved. */
export type ShareOperations = {
  [K in ShareCall]: (request: ShareCalls[K]['request'], tell: Tell) => Promise<ShareCalls[K]['answer']>;
};

export interface ShareOperationsOptions {
  /** The share's folder, absolute. */
  root: string;
  local: Files;
  share: Files;
  throttle: Throttle;
  /** Milliseconds, monotonic. */
  now: () => number;
}

const remoteStatOf = ({ size, mtimeMs, isFolder, strange }: FileStat): RemoteStat | null =>
  strange ? { size: -1, mtimeMs, strange: true } : isFolder ? null : { size, mtimeMs };

/** Looks at files are asked for together, since each waits for the network. */
const statsAtOnce = 4;

/**
 * All that is ever done with the share. It runs in the child process; it knows nothing of processes, so that a test can
 * stop it at any step. Only `enter` may be called before `enter`.
 */
export function shareOperations({ root, local, share, throttle, now }: ShareOperationsOptions): ShareOperations {
  let entered: string | null = null;
  const remote = sided(confinedFiles(share, [root]), 'share');
  const tools: ShareTools = {
    root,
    local: sided(local, 'local'),
    share: remote,
    parts: new Parts(root, remote),
    throttle,
    now,
    checkMounted: async () => {
      if (entered === null) throw new ShareError(`${root} was not entered`, { code: 'ESHARENOTENTERED' });
      await checkMarker(root, entered, remote);
    },
  };
  return {
    enter: async request => {
      entered = await enterShare(root, request, remote);
      return entered;
    },
    place: (request, tell) => placeFile(request, tools, tell),
    prepare: async (request, tell) => {
      await tools.checkMounted();
      // One that was never published is gone on with.
      const unused = tools.parts.takeWhole(request.remote, request.token);
      if (unused !== null) await tools.parts.leave(unused);
      const { part, isSynced: _, ...prepared } = await uploadPart(request, tools, tell);
      tools.parts.keepWhole(request.remote, request.token, part);
      return prepared;
    },
    publish: (request, tell) => publishFile(request, tools, tell),
    append: (request, tell) => appendFile(request, tools, tell),
    digest: async (request, tell) => {
      await tools.checkMounted();
      const path = sharePath(root, request);
      const stat = await remote.stat(path);
      if (!stat || stat.isFolder || stat.strange) return null;
      const hash = createHash('sha256');
      let size = 0;
      await withOpen(remote.open(path, 'r'), file =>
        readBack(file, 0, stat.size, tools, tell, piece => {
          hash.update(piece);
          size += piece.length;
        }),
      );
      return { size, sha256: hash.digest('hex') };
    },
    stats: async (request, tell) => {
      await tools.checkMounted();
      const stats: (RemoteStat | null)[] = [];
      for (let i = 0; i < request.length; i += statsAtOnce) {
        const found = await Promise.all(
          request.slice(i, i + statsAtOnce).map(path => remote.stat(sharePath(root, path))),
        );
        for (const stat of found) stats.push(stat && remoteStatOf(stat));
        tell();
      }
      return stats;
    },
  };
}
