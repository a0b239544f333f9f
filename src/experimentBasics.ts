import { type Observable, ReplaySubject } from 'rxjs';
import { monotonicFactory } from 'ulid';
import { ownFolders, type ResolvedPaths } from './config/resolvePaths.ts';
import type { Config } from './config/schema.ts';
import { confinedFiles } from './files/confinedFiles.ts';
import { DeviceClaims, pipeline } from './files/deviceClaims.ts';
import type { Exclusive } from './files/fileLock.ts';
import { fileLock } from './files/fileLock.ts';
import { type Files, nodeFiles } from './files/files.ts';
import { guardedFiles } from './files/guardedFiles.ts';
import { KeptDisk } from './files/keptDisk.ts';
import { ExperimentReserve } from './files/reserveFile.ts';
import { ToolRunner } from './files/runTool.ts';
import { systemClock } from './model/clock.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import type { FrameSource } from './model/frameSource.ts';
import type { StageName } from './model/stageName.ts';
import type { Replay, Tools } from './operators/stage/experiment.ts';
import { diskOf, WrongDiskError } from './streams/disk/experimentDisk.ts';

export interface ExperimentOptions {
  /** The configuration that counts at the start; what needs a restart is taken from it. */
  config: Config;
  paths: ResolvedPaths;
  /** Absolute; null when there is none. */
  configFile: string | null;
  roiManifest$: Observable<string | null>;
  /** Stages that this process will run. */
  stages: readonly StageName[];
  /** Images of a folder instead of what the configuration names; the folder is opened already, and opened anew after a failure. */
  replay?: Replay & { readonly opened: FrameSource };
  /** Called once this process holds its stages, before anything but empty folders is made. */
  onHeld?: () => Promise<void>;
  /** Do not wait for holders that nobody can ask: their user says that they are gone. */
  takeOver?: boolean;
  /** Told when it waits for somebody who holds a stage. */
  onWait?: (message: string) => void;
}

/** Notes from before anybody listens, at most. */
const maxEarlyNotes = 100;

/** What an experiment's parts are opened with: its files, locks, clock, and where what happens is told. */
export interface ExperimentBasics {
  options: ExperimentOptions;
  /** Only below the experiment's folders, and while its disk is there. */
  files: Files;
  /** The same for what a start must write on a full disk, so that room can be made at all. */
  smallFiles: Files;
  reserve: ExperimentReserve;
  lock: (path: string) => Exclusive;
  tools: Tools;
  /** Those of other people. */
  programs: ToolRunner;
  /** Devices that this process uses. */
  claims: DeviceClaims;
  report: (event: PipelineEvent) => void;
  alarm: (stage: StageName, key: string, message: string) => void;
  note: (level: NoteEvent['level'], message: string, stage?: StageName | null) => void;
}

/** @throws WrongDiskError */
export async function openBasics(options: ExperimentOptions) {
  const { config, paths } = options;
  // A replay stands where its user has put it.
  const named = options.replay ? null : diskOf(config, paths);
  const wrong = await named?.check();
  if (wrong) throw new WrongDiskError(wrong);
  const device = named ?? (await KeptDisk.of(paths.root));
  const confined = confinedFiles(nodeFiles, ownFolders(paths));
  const files = device ? guardedFiles(confined, () => device.mustBeThere()) : confined;
  const reserve = new ExperimentReserve(files, paths);
  const smallFiles = reserve.files();
  const lock = (path: string): Exclusive => {
    const free = reserve.lock(path, fileLock(path));
    return work => {
      device?.mustBeThere();
      return free(work);
    };
  };
  // What happens before anybody listens is told once somebody does.
  const reported$ = new ReplaySubject<PipelineEvent>(maxEarlyNotes);
  const report = (event: PipelineEvent): void => reported$.next(event);
  const note = (level: NoteEvent['level'], message: string, stage: StageName | null = null): void =>
    report({ kind: 'note', at: systemClock.now(), level, stage, message });
  const tracked = new Set<Promise<unknown>>();
  const tools: Tools = {
    clock: systemClock,
    random: Math.random,
    newId: monotonicFactory(),
    track: promise => {
      const settled = promise.catch(() => undefined).finally(() => tracked.delete(settled));
      tracked.add(settled);
      return promise;
    },
  };
  const alarm = (stage: StageName, key: string, message: string): void =>
    report({ stage, at: systemClock.now(), kind: 'alarm', key, message, retryInMs: 0 });
  const programs = new ToolRunner();
  const claims = new DeviceClaims({ root: paths.root, purpose: pipeline });
  const basics: ExperimentBasics = {
    options,
    files,
    smallFiles,
    reserve,
    lock,
    tools,
    programs,
    claims,
    report,
    alarm,
    note,
  };
  return { basics, tracked, reported$, device };
}
