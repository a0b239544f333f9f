import type { Files } from '../../files/files.ts';
import type { SegmentPosition } from '../../files/segmentedFile.ts';
import type { ResultLine } from '../../model/result.ts';

/** A result whose report a former process began and did not settle. */
export interface Unsettled {
  result: ResultLine;
  /** What its claim says of the output; null when it says nothing. */
  position: SegmentPosition | null;
}

/**
 * Where the communicator reports results to.
 *
 * Contract: opened when the stage subscribes with its settings. `recover` comes first, once, also with an empty list. Then for each batch:
 * `position` for the claim, `report`, and the stage settles. One call at a time, and no new batch before the last is settled; once `report`
 * has resolved, its batch must not be released but settled, or left claimed for `recover`. A rejection of `report` is the stage's failure:
 * nothing of the batch counts and the same batch may be reported again. `flush` when there is nothing to report for now and at the end;
 * `close` once, last, and frees all.
 */
export interface Communication {
  /** End of the output, for the claim to name; null for one that has none (a server, a broker). */
  position(): SegmentPosition | null;
  /**
   * Which of these were reported in full before the crash: they are to be settled, not reported again. What the output has
   * of one in part is taken back.
   */
  recover(unsettled: readonly Unsettled[]): Promise<ReadonlySet<ResultLine>>;
  /** Durable, or taken over by whoever is told, when it resolves. */
  report(results: readonly ResultLine[]): Promise<void>;
  /** Brings up to date what may lag behind the reports (a picture). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface CommunicationOptions {
  files: Files;
  /** `results_dir`, absolute. */
  folder: string;
  /** Name of the experiment, for headings. */
  title: string;
  /** Names of the configured sensors. */
  sensors: readonly string[];
  /** Told of what is wrong beside the reports: they go on. `key` names it. */
  alarm: (key: string, message: string) => void;
  /** Told when that is right again. */
  well: (key: string) => void;
  /** Told of what is worth a line in the log. */
  note?: (message: string) => void;
  /** All results that were reported until it is called, in order: the series is made from them where it has none of the past. */
  reported?: (signal: AbortSignal) => Promise<AsyncIterable<ResultLine>>;
  segmentBytes?: number;
}

export type OpenCommunication = (options: CommunicationOptions) => Promise<Communication>;
