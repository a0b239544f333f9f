import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { ReplayHost } from '../console/replay/replayHost.ts';
import type { ReplayRequest } from '../streams/folder/replaySchema.ts';
import { goOnWords } from './replayRecord.ts';
import { resultLines } from './resultLines.ts';
import { askReplay } from './steerReplay.ts';

/** What the console asks for replays. @param request what the replay in this root was asked for; null: it is none. */
export function replayHost(paths: ResolvedPaths, request: ReplayRequest | null): ReplayHost {
  /** The last wish that was asked for. */
  let asked: Promise<unknown> = Promise.resolve();
  return {
    results: paths.results,
    resultLines: () => resultLines(paths),
    goOn: request && goOnWords(request, paths.root),
    steer: wish => {
      const next = asked.then(async () => (await askReplay(paths, wish))?.seq ?? null);
      asked = next.catch(() => undefined);
      return next;
    },
  };
}
