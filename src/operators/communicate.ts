import { filter, merge, type OperatorFunction, timer } from 'rxjs';
import type { Manifest } from '../manifest/manifest.ts';
import type { Entry, ResultLocation } from '../model/entry.ts';
import type { StageEvent } from '../model/event.ts';
import type { ResultLine } from '../model/result.ts';
import { type Outcome, type StageTools, type Station, stage } from './stage.ts';

export interface CommunicateSettings {
  /** Words of the configuration, each a sink. */
  methods: readonly string[];
  /** Longest wait before looking for work, ms. */
  intervalMs: number;
  /** Names of the configured temperature sensors. */
  sensors: readonly string[];
  /** Title of the plot. */
  title: string;
}

interface Position {
  segment: number;
  length: number;
}

/** A result whose report was begun by a process that is gone, and what its claim says of the output. */
interface Unsettled {
  result: ResultLine;
  position: Position | null;
}

/** All sinks of the configuration as one; see `sinks/communication.ts`. */
export interface Reporter {
  /** End of what is written, for claims; null when no sink keeps a place. */
  position(): Position | null;
  /** Comes first, once: which of these were reported in full before a crash. */
  recover(unsettled: readonly Unsettled[]): Promise<ReadonlySet<ResultLine>>;
  /** Durable when it resolves; the batch is then settled, whatever happens, and not given back. */
  report(results: readonly ResultLine[]): Promise<void>;
  /** Draws what is drawn from time to time. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface CommunicateDeps {
  tools: StageTools;
  manifest: Manifest;
  readResult: (location: ResultLocation) => Promise<ResultLine>;
  openReporter: (settings: CommunicateSettings) => Promise<Reporter>;
}

/** Results reported in one go: one write and one fsync for all of them. */
const batchEntries = 16;

/** Entries of a batch whose result line was read, with it. */
interface Reported {
  entry: Entry;
  line: ResultLine;
}

/**
 * The communicator: reports results to the CSV, the plot and whatever else the configuration names, in the order of
 * collection, and then marks the entries `data_transmitted`.
 *
 * Exclusive: one at a time for a root. A batch is one item: reported as a whole, then settled. What a crash left between
 * the two is found by the position that the claims name: rows that stand there are not written again. An entry whose result
 * line can't be read is set back to `pending`, to be analysed again.
 */
export function communicate(deps: CommunicateDeps): OperatorFunction<CommunicateSettings, StageEvent> {
  return stage<CommunicateSettings, readonly Entry[]>({
    name: 'communicator',
    tools: deps.tools,
    isEnabled: ({ methods }) => methods.length > 0,
    entriesOf: batch => batch.map(entry => entry.entry_id),
    open: settings => openStation(settings, deps),
  });
}

async function openStation(settings: CommunicateSettings, deps: CommunicateDeps): Promise<Station<readonly Entry[]>> {
  const { manifest, tools } = deps;
  const reporter = await deps.openReporter(settings);
  try {
    await settleOrphans(reporter, deps);
  } catch (error) {
    await reporter.close();
    throw error;
  }
  const reporting = new WeakMap<readonly Entry[], Promise<readonly Outcome[]>>();
  return {
    concurrency: 1,
    batch: 1,
    wake$: merge(
      manifest.changes$.pipe(filter(() => manifest.waiting('communicator') > 0)),
      timer(settings.intervalMs, settings.intervalMs, tools.scheduler),
    ),
    claim: async () => {
      const place = reporter.position();
      const entries = await manifest.claim('communicator', batchEntries, { place, behind: 'processor' });
      return entries.length ? [entries] : [];
    },
    perform: async (batch, signal) => {
      const { readable, unreadable } = await readAll(batch, deps);
      if (signal.aborted) return [];
      const outcome = report(readable, unreadable, reporter, deps);
      reporting.set(batch, outcome);
      return outcome;
    },
    giveBack: async batches => {
      for (const batch of batches) {
        // What is being reported must not be claimed by another before it is known whether its rows stand.
        const reported = await reporting.get(batch)?.then(
          () => true,
          () => false,
        );
        if (!reported) await manifest.giveBack(batch, 'communicator');
      }
    },
    close: async cutShort => {
      try {
        if (!cutShort) await reporter.flush();
      } finally {
        await reporter.close();
      }
    },
  };
}

async function readAll(batch: readonly Entry[], { readResult }: CommunicateDeps) {
  const readable: Reported[] = [];
  const unreadable: { entry: Entry; reason: string }[] = [];
  for (const entry of batch) {
    if (!entry.result) {
      unreadable.push({ entry, reason: 'the manifest does not say where its result stands' });
      continue;
    }
    try {
      const line = await readResult(entry.result);
      if (line.entry_id === entry.entry_id && line.attempt === entry.attempt) readable.push({ entry, line });
      else unreadable.push({ entry, reason: `its result line is that of ${line.entry_id}, attempt ${line.attempt}` });
    } catch (error) {
      // A disk that fails is the stage's failure; a line that is not one is this entry's.
      if (['EIO', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      unreadable.push({ entry, reason: (error as Error).message });
    }
  }
  return { readable, unreadable };
}

async function report(
  readable: readonly Reported[],
  unreadable: readonly { entry: Entry; reason: string }[],
  reporter: Reporter,
  deps: CommunicateDeps,
): Promise<Outcome[]> {
  await reporter.report(readable.map(({ line }) => line));
  return [
    ...(await settleReported(readable, deps)),
    ...(await Promise.all(unreadable.map(({ entry, reason }) => analyseAgain(entry, reason, deps)))),
  ];
}

async function settleReported(reported: readonly Reported[], { manifest }: CommunicateDeps): Promise<Outcome[]> {
  if (reported.length === 0) return [];
  await manifest.settle(
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

async function analyseAgain(entry: Entry, reason: string, { manifest }: CommunicateDeps): Promise<Outcome> {
  await manifest.settle([entry], 'communicator', { processing_status: 'pending' });
  return { entryId: entry.entry_id, kind: 'discarded', reason: `analysed again: ${reason}` };
}

/** Repairs claims of processes that are gone: what stands in the outputs counts, the rest waits again. */
async function settleOrphans(reporter: Reporter, deps: CommunicateDeps): Promise<void> {
  const orphans = deps.manifest.orphans('communicator');
  const { readable } = await readAll(orphans, deps);
  const there = await reporter.recover(
    readable.map(({ entry, line }) => {
      const { segment, length } = entry.claims.communicator!;
      return { result: line, position: segment === undefined || length === undefined ? null : { segment, length } };
    }),
  );
  const reported = readable.filter(({ line }) => there.has(line));
  await settleReported(reported, deps);
  const settled = new Set(reported.map(({ entry }) => entry));
  const rest = orphans.filter(entry => !settled.has(entry));
  if (rest.length) await deps.manifest.release(rest, 'communicator');
}
