import { closeSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exhaustMap, ignoreElements, map, type Observable, timer } from 'rxjs';
import type { ResolvedPaths } from './config/resolvePaths.ts';
import { DistantProcesses, distantSilenceMs } from './files/distantProcesses.ts';
import type { Exclusive } from './files/fileLock.ts';
import { type Files, openItselfSync } from './files/files.ts';
import { type Liveness, ownIdentity } from './files/processIdentity.ts';
import { type HeldStages, leasesFile, takeStages } from './manifest/stageLeases.ts';
import { systemClock } from './model/clock.ts';
import type { ProcessIdentity } from './model/entry.ts';
import type { NoteEvent } from './model/event.ts';
import { duration } from './model/quantity.ts';
import type { StageName } from './model/stageName.ts';
import { stages as allStages } from './operators/stages.ts';
import { statusName } from './sinks/status/statusFile.ts';

export interface HoldStagesOptions {
  /** Stages that this process will run; those are held of which a root may have only one. */
  stages: readonly StageName[];
  paths: ResolvedPaths;
  files: Files;
  lock: (path: string) => Exclusive;
  note: (level: NoteEvent['level'], message: string) => void;
  /** Do not wait for holders that nobody can ask: their user says that they are gone. */
  takeOver?: boolean | undefined;
  /** Told when it waits for somebody who holds a stage. */
  onWait?: ((message: string) => void) | undefined;
}

/** The stages that a process holds, and what it knows of the other processes of the root. */
export interface StageHold {
  /** Whether a process lives, also one that nobody here can ask: that is gone once it has been silent for long enough. */
  liveness: (process: ProcessIdentity) => Liveness;
  /** Errors when another machine, which could not ask this process while it slept, has taken over one of its stages. */
  lost$: Observable<never>;
  release(): Promise<void>;
}

/** It is looked so often whether the stages are still this process's own, ms. */
const lostStagesPollMs = 5_000;

/** Takes the leases of the exclusive stages. @throws StageHeldError when another process runs one of them */
export async function holdStages(options: HoldStagesOptions): Promise<StageHold> {
  const { stages, paths, files, lock, note } = options;
  const distant = new DistantProcesses({
    sign: process => statusText(join(paths.status, statusName(process))),
    monotonic: () => systemClock.monotonic(),
  });
  const takeOver = async (holder: ProcessIdentity): Promise<boolean> => {
    const name = `process ${holder.pid} on ${holder.host}`;
    if (options.takeOver) distant.giveUp(holder);
    else {
      options.onWait?.(
        `${name} was not stopped, and nobody here can ask it: its stages are taken over once it has shown no sign of life for ${duration(distantSilenceMs)} ("--take-over" does it at once)`,
      );
      if (!(await distant.untilSilent(holder))) return false;
    }
    const why = options.takeOver ? 'as was asked' : `it has shown no sign of life for ${duration(distantSilenceMs)}`;
    note('warning', `the stages of ${name}, which nobody here can ask, are taken over: ${why}`);
    return true;
  };
  const held = await takeStages(
    allStages.filter(stage => stage.exclusive && stages.includes(stage.name)).map(({ name }) => name),
    {
      folder: paths.flags,
      files,
      exclusive: lock(leasesFile(paths.flags)),
      own: ownIdentity,
      liveness: distant.liveness,
      untilSilent: takeOver,
    },
  );
  return {
    liveness: distant.liveness,
    lost$: lostStages$(held),
    // On a full disk they stay in the file under our name, and are free all the same once this process has ended.
    release: () => held.release().catch(() => undefined),
  };
}

/** The text of a status file; null where there is none. It is small, and on the disk of the experiment. */
function statusText(path: string): string | null {
  try {
    const file = openItselfSync(path, 'r');
    try {
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

function lostStages$(held: HeldStages): Observable<never> {
  return timer(lostStagesPollMs, lostStagesPollMs).pipe(
    // A disk that is gone for a moment tells nothing.
    exhaustMap(() => held.lost().catch(() => null)),
    map(lost => {
      if (lost) throw lost;
    }),
    ignoreElements(),
  );
}
