import { totalmem } from 'node:os';
import { join, sep } from 'node:path';
import { EMPTY, merge, type Observable, ReplaySubject } from 'rxjs';
import { monotonicFactory } from 'ulid';
import { createAnalysisPool } from './analysis/analysisPool.ts';
import { ownFolders, type ResolvedPaths } from './config/resolvePaths.ts';
import type { Config } from './config/schema.ts';
import { clockSynced } from './files/clockSynced.ts';
import { confinedFiles } from './files/confinedFiles.ts';
import { DeviceClaims, pipeline } from './files/deviceClaims.ts';
import { askDisk } from './files/diskSpace.ts';
import { makeFolder } from './files/durableNames.ts';
import type { Exclusive } from './files/fileLock.ts';
import { fileLock } from './files/fileLock.ts';
import { type Files, nodeFiles } from './files/files.ts';
import { CallGate, filesWithDeadline } from './files/filesWithDeadline.ts';
import { guardedFiles } from './files/guardedFiles.ts';
import { mountWarnings } from './files/networkMount.ts';
import { isRunning, ownIdentity } from './files/processIdentity.ts';
import { removeTemporaries } from './files/removeTemporaries.ts';
import { ExperimentReserve } from './files/reserveFile.ts';
import { continueRun, noteImport } from './files/runRecord.ts';
import { ToolRunner } from './files/runTool.ts';
import { comparePositions, type SegmentPosition } from './files/segmentedFile.ts';
import { holdStages, type StageHold } from './holdStages.ts';
import { FreshFrames } from './image/freshFrames.ts';
import { isSettled } from './manifest/isSettled.ts';
import { isJournal } from './manifest/journal.ts';
import { Manifest } from './manifest/manifest.ts';
import { readEntries } from './manifest/readEntries.ts';
import { leasesFile, readHolders } from './manifest/stageLeases.ts';
import { noRules, type WorkRules, workRules } from './manifest/workRules.ts';
import { systemClock } from './model/clock.ts';
import type { Entry } from './model/entry.ts';
import type { NoteEvent, PipelineEvent } from './model/event.ts';
import type { FrameSource } from './model/frameSource.ts';
import { utcIso } from './model/localTime.ts';
import type { PauseReason } from './model/pauseReason.ts';
import type { StageName } from './model/stageName.ts';
import { brightfield } from './operators/brightfield/brightfield.ts';
import { collector } from './operators/collector/collector.ts';
import { readThrottled } from './operators/health/powerSupply.ts';
import { settleProcessorOrphans } from './operators/processor/settleProcessorOrphans.ts';
import { clockBehind$ } from './operators/services/clockBehind.ts';
import { keepReserve } from './operators/services/keepReserve.ts';
import { roiManifestOf } from './operators/services/roiManifestOf.ts';
import type { Experiment, Replay, Tools } from './operators/stage/experiment.ts';
import { createShares } from './share/share.ts';
import { openCommunications } from './sinks/communication/openCommunications.ts';
import { composeResultLine } from './sinks/results/composeResultLine.ts';
import { openResultsLog } from './sinks/results/resultsLog.ts';
import { claimCamera, openSource } from './streams/cameras/sources.ts';
import { device$ } from './streams/disk/deviceWatch.ts';
import { diskOf, WrongDiskError } from './streams/disk/experimentDisk.ts';
import { diskSpace$, measureSpace } from './streams/disk/spaceOnDisk.ts';
import { openSensor } from './streams/sensors/openSensor.ts';
import { readStatusOnce } from './streams/status/statusReading.ts';
import { manifestFiles$ } from './streams/watched/manifestFiles.ts';
import { watchDeadlineMs } from './streams/watchFolder/openWatchFolder.ts';
import { recoverySource } from './verify/recoverEntries.ts';
import { reportedLines, withMoves } from './verify/reportedLines.ts';

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
  /** Do not wait for holders that nobody can ask: their user says that they are gone. */
  takeOver?: boolean;
  /** Told when it waits for somebody who holds a stage. */
  onWait?: (message: string) => void;
}

/** An experiment for as long as a process works on it. */
export interface OpenedExperiment {
  readonly experiment: Experiment;
  /** What happens around the stages, and not in them. Never completes; errors when somebody else has taken over a stage. */
  readonly events$: Observable<PipelineEvent>;
  report(event: PipelineEvent): void;
  /** Files for its status, which may use a part of the room that is kept for a full disk. */
  readonly statusFiles: Files;
  /** Why no stage may work for now: the experiment's disk is not there. The first value comes at once. */
  readonly pausedBy$: Observable<PauseReason | null>;
  /** Emits once the stages shall finish what is in flight. Replays. */
  readonly stop$: Observable<void>;
  stop(): void;
  /** Tells the manifest which stages each entry must pass. */
  prepare(config: Config): Promise<void>;
  /**
   * Frees all, the journal last but the leases. Nothing may use it any more.
   * @param aborted within a second, without a compaction.
   */
  close(aborted: boolean): Promise<void>;
}

/** `backup_dir` may be on a disk that hangs: a call to it that takes longer is given up, ms. */
const backupDeadlineMs = 60_000;

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}${sep}`);

/** Part of the memory that frames may take which wait for the processor. */
const freshFramesShare = 16;

/** Notes from before anybody listens, at most. */
const maxEarlyNotes = 100;

/**
 * Opens all that the stages of an experiment share: folders, leases of the exclusive stages, manifest, results log. Whole or not at all:
 * what was opened before an error is closed again.
 *
 * @throws StageHeldError when another process runs one of the stages; DeviceHeldError when another experiment uses the camera; WrongDiskError; the file system's errors, with the path.
 */
export async function openExperiment(options: ExperimentOptions): Promise<OpenedExperiment> {
  const { config, paths, stages } = options;
  const { basics, tracked, reported$, device } = await openBasics(options);
  const { files, smallFiles, reserve, lock, tools, report, alarm, note } = basics;
  const { clock, newId } = tools;
  const stop$ = new ReplaySubject<void>(1);
  let isAborted = false;
  /** What was opened, to be closed in the opposite order. */
  const opened = new AsyncDisposableStack();
  try {
    for (const folder of [paths.data, paths.results, paths.flags, paths.status]) await makeFolder(smallFiles, folder);
    for (const folder of [paths.results, paths.flags, paths.status]) {
      await removeTemporaries(files, folder, isRunning, clock.now());
    }
    const held = await holdStages({ ...options, files: smallFiles, lock, note });
    opened.defer(() => held.release());
    await refuseHeldCameras(basics);

    const share = config.Services.enable_remote_sync ? paths.remote.root : null;
    for (const warning of mountWarnings({ backup: paths.backup, share })) note('warning', warning);
    // The images of a replay are originals, and its results stay where they are.
    const rulesOf = options.replay ? () => noRules : workRules;
    let rules = rulesOf(config);
    const backupGate = new CallGate(backupDeadlineMs);
    // Opening may write it anew.
    const recorded = (await files.stat(paths.manifestFile))?.mtimeMs;
    const manifest = await openManifest(basics, held, { rules: () => rules, backupGate });
    opened.defer(() => manifest.close({ compact: !isAborted }));
    const runFile = join(paths.flags, 'run.json');
    const run = await continueRun(runFile, smallFiles, () => ({
      run_id: newId(),
      started: utcIso(clock.now()),
    }));
    const log = await openResultsLog({
      folder: paths.results,
      files,
      exclusive: lock(join(paths.results, 'processing_results')),
      known: furthestResult(manifest.entries()),
      onChanged: message => alarm('processor', 'results_changed', message),
    });
    opened.defer(() => log.close());
    // What releases claims must be over before the manifest is closed.
    opened.defer(async () => {
      while (tracked.size) await Promise.all(tracked);
    });

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
    const experiment: Experiment = {
      tools,
      paths,
      configFile: options.configFile,
      replay: options.replay ?? null,
      runId: run.run_id,
      runStarted: Date.parse(run.started),
      bootId: ownIdentity.boot_id,
      queue: manifest,
      archive: manifest.archive,
      files,
      backupFiles: filesWithDeadline(files, backupGate, path => isWithin(path, paths.backup)),
      results: {
        append: (head, imageAnalysis) => log.append(composeResultLine(head, imageAnalysis)),
        position: () => log.position(),
        find: (from, entryId, attempt) => log.find(from, entryId, attempt),
        read: location => log.read(location),
      },
      frameSizesFile: join(paths.flags, 'frame_sizes.json'),
      // One for all: of processes that hang on a share at most two are left behind.
      shares: createShares(),
      roiManifest$: roiManifestOf(options.roiManifest$, { tools, note }, stop$),
      manifestTouched$: manifestFiles$(manifest.watchedFiles$, ({ message }) => note('warning', message)),
      space$,
      measureSpace: () => measureSpace(paths.data),
      freshFrames: new FreshFrames(
        stages.includes('processor') ? totalmem() / freshFramesShare : 0,
        id => manifest.get(id)?.processing_status === 'pending',
      ),
      waitingImage: { bytes: 0 },
      // The same lock as that of `requeue`.
      restoreLock: lock(join(paths.data, 'requeue')),
      note,
      liveness: held.liveness,
      isAlive: isRunning,
      clockSynced,
      openSource: sourceOpener(basics, runFile),
      openSensor: (id, deviceRoot) => openSensor(id, deviceRoot, { files: nodeFiles, clock }),
      freeCameras: () => basics.claims.freeUnused(),
      openAnalyser: ({ workers, memoryLimitMb }) =>
        createAnalysisPool({ workers, ...(memoryLimitMb === null ? {} : { memoryLimitMb }) }),
      openReporter: settings =>
        openCommunications(settings.methods, {
          files,
          folder: paths.results,
          title: settings.title,
          sensors: settings.sensors,
          alarm: (key, message) => alarm('communicator', key, message),
          well: key => report({ stage: 'communicator', at: clock.now(), kind: 'well', key }),
          note: message => note('info', message, 'communicator'),
          reported: async signal => {
            const entries = readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined });
            return withMoves(await reportedLines({ entries, lines: log.lines(), liveness: held.liveness, signal }));
          },
        }),
      readStatus: async () => {
        const { connection, status } = await readStatusOnce(paths.pipelineStatusFile);
        return connection === 'running' ? status : null;
      },
      readHolders: () => readHolders(leasesFile(paths.flags)),
      rootSpace: () => askDisk(paths.root),
      readThrottled: signal => readThrottled(basics.programs, signal),
      settleOrphans: {
        processor: () => settleProcessorOrphans(manifest, log),
        compressor: () => manifest.release(manifest.orphans('compressor'), 'compressor'),
      },
    };
    // The reserve is for who deletes, and one process is enough.
    const keepsReserve = options.replay === undefined && stages.includes('ring_buffer');
    const reserve$ = keepsReserve ? keepReserve({ ...experiment, reserve: reserve.file }, { stop$ }) : EMPTY;
    const closing = opened.move();
    return {
      experiment,
      events$: merge(reported$, reserve$, behind$, held.lost$),
      report,
      statusFiles: reserve.statusFiles(),
      pausedBy$: device$(device),
      stop$,
      stop: () => stop$.next(),
      prepare: async changed => {
        rules = rulesOf(changed);
        await manifest.rulesChanged();
      },
      close: async aborted => {
        isAborted = aborted;
        await closing.disposeAsync();
      },
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** What all is opened with. */
interface Basics {
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
async function openBasics(options: ExperimentOptions) {
  const { config, paths } = options;
  // A replay stands where its user has put it.
  const device = options.replay ? null : diskOf(config, paths);
  const wrong = await device?.check();
  if (wrong) throw new WrongDiskError(wrong);
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
  const basics: Basics = { options, files, smallFiles, reserve, lock, tools, programs, claims, report, alarm, note };
  return { basics, tracked, reported$, device };
}

function openManifest(
  { options, files, reserve, lock, tools: { clock, newId }, alarm, note }: Basics,
  { liveness }: StageHold,
  { rules, backupGate }: { rules: () => WorkRules; backupGate: CallGate },
): Promise<Manifest> {
  const { config, paths, stages } = options;
  return Manifest.open({
    file: paths.manifestFile,
    // What frees space on a full disk has to be recorded first.
    files: reserve.files(
      // What is not there was moved to a backup_dir, present or former.
      filesWithDeadline(files, backupGate, path => !isWithin(path, paths.data)),
      path => isJournal(path, paths.manifestFile),
    ),
    exclusive: lock(paths.manifestFile),
    clock,
    own: ownIdentity,
    liveness,
    liveEntries: config.Buffer.live_entries,
    isSettled: entry => isSettled(entry, rules()),
    rules,
    writer: newId(),
    note,
    recovery: recoverySource({
      paths,
      files,
      now: () => clock.now(),
      // An alarm, so that it stays in the status of this process.
      rebuilt: message => alarm(stages[0]!, 'manifest_rebuilt', message),
    }),
  });
}

/** So long a camera may take to say which one it is, and stays claimed for the stage that will open it, ms. */
const identityMs = 10_000;

/** @throws DeviceHeldError when another experiment of this machine uses a camera that a stage of this process wants */
async function refuseHeldCameras({ options, programs, claims, note }: Basics): Promise<void> {
  const { config, paths, configFile, stages, replay = null } = options;
  for (const stage of [collector, brightfield]) {
    const { enabled, source } = stage.settings(config, { paths, configFile, replay });
    if (!enabled || !stages.includes(stage.name)) continue;
    const claim = await claimCamera(source, {
      tools: programs,
      claims,
      signal: AbortSignal.timeout(identityMs),
      note: ({ level, message }) => note(level, message, stage.name),
    });
    claim?.release(identityMs);
  }
}

/** Opens the source of the settings; the first time that of the replay, which is open already. */
function sourceOpener(
  { options, files, smallFiles, tools: { clock }, programs, claims, report, note }: Basics,
  runFile: string,
): Experiment['openSource'] {
  let opened = options.replay?.opened ?? null;
  const gate = new CallGate(watchDeadlineMs);
  return async (settings, signal) => {
    const isImported = settings.type === 'file_importer' || settings.type === 'watch_folder';
    if (!options.replay && isImported) await noteImport(runFile, smallFiles, settings.folder);
    const source =
      opened ??
      (await openSource(settings, {
        clock,
        files,
        signal,
        tools: programs,
        gate,
        claims,
        note: ({ level, message }) => note(level, message, 'collector'),
      }));
    opened = null;
    if (source.total !== null) report({ stage: 'collector', at: clock.now(), kind: 'expected', count: source.total });
    return source;
  };
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
