import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { readValidJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { oneLine } from '../model/shownText.ts';
import { safeName } from '../share/sharePath.ts';
import { type ReplayRecord, type ReplayRequest, replaySchema } from '../streams/folder/replaySchema.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** Letters of the folder's name: with four bytes each they fit into a name. */
const longestName = 50;

const recordFile = (root: string): string => join(root, 'flags', 'replay.json');

/** Notes in the folder of a replay what it is a replay of, with which ROI manifest, and whether it came to its end. */
export async function recordReplay(root: string, record: ReplayRecord): Promise<void> {
  await makeFolder(nodeFiles, join(root, 'flags'));
  await writeAtomic(nodeFiles, recordFile(root), `${JSON.stringify(record)}\n`);
}

/**
 * Where a replay goes that was given no folder: `replays/<name>-<method>`, with the estimator where one was asked for, below the
 * working directory. One of the same request that was interrupted goes on where it is; any other gets a folder of its own, with a
 * number behind it.
 *
 * @param method the one that counts, asked for or not.
 * @param onFinished told of each folder that holds just this replay, finished.
 */
export async function defaultReplayFolder(
  cwd: string,
  request: ReplayRequest,
  method: string | undefined = request.method,
  onFinished?: (root: string) => void,
): Promise<string> {
  const { folder, estimator } = request;
  // As every disk takes it, whatever the folder of images is called.
  const short = oneLine([...(basename(folder) || 'images')].slice(0, longestName).join(''));
  const images = safeName(short).replaceAll(/[$%~]/g, '_').trim();
  const name = [images, method, estimator].filter(word => word !== undefined).join('-');
  for (let number = 1; ; number++) {
    const root = resolve(cwd, 'replays', number === 1 ? name : `${name}-${number}`);
    if (!existsSync(root)) return root;
    const record = await readReplay(root);
    if (!isDeepStrictEqual(record?.request, request)) continue;
    if (!record?.finished) return root;
    onFinished?.(root);
  }
}

/** What the folder of a replay says of itself; null when it says nothing that can be read. */
export function readReplay(root: string): Promise<ReplayRecord | null> {
  return readValidJson(nodeFiles, recordFile(root), replaySchema).catch(() => null);
}

/** What is typed to go on with a replay that was interrupted, without its speed. */
export function goOnWords(request: ReplayRequest, root: string): string[] {
  const { folder, ...chosen } = request;
  return [
    ...['replay', folder, '--out', root],
    ...Object.entries(chosen).flatMap(([option, value]) => [`--${option}`, String(value)]),
  ];
}

/**
 * Refuses to run a pipeline as its configuration says in the folder of a replay: that has no camera, and would wait for images that never
 * come. Stages that somebody names may run there.
 *
 * @throws ExitError `usage` that says what goes on with the replay.
 */
export async function refuseInReplay(
  context: Pick<CommandContext, 'cwd' | 'environment'>,
  root: string,
  stages: string | undefined,
): Promise<void> {
  const record = stages === undefined ? await readReplay(root) : null;
  if (!record) return;
  throw new ExitError(
    exitCodes.usage,
    `${root} is the folder of a replay of ${record.request.folder}, and has no camera: "${goOnCommand(context, record.request, root)}" goes on with the replay; with --stages the stages run that you name`,
  );
}

/** The command that goes on with a replay, as one would type it. */
export const goOnCommand = (
  { cwd, environment }: Pick<CommandContext, 'cwd' | 'environment'>,
  request: ReplayRequest,
  root: string,
): string => commandLine({ cwd, environment, config: undefined, root: undefined }, ...goOnWords(request, root));
