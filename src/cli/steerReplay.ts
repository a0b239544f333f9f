import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import type { Control } from '../model/control.ts';
import {
  fastestReplay,
  type Playback,
  type PlaybackWish,
  parseSpeed,
  slowestReplay,
  withWish,
} from '../model/playback.ts';
import { duration } from '../model/quantity.ts';
import { nothingDone, replayWords } from '../model/replay.ts';
import { parsePlace, placeExamples } from '../model/replayPlace.ts';
import type { ProcessStatus } from '../model/status.ts';
import { changeControl } from '../streams/control/changeControl.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { livingProcesses } from './livingProcesses.ts';
import { loadExperiment } from './loadSteered.ts';

export interface PlaybackOptions {
  json?: true;
}

const pollEveryMs = 50;
const beginsWithinMs = 3000;
/** A replay says within about a second what it has seen; a seek waits until there is room for the next frame, ms. */
const patienceMs = 15_000;

/**
 * Steers the replay of an experiment through the control file, and waits until it has followed.
 * @throws ExitError `usage` for words that are no action, `running` where no replay runs.
 */
export async function steerReplay(
  context: CommandContext,
  words: readonly string[],
  { json }: PlaybackOptions,
): Promise<number> {
  const { output } = context;
  const wish = words.length === 0 ? null : parseWish(words);
  const { paths } = await loadExperiment(context);
  const before = await replayThatRuns(paths);
  if (!before) throw new ExitError(exitCodes.running, `no replay runs in ${paths.root}`);
  const status = wish ? await follow(paths, await askReplay(paths, wish)) : before;
  if (!status) {
    output.error(
      `the replay has not answered for ${duration(patienceMs)}; ${paths.controlFile} stands as asked, and is followed as soon as there is room for the next frame`,
    );
    return exitCodes.failed;
  }
  const { replay } = status;
  if (json) output.json(JSON.stringify(replay));
  else {
    if (wish?.kind === 'seek' && replay.seek) output.line(replay.seek.said);
    output.line(replayWords(replay));
  }
  return wish?.kind === 'seek' && replay.seek?.said.startsWith(nothingDone) ? exitCodes.failed : exitCodes.done;
}

/** Writes down what a person asks of the replay. */
export const askReplay = (paths: ResolvedPaths, wish: PlaybackWish): Promise<Control | null> =>
  changePlayback(paths, before => withWish(before, wish));

/** A replay goes as its command says, whatever was asked of the one before. */
export async function beginPlayback(paths: ResolvedPaths, paused: boolean): Promise<void> {
  if (!paused && !existsSync(paths.controlFile)) return;
  await changePlayback(paths, () => (paused ? { paused } : {}));
}

async function changePlayback(paths: ResolvedPaths, edit: (before: Playback) => Playback): Promise<Control | null> {
  const { controlFile } = paths;
  const reserve = new ExperimentReserve(nodeFiles, paths);
  return changeControl(controlFile, ({ playback = {}, ...before }) => ({ ...before, playback: edit(playback) }), {
    files: reserve.files(),
    exclusive: reserve.lock(controlFile, fileLock(controlFile)),
  });
}

/** @throws ExitError `usage` */
function parseWish([action = '', value, ...more]: readonly string[]): PlaybackWish {
  const wrong = (what: string): ExitError => new ExitError(exitCodes.usage, what);
  if (more.length > 0) throw wrong(`"${more[0]}" is too much: an action has one value at most`);
  if (value !== undefined && (action === 'pause' || action === 'resume')) throw wrong(`${action} takes no value`);
  switch (action) {
    case 'pause':
    case 'resume':
      return { kind: action };
    case 'step': {
      const frames = Number(value ?? 1);
      if (Number.isInteger(frames) && frames > 0) return { kind: 'step', frames };
      throw wrong(`"${value}" is no number of frames: step takes a whole number from 1 up`);
    }
    case 'speed': {
      const speed = parseSpeed(value ?? '');
      if (speed !== null) return { kind: 'speed', speed };
      throw wrong(
        `${value === undefined ? 'speed takes a value' : `"${value}" is no speed`}: it is max, or a number from ${slowestReplay} to ${fastestReplay}`,
      );
    }
    case 'seek':
      if (value !== undefined && parsePlace(value) !== null) return { kind: 'seek', to: value };
      throw wrong(
        `${value === undefined ? 'seek takes a place' : `"${value}" is no place in a recording`}; places are ${placeExamples}`,
      );
    default:
      throw wrong(`"${action}" is no action; there are pause, resume, step, speed and seek`);
  }
}

type Replaying = ProcessStatus & Required<Pick<ProcessStatus, 'replay'>>;

const isReplaying = (status: ProcessStatus): status is Replaying =>
  status.replay !== undefined && status.state !== 'stopped';

async function replayOf(paths: ResolvedPaths): Promise<Replaying | null> {
  return (await livingProcesses(paths.status)).map(({ status }) => status).find(isReplaying) ?? null;
}

/** One that has just begun says what it is within about a second; a pipeline that is no replay never does. */
async function replayThatRuns(paths: ResolvedPaths): Promise<Replaying | null> {
  const begun = performance.now();
  for (;;) {
    const replay = await replayOf(paths);
    const isNew = performance.now() - begun < beginsWithinMs && (await livingProcesses(paths.status)).length > 0;
    if (replay || !isNew) return replay;
    await wait(pollEveryMs);
  }
}

/** The status that has followed, or of a replay that has come to its end meanwhile; null when it does not answer. */
async function follow(paths: ResolvedPaths, asked: Control | null): Promise<Replaying | null> {
  const begun = performance.now();
  let last: Replaying | null = null;
  while (performance.now() - begun < patienceMs) {
    const status = await replayOf(paths);
    // The last that it said.
    if (!status && last) return last;
    last = status ?? last;
    const seek = asked?.playback?.seek?.number ?? 0;
    if (status && status.control.seq >= (asked?.seq ?? 0) && (status.replay.seek?.number ?? 0) >= seek) return status;
    await wait(pollEveryMs);
  }
  return null;
}
