import { spawn } from 'node:child_process';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { ReplayHost } from '../console/replay/replayHost.ts';
import type { ReplayRecord } from '../streams/folder/replaySchema.ts';
import type { CommandContext } from './commandDefinition.ts';
import { launcher } from './commandLine.ts';
import { loadPart } from './loadPart.ts';
import { goOnWords } from './replayRecord.ts';
import { resultLines } from './resultLines.ts';

/** What the console asks for replays. @param record what the replay in this root says of itself; null: it is none. */
export function replayHost(
  { cwd, environment }: Pick<CommandContext, 'cwd' | 'environment'>,
  paths: ResolvedPaths,
  record: ReplayRecord | null,
): ReplayHost {
  /** The last wish that was asked for. */
  let asked: Promise<unknown> = Promise.resolve();
  return {
    results: paths.results,
    resultLines: () => resultLines(paths),
    goOn: record && goOnWords(record.request, paths.root),
    roiManifest: record?.roi_manifest?.file ?? null,
    complete: async (field, text) => (await loadPart(() => import('./completePath.ts'))).completePath(field, text, cwd),
    show: (root, until) =>
      new Promise((resolve, reject) => {
        const words = [launcher, '--root', root, 'console'];
        const shown = spawn(process.execPath, words, { cwd, env: environment, stdio: 'inherit', signal: until });
        shown.once('error', reject);
        shown.once('exit', () => resolve());
      }),
    steer: wish => {
      const next = asked.then(async () => {
        const { askReplay } = await loadPart(() => import('./steerReplay.ts'));
        return (await askReplay(paths, wish))?.seq ?? 0;
      });
      asked = next.catch(() => undefined);
      return next;
    },
  };
}
