import { basename } from 'node:path';
import { filter, firstValueFrom, fromEvent, merge, timer } from 'rxjs';
import { asError } from '../../model/asError.ts';
import type { Entry } from '../../model/entry.ts';
import type { Experiment, Reporter, ReporterSettings } from '../stage/experiment.ts';
import type { Outcome, Stage, Worker } from '../stage/stage.ts';
import { framesPerMinute } from '../stage/stage.ts';
import { createMarkMoves, type MarkMoves, type Read } from './markMoves.ts';

export interface CommunicateSettings extends ReporterSettings {
  /** Longest wait before looking for work, ms. */
  intervalMs: number;
}

export type CommunicateExperiment = Pick<Experiment, 'tools' | 'queue' | 'archive' | 'openReporter'> & {
  results: Pick<Experiment['results'], 'read'>;
};

/** Results reported in one go: one write and one fsync for all of them. */
const batchEntries = 16;

/** A batch whose report was begun. Its claims stand until it is settled: no other process may report it meanwhile. */
interface Begun {
  batch: readonly Read[];
  /** It stands in the outputs in full. */
  isReported: boolean;
  /** Resolves when the attempt to report and settle it is over; never rejects. */
  over: Promise<unknown>;
}

/**
 * The communicator: reports results to the CSV, the plot and whatever else the configuration names, in the order of
 * collection, and then marks the entries `data_transmitted`.
 *
 * Exclusive: one at a time for a root. A batch is one item: reported as a whole, then settled. One whose report has begun is
 * never released: what a failure left between the beginning and the settling is settled or taken back when the stage opens
 * again, and what a crash left likewise, by the position that the claims name: rows that stand there are not written again.
 * An entry whose result line can't be read is set back to `pending`, to be analysed again.
 *
 * Here the order of collection is known, so here each line gets its flags `moved`; see `markMoves`.
 */
export const communicator: Stage<CommunicateSettings, readonly Entry[], CommunicateExperiment> = {
  name: 'communicator',
  exclusive: true,
  settings: ({ Communication, Temperature, Timing }, { paths }) => ({
    methods: Communication.method,
    intervalMs: Timing.communicator_interval_seconds * 1000,
    sensors: Object.values(Temperature.thermocouple_sensors),
    title: basename(paths.root),
  }),
  isEnabled: ({ methods }) => methods.length > 0,
  pace: (config, { replay }) => ({
    intervalMs: config.Timing.communicator_interval_seconds * 1000,
    perMinute: framesPerMinute(config, replay),
  }),
  // What the processor has finished last is reported too.
  finishesQueueMs: 5_000,
  entriesOf: batch => batch.map(entry => entry.entry_id),
  begin: experiment => {
    const begun = new Set<Begun>();
    return { open: settings => openWorker(settings, begun, experiment) };
  },
};

async function openWorker(
  settings: CommunicateSettings,
  begun: Set<Begun>,
  deps: CommunicateExperiment,
): Promise<Worker<readonly Entry[]>> {
  const { queue, tools } = deps;
  const reporter = await deps.openReporter(settings);
  const markMoves = createMarkMoves({
    queue,
    archive: deps.archive,
    readLine: async entry => {
      const found = await readLine(entry, deps);
      return 'line' in found ? found.line : null;
    },
  });
  try {
    await settleBegun(reporter, begun, markMoves, deps);
  } catch (error) {
    await reporter.close();
    throw error;
  }
  const reporting = new WeakMap<readonly Entry[], Begun>();
  let changes = 0;
  const counting = queue.changes$.subscribe(() => changes++);
  return {
    concurrency: 1,
    batch: 1,
    wake$: merge(
      queue.changes$.pipe(filter(() => queue.waiting('communicator') > 0)),
      timer(settings.intervalMs, settings.intervalMs, tools.scheduler),
    ),
    claim: async (_count, leaving) => {
      for (;;) {
        const seen = changes;
        const place = reporter.position();
        const entries = await queue.claim('communicator', batchEntries, { place, behind: 'processor' });
        if (entries.length > 0) return [entries];
        // An earlier image is still being analysed: the queue is not empty, though nothing can be taken yet.
        if (leaving.aborted || queue.waiting('communicator') === 0) return [];
        if (changes === seen) await nextChange(settings, leaving, deps);
      }
    },
    process: async (batch, signal) => {
      const { readable, unreadable } = await readAll(batch, markMoves, deps);
      if (signal.aborted) return [];
      const work = report({ batch: readable, unreadable, reporter, begun, deps });
      reporting.set(batch, work.begun);
      return work.outcomes;
    },
    release: async batches => {
      for (const batch of batches) {
        const report = reporting.get(batch);
        const held = new Set<Entry>();
        if (report) {
          await report.over;
          for (const { entry } of report.batch) held.add(entry);
        }
        await queue.releaseEventually(
          batch.filter(entry => !held.has(entry)),
          'communicator',
        );
      }
    },
    close: async aborted => {
      counting.unsubscribe();
      try {
        if (!aborted) await reporter.flush();
      } finally {
        await reporter.close();
      }
    },
  };
}

/** Resolves when something may have changed in the queue, or when the stage leaves. */
async function nextChange(
  { intervalMs }: CommunicateSettings,
  leaving: AbortSignal,
  { queue, tools }: CommunicateExperiment,
): Promise<void> {
  const events$ = merge(queue.changes$, timer(intervalMs, intervalMs, tools.scheduler), fromEvent(leaving, 'abort'));
  await firstValueFrom(events$, { defaultValue: null });
}

async function readAll(batch: readonly Entry[], markMoves: MarkMoves, deps: CommunicateExperiment) {
  const read: Read[] = [];
  const unreadable: Unreadable[] = [];
  for (const entry of batch) {
    const found = await readLine(entry, deps);
    if ('line' in found) read.push(found);
    else unreadable.push(found);
  }
  return { readable: await markMoves(read), unreadable };
}

interface Unreadable {
  entry: Entry;
  reason: string;
}

async function readLine(entry: Entry, { results }: CommunicateExperiment): Promise<Read | Unreadable> {
  if (!entry.result) return { entry, reason: 'the manifest does not say where its result stands' };
  try {
    const line = await results.read(entry.result);
    if (line.entry_id === entry.entry_id && line.attempt === entry.attempt) return { entry, line };
    return { entry, reason: `its result line is that of ${line.entry_id}, attempt ${line.attempt}` };
  } catch (error) {
    if (isSystems(error)) throw error;
    return { entry, reason: (error as Error).message };
  }
}

/** A disk that fails is the stage's failure; a line that is not one, or whose file was taken away, is its entry's. */
function isSystems(error: unknown): boolean {
  const { code, cause } = asError(error);
  if (code === undefined) return cause !== undefined && isSystems(cause);
  return /^E[A-Z0-9]+$/.test(code) && code !== 'ENOENT';
}

interface Report {
  batch: readonly Read[];
  unreadable: readonly Unreadable[];
  reporter: Reporter;
  begun: Set<Begun>;
  deps: CommunicateExperiment;
}

function report({ batch, unreadable, reporter, begun, deps }: Report): {
  begun: Begun;
  outcomes: Promise<Outcome[]>;
} {
  const mine: Begun = { batch, isReported: false, over: Promise.resolve() };
  const work = async (): Promise<Outcome[]> => {
    await reporter.report(batch.map(({ line }) => line));
    mine.isReported = true;
    const outcomes = await settleReported(batch, deps);
    begun.delete(mine);
    return [
      ...outcomes,
      ...(await Promise.all(unreadable.map(({ entry, reason }) => analyseAgain(entry, reason, deps)))),
    ];
  };
  begun.add(mine);
  const outcomes = work();
  mine.over = outcomes.catch(() => undefined);
  return { begun: mine, outcomes };
}

async function settleReported(reported: readonly Read[], { queue }: CommunicateExperiment): Promise<Outcome[]> {
  if (reported.length === 0) return [];
  await queue.settle(
    reported.map(({ entry }) => entry),
    'communicator',
    { data_transmitted: true },
  );
  return reported.map(({ entry, line }) => ({
    entryId: entry.entry_id,
    kind: 'done',
    detail: { image: line.image_filename ?? '', rois: (line.image_analysis?.length ?? 1) - 1 },
  }));
}

async function analyseAgain(entry: Entry, reason: string, { queue }: CommunicateExperiment): Promise<Outcome> {
  await queue.settle([entry], 'communicator', { processing_status: 'pending' });
  return { entryId: entry.entry_id, kind: 'discarded', reason: `analysed again: ${reason}` };
}

/**
 * Repairs what a failure, or the crash of another process, has left between report and settling: what stands in the outputs
 * counts, the rest waits again.
 */
async function settleBegun(
  reporter: Reporter,
  begun: Set<Begun>,
  markMoves: MarkMoves,
  deps: CommunicateExperiment,
): Promise<void> {
  for (const report of begun) {
    if (!report.isReported) continue;
    await settleReported(report.batch, deps);
    begun.delete(report);
  }
  const orphans = deps.queue.orphans('communicator');
  const { readable } = await readAll(orphans, markMoves, deps);
  const unconfirmed = [...readable, ...[...begun].flatMap(({ batch }) => batch)];
  const there = await reporter.recover(
    unconfirmed.map(({ entry, line }) => {
      const { segment, length } = entry.claims.communicator!;
      return { result: line, position: segment === undefined || length === undefined ? null : { segment, length } };
    }),
  );
  const reported = unconfirmed.filter(({ line }) => there.has(line));
  await settleReported(reported, deps);
  const settled = new Set(reported.map(({ entry }) => entry));
  const rest = [...orphans, ...unconfirmed.map(({ entry }) => entry)].filter(entry => !settled.has(entry));
  if (rest.length > 0) await deps.queue.release([...new Set(rest)], 'communicator');
  begun.clear();
}
