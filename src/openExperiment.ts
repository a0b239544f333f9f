import { totalmem } from 'node:os';
import { join, sep } from 'node:path';
import { EMPTY, merge, type Observable, ReplaySubject } from 'rxjs';
import { createAnalysisPool } from './analysis/analysisPool.ts';
import type { Config } from './config/schema.ts';
import { type ExperimentBasics, type ExperimentOptions, openBasics } from './experimentBasics.ts';
import { refuseHeldCameras, sourceOpener } from './experimentCameras.ts';
import { clockSynced } from './files/clockSynced.ts';
import { askDisk } from './files/diskSpace.ts';
import { makeFolder } from './files/durableNames.ts';
import { type Files, nodeFiles } from './files/files.ts';
import { CallGate, filesWithDeadline } from './files/filesWithDeadline.ts';
import { mountWarnings } from './files/networkMount.ts';
import { isRunning, ownIdentity } from './files/processIdentity.ts';
import { removeTemporaries } from './files/removeTemporaries.ts';
import { continueRun } from './files/runRecord.ts';
import { comparePositions, type SegmentPosition } from './files/segmentedFile.ts';
import { holdStages, type StageHold } from './holdStages.ts';
import { FreshFrames } from './image/freshFrames.ts';
import { isSettled } from './manifest/isSettled.ts';
import { isJournal } from './manifest/journal.ts';
import { Manifest } from './manifest/manifest.ts';
import { readEntries } from './manifest/readEntries.ts';
import { leasesFile, readHolders } from './manifest/stageLeases.ts';
import { noRules, type WorkRules, workRules } from './manifest/workRules.ts';
import type { Entry } from './model/entry.ts';
import type { PipelineEvent } from './model/event.ts';
import { utcIso } from './model/localTime.ts';
import type { PauseReason } from './model/pauseReason.ts';
import { readThrottled } from './operators/health/powerSupply.ts';
import { settleProcessorOrphans } from './operators/processor/settleProcessorOrphans.ts';
import { clockBehind$ } from './operators/services/clockBehind.ts';
import { keepReserve } from './operators/services/keepReserve.ts';
import { roiManifestOf } from './operators/services/roiManifestOf.ts';
import type { Experiment } from './operators/stage/experiment.ts';
import { createShares } from './share/share.ts';
import { openCommunications } from './sinks/communication/openCommunications.ts';
import { composeResultLine } from './sinks/results/composeResultLine.ts';
import { openResultsLog, type ResultsLog } from './sinks/results/resultsLog.ts';
import { device$ } from './streams/disk/deviceWatch.ts';
import { diskSpace$, measureSpace } from './streams/disk/spaceOnDisk.ts';
import { openSensor } from './streams/sensors/openSensor.ts';
import { readStatusOnce } from './streams/status/statusReading.ts';
import { manifestFiles$ } from './streams/watched/manifestFiles.ts';
import { recoverySource } from './verify/recoverEntries.ts';
import { reportedLines, withMoves } from './verify/reportedLines.ts';

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
    await options.onHeld?.();

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

    const moments = [
      { what: 'the beginning of the run', at: Date.parse(run.started) },
      ...(recorded === undefined ? [] : [{ what: paths.manifestFile, at: recorded }]),
    ];
    // The processor is never off.
    const stage = stages.find(name => name === 'processor') ?? stages[0]!;
    const behind$ = options.replay
      ? EMPTY
      : clockBehind$({ entries: manifest.entries(), moments, clock, stage, stop$ });
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
      results: { ...log, append: (head, imageAnalysis) => log.append(composeResultLine(head, imageAnalysis)) },
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
      openReporter: reporterOpener(basics, held, log),
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

function openManifest(
  { options, files, reserve, lock, tools: { clock, newId }, alarm, note }: ExperimentBasics,
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

/** Opens what reports results, with a way back to all that were reported before. */
function reporterOpener(
  { options, files, tools: { clock }, report, alarm, note }: ExperimentBasics,
  { liveness }: StageHold,
  log: ResultsLog,
): Experiment['openReporter'] {
  const { paths } = options;
  return ({ methods, title, sensors }) =>
    openCommunications(methods, {
      files,
      folder: paths.results,
      title,
      sensors,
      alarm: (key, message) => alarm('communicator', key, message),
      well: key => report({ stage: 'communicator', at: clock.now(), kind: 'well', key }),
      note: message => note('info', message, 'communicator'),
      reported: async signal => {
        const entries = readEntries({ file: paths.manifestFile, files, isSettled, note: () => undefined });
        return withMoves(await reportedLines({ entries, lines: log.lines(), liveness, signal }));
      },
    });
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
