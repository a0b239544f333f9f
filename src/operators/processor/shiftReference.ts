import { defer, type Observable, Subject, Subscription, timer } from 'rxjs';
import { WorkerDiedError } from '../../analysis/workerDiedError.ts';
import { contentHash } from '../../files/contentHash.ts';
import { findImage, ImagePathError } from '../../image/findImage.ts';
import { isRemoved } from '../../manifest/workRules.ts';
import type { MadeReference, ReferenceBytes, ReferenceJob } from '../../model/analysisJob.ts';
import type { Entry } from '../../model/entry.ts';
import { localIso } from '../../model/localTime.ts';
import type { Experiment, FrameAnalyser } from '../stage/experiment.ts';
import { ReferenceFiles, type ReferenceRecord } from './referenceFiles.ts';

/** What a reference is made from, beside images. */
export interface ReferenceWish extends Omit<ReferenceJob, 'paths' | 'shifts'> {
  roiManifestText: string;
  dataFolder: string;
  resultsFolder: string;
  /** The images are all there, or come quickly: the first ones wait for each other. */
  isReplay: boolean;
}

export type ReferenceExperiment = Pick<Experiment, 'queue' | 'archive' | 'files' | 'runId' | 'tools' | 'note'>;

/** So many archived entries are looked through for the first frames: those of a long run have no images here any more. */
const maxArchived = 10_000;
/** Frames that the pattern is looked for in, before there is a reference: so long a run may go without light. */
const maxPatternTries = 1000;
/** So many frames are looked at in vain before they are analysed. From then on one that shows lines must have been analysed: a night has thousands. */
const maxLooks = 20;
/** Frames without lines that are remembered, before those are forgotten that the queue has no more. */
const maxBad = 1000;
/** The wish for a new one is looked for so often, ms. */
const lookEveryMs = 2000;

/** So long the first frames wait to be analysed for those that the reference needs besides, ms: those of a folder come together. */
const waitMs = 1000;
/**
 * The reference that shifts are measured from: made from the first good frames of the run in the order of collection, so that it is
 * the same for any number of threads and processes. It is made as soon as they are there, before they are analysed themselves where
 * they come together; frames that were analysed before have no shift. How far the pattern pulls positions is measured in the first
 * good frame, before it is analysed itself: no line of the run is without it, whichever thread is quicker.
 *
 * It is kept in `results_dir/references`: its bytes by their hash, and a record by what it was made for, which is written last. After
 * a process has died while it made one, only frames count that have been analysed: an image that kills its process is found there.
 */
export class ShiftReference {
  readonly #wish: ReferenceWish;
  readonly #experiment: ReferenceExperiment;
  readonly #kept: ReferenceFiles;
  /** The newest wish to have one made anew. */
  #wanted = { generation: 0, since: '' };
  #bytes: ReferenceBytes | null = null;
  /** Says how far the pattern pulls positions, while there is no reference. */
  #pattern: ReferenceBytes | null = null;
  /** Frames that show no lines, or whose images can't be read. */
  readonly #bad = new Set<string>();
  #archived: Entry[] = [];
  #looked = Number.NEGATIVE_INFINITY;
  #making: Promise<void> | null = null;
  #patternTries = 0;
  /** Frames in which a reference has been looked for in vain; and whether one that shows lines has been analysed since. */
  #looks = 0;
  #showsLines = false;
  #mustBeProcessed = false;
  #waitsSince: number | null = null;
  /** No more frames will come. */
  #isComplete = false;
  readonly #waited$ = new Subject<void>();
  readonly #timer = new Subscription();

  /** @param upstreamDone$ emits, or completes, when no more frames will come */
  constructor(wish: ReferenceWish, experiment: ReferenceExperiment, upstreamDone$: Observable<unknown>) {
    this.#wish = wish;
    this.#experiment = experiment;
    const { files, note } = experiment;
    this.#kept = new ReferenceFiles(wish.resultsFolder, files, message => note('warning', message, 'processor'));
    this.#timer.add(upstreamDone$.subscribe({ next: () => this.#complete(), complete: () => this.#complete() }));
  }

  /** What frames are analysed with now; null while there is none. */
  get bytes(): ReferenceBytes | null {
    return this.#bytes ?? this.#pattern;
  }

  /** What a result line names: what its shifts are measured from, or, while there is none, what its error bars know of the pattern. */
  get named(): { reference: string | null; pattern: string | null } {
    return { reference: this.#bytes?.hash ?? null, pattern: this.#bytes ? null : (this.#pattern?.hash ?? null) };
  }

  /** @throws the file system's errors */
  async open(): Promise<void> {
    const { archive, tools } = this.#experiment;
    this.#looked = tools.clock.monotonic();
    this.#wanted = (await this.#kept.readAnew()) ?? this.#wanted;
    const { frames } = this.#wish;
    this.#bytes = frames > 0 ? await this.#kept.read(this.#keyOf(frames)) : null;
    if (this.#bytes !== null) return;
    this.#pattern ??= await this.#kept.read(this.#keyOf(0));
    if (frames === 0 && this.#pattern !== null) return;
    this.#mustBeProcessed = await this.#kept.wasLeft();
    this.#archived = [];
    let seen = 0;
    for await (const entry of archive.entries()) {
      if (++seen > maxArchived || this.#archived.length >= Math.max(1, frames)) break;
      if (this.#isCandidate(entry)) this.#archived.push(entry);
    }
  }

  /** Emits when frames that waited may be analysed. */
  readonly wake$: Observable<unknown> = defer(() => this.#waited$);

  /** Whether frames must wait to be analysed until there are enough for the reference. The wait begins with the first question while one is there. */
  mustWait(): boolean {
    const { frames, isReplay } = this.#wish;
    if (this.#bytes !== null || frames === 0 || !isReplay || this.#isComplete || this.#mustBeProcessed) return false;
    const { clock, scheduler } = this.#experiment.tools;
    if (this.#waitsSince === null) {
      // What comes while a claim is on its way must wait too.
      if (this.#experiment.queue.waiting('processor') === 0) return true;
      this.#waitsSince = clock.monotonic();
      this.#timer.add(timer(waitMs, scheduler).subscribe(() => this.#waited$.next()));
    }
    return clock.monotonic() - this.#waitsSince < waitMs;
  }

  #complete(): void {
    this.#isComplete = true;
    this.#waited$.next();
  }

  close(): void {
    this.#timer.unsubscribe();
  }

  /**
   * Makes the reference where its frames are there, and takes over a new wish for one.
   *
   * @param leaving gives up
   */
  async update(analyser: Pick<FrameAnalyser, 'makeReference'>, leaving: AbortSignal): Promise<void> {
    const { frames } = this.#wish;
    await this.#lookForWish();
    // Frames that turn out to be bad make room for the next ones.
    while (frames > 0 && this.#bytes === null && !leaving.aborted && (this.#looks < maxLooks || this.#showsLines)) {
      if (!(await this.#tryToMake(frames, analyser, leaving))) break;
    }
  }

  /**
   * Measures the pattern, where neither it nor a reference is known: for frames that show lines, which are then analysed anew with it. An image that hangs is
   * in work meanwhile, and can be cut short. All of them wait for the same measurement, whichever began it.
   *
   * @param signal gives up
   */
  async measurePattern(analyser: Pick<FrameAnalyser, 'makeReference'>, signal: AbortSignal): Promise<void> {
    while (this.bytes === null && this.#patternTries < maxPatternTries && !signal.aborted) {
      if (!(await this.#tryToMake(0, analyser, signal))) return;
      this.#patternTries++;
    }
  }

  /** A frame has been analysed: one without a line is looked at no more. */
  see({ entry_id }: Entry, showsLines: boolean): void {
    if (this.#bytes !== null) return;
    if (showsLines) this.#showsLines = true;
    else this.#bad.add(entry_id);
    if (this.#bad.size <= maxBad) return;
    const there = new Set([...concat(this.#archived, this.#experiment.queue.entries())].map(entry => entry.entry_id));
    for (const id of this.#bad) if (!there.has(id)) this.#bad.delete(id);
  }

  /** @returns false when there are not enough frames for it */
  async #tryToMake(
    frames: number,
    analyser: Pick<FrameAnalyser, 'makeReference'>,
    leaving: AbortSignal,
  ): Promise<boolean> {
    const entries = this.#firstFrames(Math.max(1, frames));
    if (entries.length < Math.max(1, frames)) return false;
    this.#making ??= this.#make(entries, frames, analyser, leaving).finally(() => {
      this.#making = null;
    });
    await this.#making;
    return true;
  }

  async #lookForWish(): Promise<void> {
    const { clock } = this.#experiment.tools;
    if (clock.monotonic() - this.#looked < lookEveryMs) return;
    this.#looked = clock.monotonic();
    const wanted = await this.#kept.readAnew();
    if (wanted === null || wanted.generation === this.#wanted.generation) return;
    this.#bad.clear();
    await this.open();
  }

  /** The first frames of the run by collection that are not known to be bad, as many as are needed or there. */
  #firstFrames(count: number): Entry[] {
    const { queue } = this.#experiment;
    const frames = new Map<string, Entry>();
    for (const entry of concat(this.#archived, queue.entries())) {
      if (frames.size === count) break;
      if (this.#isCandidate(entry) && !this.#bad.has(entry.entry_id)) frames.set(entry.entry_id, entry);
    }
    return [...frames.values()];
  }

  #isCandidate(entry: Entry): boolean {
    if (entry.camera_data === null || isRemoved(entry) || entry.entry_timestamp_iso < this.#wanted.since) return false;
    if (entry.run_id !== null && entry.run_id !== this.#experiment.runId) return false;
    if (this.#mustBeProcessed) return entry.processing_status === 'processed';
    return entry.processing_status !== 'failed' && entry.processing_status !== 'skip';
  }

  async #make(
    entries: readonly Entry[],
    frames: number,
    analyser: Pick<FrameAnalyser, 'makeReference'>,
    leaving: AbortSignal,
  ): Promise<void> {
    const { files, tools, note, runId } = this.#experiment;
    const { roiManifestText, dataFolder, resultsFolder: _results, isReplay: _replay, ...wish } = this.#wish;
    const job = { ...wish, frames: Math.max(1, frames), shifts: frames > 0 };
    const found: { entry: Entry; path: string }[] = [];
    for (const entry of entries) {
      const path = await findImage(entry.camera_data!, dataFolder, files).catch(passOverMissing);
      if (path === null) this.#bad.add(entry.entry_id);
      else found.push({ entry, path });
    }
    if (found.length < job.frames) return;
    let made: MadeReference;
    try {
      const paths = found.map(({ path }) => path);
      made = await this.#kept.whileMaking(() => analyser.makeReference({ ...job, paths }, leaving));
    } catch (error) {
      if (leaving.aborted) return;
      if (!(error instanceof WorkerDiedError)) throw error;
      for (const { entry } of found) this.#bad.add(entry.entry_id);
      note(
        'warning',
        `no reference of the shifts from the first frames: ${error.message}; it is made from later ones`,
        'processor',
      );
      return;
    }
    if (made.bytes === null) {
      this.#looks += found.length;
      this.#showsLines = false;
      for (const [place, { entry }] of found.entries()) if (!made.good.includes(place)) this.#bad.add(entry.entry_id);
      return;
    }
    // Another process has made it meanwhile, perhaps while this one was suspended: the first one stands.
    const before = await this.#kept.read(this.#keyOf(frames));
    if (before !== null) {
      if (frames === 0) this.#pattern = before;
      else this.#bytes = before;
      return;
    }
    const record: ReferenceRecord = {
      hash: contentHash(made.bytes),
      made: localIso(tools.clock.now()),
      method: job.method,
      roi_manifest_hash: contentHash(roiManifestText),
      run_id: runId,
      generation: this.#wanted.generation,
      frames: made.good.map(place => found[place].entry.entry_id),
      rois: made.rois,
      dark_level: made.darkLevel,
      dark_source: await this.#kept.darkSourceOf(job.darkLevel),
      shifts: job.shifts,
    };
    const kept = await this.#kept.write(this.#keyOf(frames), record, made.bytes);
    if (frames === 0) {
      this.#pattern = kept;
      return;
    }
    this.#bytes = kept;
    note(
      'info',
      `the reference of the shifts is made from ${record.frames.length} frames: ${record.rois} of ${job.rois.rois.length} ROIs have one ` +
        `(${record.hash}, dark level ${Math.round(record.dark_level)} counts, ${record.dark_source.replace('_', ' ')})`,
      'processor',
    );
  }

  /** Of what the reference is made for. @param frames 0: only the pattern's part in positions */
  #keyOf(frames: number): string {
    const { method, estimator, numberOfSubRois, darkLevel, followChip, roiManifestText } = this.#wish;
    const by =
      estimator === 'roi' && (method === 'gaussian' || method === 'fano') ? '' : `${estimator} ${numberOfSubRois}`;
    const key = [
      this.#experiment.runId,
      method,
      by,
      frames,
      darkLevel,
      followChip ?? false,
      contentHash(roiManifestText),
      this.#wanted.generation,
    ];
    return JSON.stringify(key);
  }
}

function* concat<T>(first: Iterable<T>, second: Iterable<T>): Generator<T> {
  yield* first;
  yield* second;
}

function passOverMissing(error: unknown): null {
  if (error instanceof ImagePathError) return null;
  throw error;
}
