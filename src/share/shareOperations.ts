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
import { digestLocal, hashBack, type ShareTools, sided } from './transfer.ts';

/** What can be done with a share: each call by its name. `heartbeat` is called whenever something has moved. */
export type ShareOperations = {
  [K in ShareCall]: (request: ShareCalls[K]['request'], heartbeat: () => void) => Promise<ShareCalls[K]['answer']>;
};

export interface ShareOperationsOptions {
  /** The share's folder, absolute. */
  root: string;
  local: Files;
  share: Files;
  throttle: Throttle;
  /** What was written is not read back. */
  trustWrite: boolean;
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
export function shareOperations({
  root,
  local,
  share,
  throttle,
  trustWrite,
  now,
}: ShareOperationsOptions): ShareOperations {
  let entered: string | null = null;
  const here = sided(local, 'local');
  const remote = sided(confinedFiles(share, [root]), 'share');
  const parts = new Parts(root, remote);
  const checkMounted = async (): Promise<void> => {
    if (entered === null) throw new ShareError(`${root} was not entered`, { code: 'ESHARENOTENTERED' });
    await checkMarker(root, entered, remote);
  };
  const toolsOf = (heartbeat: () => void): ShareTools => ({
    root,
    local: here,
    share: remote,
    parts,
    throttle,
    trustWrite,
    now,
    checkMounted,
    heartbeat,
  });
  return {
    enter: async request => {
      entered = await enterShare(root, request, remote);
      return entered;
    },
    place: (request, heartbeat) => placeFile(request, toolsOf(heartbeat)),
    append: (request, heartbeat) => appendFile(request, toolsOf(heartbeat)),
    publish: (request, heartbeat) => publishFile(request, toolsOf(heartbeat)),
    digest: async (request, heartbeat) => {
      const tools = toolsOf(heartbeat);
      if ('local' in request) return digestLocal(request.local, tools);
      await checkMounted();
      const path = sharePath(root, request.remote);
      const stat = await remote.stat(path);
      if (!stat || stat.isFolder || stat.strange) return null;
      return { size: stat.size, sha256: await hashBack(path, tools, { from: 0, to: stat.size }) };
    },
    stats: async (request, heartbeat) => {
      await checkMounted();
      const stats: (RemoteStat | null)[] = [];
      for (let i = 0; i < request.length; i += statsAtOnce) {
        const found = await Promise.all(
          request.slice(i, i + statsAtOnce).map(path => remote.stat(sharePath(root, path))),
        );
        for (const stat of found) stats.push(stat && remoteStatOf(stat));
        heartbeat();
      }
      return stats;
    },
  };
}
