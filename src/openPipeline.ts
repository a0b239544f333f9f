import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { connect, EMPTY, exhaustMap, ignoreElements, map, merge, type Observable, ReplaySubject, timer } from 'rxjs';
import { monotonicFactory } from 'ulid';
import { createAnalysisPool } from './analysis/analysisPool.ts';
import { clockBehind$ } from './clockBehind.ts';
import { ownFolders, type ResolvedPaths } from './config/resolvePaths.ts';
import type { Config } from './config/schema.ts';
import { diskOf, WrongDiskError } from './experimentDisk.ts';
import { type GraphStage, graph } from './graph.ts';
import { isSettled } from './manifest/isSettled.ts';
import { isJournal } from './manifest/journal.ts';
import { Manifest } from './manifest/manifest.ts';
import { type HeldStages, leasesFile, readHolders, takeStages } from './manifest/stageLeases.ts';
import { noRules } from './manifest/workRules.ts';
import { systemClock } from './model/clock.ts';
import type { Entry, ProcessIdentity } from './model/entry.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import { utcIso } from './model/localTime.ts';
import type { StageName } from './model/stage.ts';
import { settleProcessorOrphans } from './operators/health/settleProcessorOrphans.ts';
import { keepReserve } from './operators/keepReserve.ts';
import type { StageTools } from './operators/stage.ts';
import { mergeUntilComplete } from './rx/mergeUntilComplete.ts';
import { createShares } from './share/share.ts';
import { type AlarmSettings, alarms } from './sinks/alarms.ts';
import { composeResultLine } from './sinks/composeResultLine.ts';
import { openCommunications } from './sinks/openCommunications.ts';
import { openResultsLog } from './sinks/resultsLog.ts';
import { statusName } from './sinks/statusFile.ts';
import { type Replay, stagePace, stageSettings, wantedRoom, workRules } from './stageSettings.ts';
import { clockSynced } from './storage/clockSynced.ts';
import { confinedFiles } from './storage/confinedFiles.ts';
import { askDisk } from './storage/diskSpace.ts';
import { DistantProcesses, distantSilenceMs } from './storage/distantProcesses.ts';
import { makeFolder } from './storage/durableNames.ts';
import type { Exclusive } from './storage/exclusive.ts';
import { fileLock } from './storage/fileLock.ts';
import { type Files, nodeFiles } from './storage/files.ts';
import { guardedFiles } from './storage/guardedFiles.ts';
import { mountWarnings } from './storage/networkMount.ts';
import { CallGate, patientFiles } from './storage/patientFiles.ts';
import { type Liveness, livenessOf, ownIdentity } from './storage/processIdentity.ts';
import { removeTemporaries } from './storage/removeTemporaries.ts';
import { ExperimentReserve } from './storage/reserveFile.ts';
import { continueRun } from './storage/runRecord.ts';
import { comparePositions, type SegmentPosition } from './storage/segmentedFile.ts';
import type { ConfigUpdate } from './streams/configUpdates.ts';
import { control$ } from './streams/control.ts';
import { device$ } from './streams/deviceWatch.ts';
import { diskSpace$, measureSpace } from './streams/diskSpace.ts';
import { manifestFiles$ } from './streams/manifestFiles.ts';
import { readPipelineStatus } from './streams/pipelineStatus.ts';
import { openSource, type SourceSettings } from './streams/sources.ts';
import { recoverySource } from './verify/recoverEntries.ts';

export interface PipelineOptions {
  /** The configuration that counts at the start; what needs a restart is taken from it. */
  config: Config;
  /** The same, and what follows. */
  config$: Observable<ConfigUpdate>;
  paths: ResolvedPaths;
  /** Absolute; null when there is none. */
  configFile: string | null;
  roiManifest$: Observable<string | null>;
  /** What is to say of these two: warnings for the log. */
  warnings$?: Observable<string>;
  stages: readonly GraphStage[];
  /** Who is told of alarms, and how; the first value comes at once. */
  alarms$: Observable<AlarmSettings>;
  /** Images of a folder instead of what the configuration names. */
  replay?: Replay;
  /** Do not wait for holders that nobody can ask: their user says that they are gone. */
  takeOver?: boolean;
  /** Told when it waits for somebody who holds a stage. */
  onWait?: (message: string) => void;
}

export interface Pipeline {
  /** What happens in it. Subscribe once; completes when the work is done, or after {@link stop}. */
  readonly events$: Observable<PipelineEvent>;
  readonly manifest: Manifest;
  readonly runId: string;
  /** Files that are written only while the experiment's disk is there. */
  readonly files: Files;
  /** The same for its status, which may use a part of the room that is kept for a full disk. */
  readonly statusFiles: Files;
  /** Whether a process lives, also one that nobody here can ask. */
  readonly liveness: (process: ProcessIdentity) => Liveness;
  /** Those that this process runs. */
  readonly stages: readonly GraphStage[];
  /** Puts something among the events that happens around the pipeline, and not in it. */
  tell(event: PipelineEvent): void;
  /** Asks all stages to finish what is in flight. */
  stop(): void;
  /**
   * After `events$` has completed, or was unsubscribed from: frees all, the journal last.
   * @param cutShort within a second, without a fold.
   */
  close(cutShort: boolean): Promise<void>;
}

/** Whether a pid is one of this machine's processes. */
const isAlive = (pid: number): boolean => livenessOf({ ...ownIdentity, pid, pid_start: 0 }) !== 'gone';

/** `backup_dir` may be on a disk that hangs: a call to it that takes longer is given up, ms. */
const backupDeadlineMs = 60_000;

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}${sep}`);

/** It is looked so often whether the stages are still this process's own, ms. */
const lostLookMs = 5_000;

/** Notes from before anybody listens, at most. */
const mostEarlyNotes = 100;

/**
 * Opens all that a pipeline works on: folders, manifest, results log, the exclusive stages. Nothing moves before `events$` is
 * subscribed to.
 *
 * @throws StageHeldError when another process runs one of the stages; WrongDiskError; the file system's errors, with the path.
 */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, paths, stages } = options;
  // A replay stands where its user has put it.
  const device = options.replay ? null : diskOf(config, paths);
  const wrong = await device?.look();
  if (wrong) throw new WrongDiskError(wrong);
  const confined = confinedFiles(nodeFiles, ownFolders(paths));
  const files = device ? guardedFiles(confined, () => device.mustBeThere()) : confined;
  const reserve = new ExperimentReserve(files, paths);
  // What a start must write on a full disk, so that room can be made at all.
  const smallFiles = reserve.files();
  const lock = (path: string): Exclusive => {
    const free = reserve.lock(path, fileLock(path));
    return work => {
      device?.mustBeThere();
      return free(work);
    };
  };
  const clock = systemClock;
  const newId = monotonicFactory();
  for (const folder of [paths.data, paths.results, paths.flags]) await makeFolder(smallFiles, folder);
  for (const folder of [paths.results, paths.flags, paths.status]) {
    await removeTemporaries(files, folder, isAlive, clock.now());
  }

  const distant = new DistantProcesses({
    sign: process => statusText(join(paths.status, statusName(process))),
    monotonic: () => clock.monotonic(),
  });
  const takenOver = new Set<string>();
  const held = await takeStages(stages, {
    folder: paths.flags,
    files: smallFiles,
    exclusive: lock(leasesFile(paths.flags)),
    own: ownIdentity,
    liveness: distant.liveness,
    untilSilent: async holder => {
      const name = `process ${holder.pid} on ${holder.host}`;
      if (options.takeOver) distant.giveUp(holder);
      else {
        options.onWait?.(
          `${name} was not stopped, and nobody here can ask it: its stages are taken over once it has shown no sign of life for ${distantSilenceMs / 1000} s ("--take-over" does it at once)`,
        );
        if (!(await distant.untilSilent(holder))) return false;
      }
      takenOver.add(name);
      return true;
    },
  });
  try {
    // What opening finds is told once somebody listens.
    const notes$ = new ReplaySubject<PipelineEvent>(mostEarlyNotes);
    const note = (level: NoteEvent['level'], message: string, stage: StageName | null = null): void =>
      notes$.next({ kind: 'note', at: clock.now(), level, stage, message });

    for (const name of takenOver) {
      const why = options.takeOver ? 'as was asked' : `it has shown no sign of life for ${distantSilenceMs / 1000} s`;
      note('warning', `the stages of ${name}, which nobody here can ask, are taken over: ${why}`);
    }

    // The images of a replay are originals, and its results stay where they are.
    const rulesOf = options.replay ? () => noRules : workRules;
    let rules = rulesOf(config);
    const backupGate = new CallGate(backupDeadlineMs);
    const backupFiles = patientFiles(files, backupGate, path => isWithin(path, paths.backup));
    const share = config.Services.enable_remote_sync ? paths.remote.root : null;
    for (const warning of mountWarnings({ backup: paths.backup, share })) note('warning', warning);
    // Opening may write it anew.
    const recorded = (await files.stat(paths.manifestFile))?.mtimeMs;
    const manifest = await Manifest.open({
      file: paths.manifestFile,
      // What frees space on a full disk has to be recorded first.
      files: reserve.files(
        // What is not there was moved to a backup_dir, present or former.
        patientFiles(files, backupGate, path => !isWithin(path, paths.data)),
        path => isJournal(path, paths.manifestFile),
      ),
      exclusive: lock(paths.manifestFile),
      clock,
      own: ownIdentity,
      liveness: distant.liveness,
      liveEntries: config.Buffer.live_entries,
      isSettled: entry => isSettled(entry, rules),
      rules: () => rules,
      writer: newId(),
      note,
      recovery: recoverySource({
        paths,
        files,
        now: () => clock.now(),
        // An alarm, so that it stays in the status of this process.
        rebuilt: message =>
          notes$.next({
            stage: stages[0]!,
            at: clock.now(),
            kind: 'alarm',
            key: 'manifest_rebuilt',
            message,
            retryInMs: 0,
          }),
      }),
    });
    const run = await continueRun(join(paths.flags, 'run.json'), smallFiles, () => ({
      run_id: newId(),
      started: utcIso(clock.now()),
    }));
    const log = await openResultsLog({
      folder: paths.results,
      files,
      exclusive: lock(join(paths.results, 'processing_results')),
      known: furthestResult(manifest.entries()),
      onChanged: message =>
        notes$.next({
          stage: 'processor',
          at: clock.now(),
          kind: 'alarm',
          key: 'results_changed',
          message,
          retryInMs: 0,
        }),
    });

    const stop$ = new ReplaySubject<void>(1);
    const tracked = new Set<Promise<unknown>>();
    const tools: Omit<StageTools, 'upstreamDone$' | 'paused$' | 'alive'> = {
      clock,
      random: Math.random,
      newId,
      stop$,
      track: promise => {
        const settled = promise.catch(() => undefined).finally(() => tracked.delete(settled));
        tracked.add(settled);
        return promise;
      },
    };

    // One for all: of processes that hang on a share at most two are left behind.
    const shares = createShares();
    const behind$ = options.replay
      ? EMPTY
      : clockBehind$({
          entries: manifest.entries(),
          moments: [
            { what: 'the beginning of the run', at: Date.parse(run.started) },
            ...(recorded === undefined ? [] : [{ what: paths.manifestFile, at: recorded }]),
          ],
          clock,
          stage: stages[0]!,
          stop$,
        });
    const space$ = diskSpace$(() => measureSpace(paths.data));
    // It is for who deletes, and one process is enough.
    const isKept = options.replay === undefined && stages.includes('ring_buffer');
    const reserve$ = isKept ? keepReserve({ ...tools, reserve: reserve.file, space$, notes$ }) : EMPTY;
    let opened = options.replay?.opened ?? null;
    const warnings$ = (options.warnings$ ?? EMPTY).pipe(
      map((message): NoteEvent => ({ kind: 'note', at: clock.now(), level: 'warning', stage: null, message })),
    );
    const events$ = graph({
      config$: options.config$,
      settings: stageSettings(options.paths, options.configFile, options.replay),
      pace: config => stagePace(config, options.replay),
      rules: rulesOf,
      wantedRoom,
      setRules: async changed => {
        rules = changed;
        await manifest.rulesChanged();
      },
      space$,
      here$: device$(device),
      ringBuffer: {
        measureSpace: () => measureSpace(paths.data),
        shares,
        // The same lock as that of `requeue`.
        restoring: lock(join(paths.data, 'requeue')),
        note: (level, message) => note(level, message, 'ring_buffer'),
      },
      backup: { files: backupFiles, isAlive },
      backupFolder: paths.backup,
      syncer: { shares, note: (level, message) => note(level, message, 'syncer') },
      health: {
        liveness: distant.liveness,
        disk: () => askDisk(paths.root),
        readStatus: async () => {
          const { connection, status } = await readPipelineStatus(paths.pipelineStatusFile);
          return connection === 'running' ? status : null;
        },
        readHolders: () => readHolders(leasesFile(paths.flags)),
        settleOrphans: {
          processor: () => settleProcessorOrphans(manifest, log),
          compressor: () => manifest.release(manifest.orphans('compressor'), 'compressor'),
        },
      },
      compressor: {
        isAlive,
        note: (level, message) => note(level, message, 'compressor'),
      },
      control$: control$(paths.controlFile, message => note('warning', message)),
      roiManifest$: options.roiManifest$,
      manifestTouched$: manifestFiles$(manifest.watchedFiles$, ({ message }) => note('warning', message)),
      stages,
      tools,
      manifest,
      files,
      dataFolder: paths.data,
      runId: run.run_id,
      // The images of a folder that is replayed have no entries yet.
      ...(!options.replay && { leftImages: { since: Date.parse(run.started), isAlive, notes$ } }),
      bootId: ownIdentity.boot_id,
      clockSynced,
      openSource: async ({ source: settings }, signal) => {
        const source =
          opened ??
          (await openSource(settings as SourceSettings, {
            clock,
            files,
            signal,
            note: ({ level, message }) => note(level, message, 'collector'),
          }));
        opened = null;
        if (source.total !== null) {
          notes$.next({ stage: 'collector', at: clock.now(), kind: 'expected', count: source.total });
        }
        return source;
      },
      results: {
        append: (head, imageAnalysis) => log.append(composeResultLine(head, imageAnalysis)),
        position: () => log.position(),
        find: (from, entryId, attempt) => log.find(from, entryId, attempt),
        read: location => log.read(location),
      },
      frameSizesFile: join(paths.flags, 'frame_sizes.json'),
      openAnalyser: ({ workers, memoryLimitMb }) =>
        createAnalysisPool({ workers, ...(memoryLimitMb === null ? {} : { memoryLimitMb }) }),
      readResult: location => log.read(location),
      openReporter: settings =>
        openCommunications(settings.methods, {
          files,
          folder: paths.results,
          title: settings.title,
          sensors: settings.sensors,
          alarm: (key, message) =>
            notes$.next({ stage: 'communicator', at: clock.now(), kind: 'alarm', key, message, retryInMs: 0 }),
          well: key => notes$.next({ stage: 'communicator', at: clock.now(), kind: 'well', key }),
        }),
    }).pipe(
      mergeUntilComplete<PipelineEvent>(merge(notes$, reserve$, warnings$, behind$, lostStages$(held))),
      connect(told$ =>
        merge(
          told$,
          alarms(told$, {
            settings$: options.alarms$,
            root: paths.root,
            host: ownIdentity.host,
            runId: run.run_id,
            clock,
            random: Math.random,
          }),
        ),
      ),
    );

    return {
      manifest,
      runId: run.run_id,
      files,
      statusFiles: reserve.statusFiles(),
      liveness: distant.liveness,
      stages,
      events$,
      tell: event => notes$.next(event),
      stop: () => stop$.next(),
      close: async cutShort => {
        // What gives claims back must be over before the manifest is.
        while (tracked.size) await Promise.all(tracked);
        await log.close();
        await manifest.close({ fold: !cutShort });
        // On a full disk they stay in the file under our name, and are free all the same once this process has ended.
        await held.giveBack().catch(() => undefined);
      },
    };
  } catch (error) {
    await held.giveBack().catch(() => undefined);
    throw error;
  }
}

/** The text of a status file; null where there is none. It is small, and on the disk of the experiment. */
function statusText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Errors when another machine, which could not ask this process while it slept, has taken over one of its stages. */
function lostStages$(held: HeldStages): Observable<never> {
  return timer(lostLookMs, lostLookMs).pipe(
    // A disk that is gone for a moment tells nothing.
    exhaustMap(() => held.lost().catch(() => null)),
    map(lost => {
      if (lost) throw lost;
    }),
    ignoreElements(),
  );
}

/** The end of the result that stands last; null where none is known. */
function furthestResult(entries: Iterable<Entry>): SegmentPosition | null {
  let furthest: SegmentPosition | null = null;
  for (const { result } of entries) {
    if (!result) continue;
    const end = { segment: result.segment, length: result.offset + result.length };
    if (furthest === null || comparePositions(end, furthest) > 0) furthest = end;
  }
  return furthest;
}
