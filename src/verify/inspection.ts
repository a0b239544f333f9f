import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Exclusive } from '../files/fileLock.ts';
import type { Files } from '../files/files.ts';
import type { Liveness } from '../files/processIdentity.ts';
import type { SegmentPosition } from '../files/segmentedFile.ts';
import type { ManifestOptions } from '../manifest/manifest.ts';
import type { ProcessIdentity, ResultLocation } from '../model/entry.ts';
import type { Share } from '../share/share.ts';
import { EntryLedger } from './entryLedger.ts';
import type { Finding, FindingKind } from './finding.ts';
import { ReportLedger } from './reportLedger.ts';
import { SeriesLedger } from './seriesLedger.ts';

export interface InspectionOptions {
  paths: ResolvedPaths;
  files: Files;
  liveness: (owner: ProcessIdentity) => Liveness;
  /** Whether a pid is one of this machine's processes. */
  isAlive: (pid: number) => boolean;
  /** Milliseconds since 1970 UTC. */
  now: () => number;
  /** The configuration has results written to a table: without one, none is missed. */
  hasTable: boolean;
  /** Reads an image as a whole and rejects when that can't be; null looks only whether it is there. */
  decode: ((path: string) => Promise<unknown>) | null;
  /** The share to which the experiment is copied; null where it is not. */
  share: InspectedShare | null;
  /** Told of each as it is found. */
  onFinding: (finding: Finding) => void;
  /** Told of what is unusual, and not wrong. */
  onNote: (message: string) => void;
}

/** A share that is only read. */
export interface InspectedShare {
  /** `remote_root_dir`, absolute. */
  root: string;
  /** Id of its marker, and when it was first used, ms since 1970 UTC; null when it never was. */
  known: { id: string; firstUsed: number } | null;
  open: () => Share;
}

/** What a repair needs besides the inspection. */
export interface RepairOptions {
  manifest: ManifestOptions;
  /** Lock between the processes that write a file. */
  lock: (path: string) => Exclusive;
  own: ProcessIdentity;
  /** For the table's columns, and the plot. */
  sensors: readonly string[];
  title: string;
  onMended: (message: string) => void;
  /** What can't be mended now, and why. */
  onLeft: (message: string) => void;
}

/** What was counted. */
export interface Tally {
  entries: number;
  images: number;
  /** Copies of images on the share that were looked at. */
  copies: number;
  /** Result lines, and those among them of an attempt that no longer counts. */
  results: number;
  earlier_results: number;
  rows: number;
  series_rows: number;
  /** Entries that a living process has in flight, and those that a dead one left: neither is looked at as closely. */
  in_work: number;
  left_in_work: number;
}

/** What repairing needs to know. It is as long as what is wrong. */
export interface Repairs {
  /** A part of the manifest can't be read, or is lost. */
  manifest: boolean;
  /** Ids of entries whose image is to be analysed again. */
  again: Set<string>;
  /** Where the results of entries stand that the manifest looks for elsewhere, by id. */
  moved: Map<string, ResultLocation>;
  /** Paths of captured images without an entry. */
  orphans: string[];
  /** Ids of results whose entry is lost: no entry names them, and none knows their image. */
  lost: Set<string>;
  temporaries: string[];
  /** The table does not show what the results say. */
  table: boolean;
  /** The series does not say what the results say, or is not there. */
  series: boolean;
  /** Files that end within a line. */
  torn: string[];
}

/** One look at an experiment: what the checks share. */
export class Inspection {
  readonly options: InspectionOptions;
  readonly ledger = new EntryLedger();
  readonly reports = new ReportLedger();
  readonly series = new SeriesLedger();
  readonly tally: Tally = {
    entries: 0,
    images: 0,
    copies: 0,
    results: 0,
    earlier_results: 0,
    rows: 0,
    series_rows: 0,
    in_work: 0,
    left_in_work: 0,
  };
  readonly repairs: Repairs = {
    manifest: false,
    moved: new Map(),
    again: new Set(),
    orphans: [],
    lost: new Set(),
    temporaries: [],
    table: false,
    series: false,
    torn: [],
  };
  readonly found = new Map<FindingKind, number>();
  /** Times of images whose result is gone and can't be made again: their rows in the table are all that is left of it. */
  readonly keptTimes = new Set<string>();
  /** Ids of results that no entry names in their attempt. */
  readonly unknownResults = new Set<string>();
  /** References that result lines name, by hash, with how many do. */
  readonly references = new Map<string, number>();
  /** How a reader of the journals noticed that acknowledged changes are lost. */
  readonly lostChanges: string[] = [];
  /** Parts of the table that another program has saved or written, or that have lost their header: they are kept as they are. */
  readonly changedTable = new Set<string>();
  /** A process of a pipeline lives: what stands behind these ends, taken before the manifest was read, is in motion. */
  readonly isRunning: boolean;
  readonly ends: { results: SegmentPosition; table: SegmentPosition };

  constructor(
    options: InspectionOptions,
    { isRunning, ends }: { isRunning: boolean; ends: { results: SegmentPosition; table: SegmentPosition } },
  ) {
    this.options = options;
    this.isRunning = isRunning;
    this.ends = ends;
  }

  report(kind: FindingKind, file: string, message: string, entryId?: string): void {
    this.found.set(kind, (this.found.get(kind) ?? 0) + 1);
    this.options.onFinding({ kind, file, ...(entryId === undefined ? {} : { entry_id: entryId }), message });
  }

  readonly note = (message: string): void => this.options.onNote(message);
}
