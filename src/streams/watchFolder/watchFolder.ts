import { basename } from 'node:path';
import {
  EMPTY,
  map,
  merge,
  type Observable,
  of,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  Subscription,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import type { SourceSettings } from '../../config/sourceSettings.ts';
import type { Files } from '../../files/files.ts';
import type { CallGate } from '../../files/filesWithDeadline.ts';
import { IdTable } from '../../manifest/idTable.ts';
import type { Clock } from '../../model/clock.ts';
import type { ImportedFrame } from '../../model/frame.ts';
import type { Arrivals as FrameArrivals, FrameSource } from '../../model/frameSource.ts';
import { conflate } from '../../rx/conflate.ts';
import type { FolderNote } from '../folder/folderNotes.ts';
import { NoteTally } from '../folder/folderNotes.ts';
import { imageFile } from '../folder/imageListing.ts';
import { SourceError } from '../folder/sourceError.ts';
import { watched$ } from '../watched/touched.ts';
import { Arrivals } from './arrivals.ts';
import { ArrivedFrames } from './arrivedFrames.ts';
import { type FolderExtent, folderTouches$, maxNamesForChokidar } from './folderTouches.ts';
import { isLeftOut, isPlain, maxDepth, rootOf, WatchedTree } from './watchedTree.ts';

export type WatchFolderOptions = Pick<SourceSettings, 'folder' | 'flags' | 'watch'>;

export interface WatchFolderDeps {
  clock: Clock;
  files: Files;
  /** For a folder on a disk that may hang. */
  gate?: CallGate | undefined;
  note(note: FolderNote): void;
  /** Of the system's mounts; for tests. */
  mountInfo?: () => string;
  /** As {@link folderTouches$}; for tests. */
  touches?: typeof folderTouches$;
  scheduler?: SchedulerLike;
  /** A look at all names comes so often where no watcher tells of them, ms. */
  lookEveryMs?: number;
}

/** Frames that wait to be taken. */
const maxReady = 64;
/** A look at all names besides a watcher that works, and where none has told of anything yet, ms. */
const lookBesideMs = 30_000;
const lookBlindMs = 2_000;
/** Looks take at most one part in so many of the time. */
const lookShare = 50;
/** Names that programs give to what they are still writing, although they end like images. */
const unfinished = /^~|\.(?:tmp|temp|part|partial|filepart|crdownload)\.[a-z]+(?:\.(?:gz|zst))?$/i;

/** What opening has found out; see `openWatchFolder`. */
export interface OpenedFolder {
  /** Absolute. */
  folder: string;
  /** Through the gate. */
  files: Files;
  gate: CallGate;
  /** It comes over a network. */
  isDistant: boolean;
  /** @throws SourceError */
  mustBeMounted: () => void;
}

/**
 * `camera_type = "watch_folder"`: the images that another program saves in a folder, as they come.
 *
 * Contract: opening looks at the folder, and the first time ever remembers what is there (`watchRecord.ts`), which is then left
 * out unless it is asked for. From then on watchers and looks besides tell of images; each becomes a frame when it is whole, rests, and
 * its turn has come (`arrivals.ts`). `next` gives it, and never ends. Files are read only, and nothing is followed out of the folder. An
 * image that is written anew under its name after it was taken in is another image, since its time is part of its id. A
 * rejection of `next` (SourceError, or the file system's) means that the folder is gone or does not answer; opened again, the source goes
 * on where it was, since it asks which images are known. `close` ends watchers and timers.
 */
export class WatchFolder implements FrameSource {
  readonly pace = 'own';
  readonly total = null;
  readonly arrivals: FrameArrivals;
  readonly #options: WatchFolderOptions;
  readonly #deps: WatchFolderDeps;
  readonly #files: Files;
  readonly #tree: WatchedTree;
  readonly #frames: ArrivedFrames;
  readonly #mustBeMounted: () => void;
  /** The system's events do not come over a network. */
  readonly #isDistant: boolean;
  readonly #tally: NoteTally;
  readonly #coming: Arrivals;
  readonly #leftOut = new IdTable();
  /** Ids of frames that are ready, or were given a moment ago. */
  readonly #given = new Set<string>();
  readonly #ready: ImportedFrame[] = [];
  readonly #arrived$ = new Subject<void>();
  readonly #poke$ = new Subject<void>();
  /** Of each look; how the folder is watched depends on it. */
  readonly #extent$ = new ReplaySubject<FolderExtent>(1);
  #isLarge = false;
  readonly #touched = new Set<string>();
  readonly #subscription = new Subscription();
  #isTaken: (id: string) => boolean = () => false;
  #isStarted = false;
  #isClosed = false;
  /** Nothing has told of an image before a look has found it. */
  #isBlind = true;
  #lookAtMs = 0;
  #rootIno: number | null = null;
  #failure: { error: unknown } | null = null;

  constructor(
    options: WatchFolderOptions,
    deps: WatchFolderDeps,
    { folder, files, gate, isDistant, mustBeMounted }: OpenedFolder,
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#files = files;
    this.#mustBeMounted = mustBeMounted;
    this.#isDistant = isDistant;
    this.#tally = new NoteTally(deps.note);
    const { order, settle_seconds: settle, patience_seconds: patience, subfolders } = options.watch;
    const patienceMs = patience * 1000;
    this.#coming = new Arrivals({ order, settleMs: settle * 1000, patienceMs });
    this.#tree = new WatchedTree({ folder, subfolders, files, tally: this.#tally });
    this.#frames = new ArrivedFrames({ tree: this.#tree, tally: this.#tally, gate, clock: deps.clock, patienceMs });
    this.arrivals = {
      has: () => this.#ready.length > 0 || this.#failure !== null,
      subscribe: wake => {
        this.#start();
        return this.#arrived$.subscribe(wake);
      },
      passOver: isTaken => {
        this.#isTaken = isTaken;
      },
    };
  }

  async next(signal: AbortSignal): Promise<ImportedFrame> {
    this.#start();
    for (;;) {
      signal.throwIfAborted();
      const frame = this.#ready.shift();
      if (frame) {
        if (this.#ready.length < maxReady / 2) this.#poke$.next();
        return frame;
      }
      if (this.#failure) throw this.#failure.error;
      await arrivalOf(this.#arrived$, signal);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription.unsubscribe();
    this.#frames.close();
  }

  leaveOut(ids: readonly string[]): void {
    for (const id of ids) this.#leftOut.add(id);
  }

  /** Ids of the images that are there. */
  async presentIds(): Promise<string[]> {
    const ids: string[] = [];
    await this.#tree.walk('', async path => {
      const found = await this.#tree.stat(path);
      if (found && isPlain(found)) ids.push(this.#frames.idOf(path, found));
    });
    return ids;
  }

  #start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    const { scheduler, touches = folderTouches$, lookEveryMs: pollEveryMs = lookBlindMs } = this.#deps;
    const touches$: Observable<void> = this.#isDistant
      ? EMPTY
      : touches(this.#tree.folder, this.#extent$, this.#options.watch.subfolders ? maxDepth : 0, isLeftOut).pipe(
          map(path => {
            this.#touched.add(path);
            if (path !== '') this.#isBlind = false;
          }),
        );
    const moments$ = watched$(touches$, {
      what: this.#tree.folder,
      onError: error => {
        this.#isBlind = true;
        this.#deps.note({ level: 'warning', message: error.message });
      },
      pollEveryMs,
      scheduler,
    });
    const due$ = new Subject<number>();
    const rounds$ = merge(of(null), moments$, this.#poke$, due$.pipe(switchMap(ms => timer(ms, scheduler)))).pipe(
      conflate(() => this.#round()),
      tap(nextMs => {
        if (nextMs !== null) due$.next(nextMs);
      }),
    );
    this.#subscription.add(
      rounds$.subscribe({
        error: error => {
          this.#failure = { error };
          this.#arrived$.next();
        },
      }),
    );
  }

  /** Looks at what has changed, and makes frames of what has come. Resolves with the time to the next round, if one is due. */
  async #round(): Promise<number | null> {
    const { clock } = this.#deps;
    if (this.#touched.delete('')) this.#lookAtMs = 0;
    for (const path of this.#touched) {
      this.#touched.delete(path);
      if (clock.monotonic() < this.#lookAtMs) await this.#see(path);
    }
    if (clock.monotonic() >= this.#lookAtMs) await this.#lookAtAll();
    await this.#lookAtDue();
    const nextMs = this.#coming.nextDueMs(clock.monotonic());
    if (nextMs === null || this.#ready.length >= maxReady) return null;
    // In a burst many come due one after the other: they are looked at together.
    return Math.max(nextMs - clock.monotonic(), this.#options.watch.settle_seconds * 50);
  }

  async #lookAtAll(): Promise<void> {
    const { clock } = this.#deps;
    const begun = clock.monotonic();
    this.#touched.clear();
    this.#mustBeMounted();
    const { ino } = await rootOf(this.#tree.folder, this.#files);
    this.#rootIno ??= ino;
    if (ino !== this.#rootIno)
      throw new SourceError(
        'not_found',
        `${this.#tree.folder}: another folder, or another disk, stands there now; it is looked at anew`,
      );
    for (const id of this.#given) if (this.#isTaken(id)) this.#given.delete(id);
    // In a large folder a name that was seen is not looked at again: its watcher tells when it is written anew.
    const before = this.#coming.size;
    const look = async (path: string): Promise<void> => {
      if (!this.#isLarge || !this.#tree.hasSeen(path)) await this.#see(path);
    };
    const extent = await this.#tree.walk('', look, () => this.#isClosed);
    if (this.#coming.size > before) this.#isBlind = true;
    this.#isLarge ||= extent.names > maxNamesForChokidar;
    this.#extent$.next(extent);
    // The next look is one of the moments that come by themselves, and these are not exact.
    const blindMs = 0.9 * (this.#deps.lookEveryMs ?? lookBlindMs);
    const now = clock.monotonic();
    this.#lookAtMs = Math.max(begun + (this.#isBlind ? blindMs : lookBesideMs), now + lookShare * (now - begun));
  }

  /** Looks at one path. */
  async #see(path: string): Promise<void> {
    if (isLeftOut(path)) return;
    const name = basename(path);
    if (!imageFile(name)) {
      // A folder that has just come may have been filled before it was watched.
      if (await this.#tree.isFolderBelow(path)) this.#lookAtMs = 0;
      return;
    }
    if (unfinished.test(name)) return;
    this.#tree.saw(path);
    const found = await this.#tree.stat(path);
    if (found && !isPlain(found)) {
      this.#tally.count(
        'strange',
        `${this.#tree.at(path)}: a ${found.strange ?? 'folder'} that is named like an image is left alone`,
      );
      return;
    }
    const isNew = found !== null && this.#isNew(this.#frames.idOf(path, found));
    this.#coming.see(path, isNew ? found : null, this.#deps.clock.monotonic());
  }

  #isNew(id: string): boolean {
    return !this.#given.has(id) && this.#leftOut.find(id) < 0 && !this.#isTaken(id);
  }

  /** Looks again at the images whose turn comes next, and makes frames of those whose turn it is. */
  async #lookAtDue(): Promise<void> {
    const { clock } = this.#deps;
    if (this.#ready.length >= maxReady) return;
    for (const { path } of this.#coming.due(clock.monotonic())) {
      if (this.#isClosed) return;
      await this.#see(path);
      if (this.#coming.isToJudge(path, clock.monotonic())) this.#coming.judge(path, await this.#tree.wholenessOf(path));
    }
    for (const image of this.#coming.take(clock.monotonic(), maxReady - this.#ready.length)) {
      const frame = await this.#frames.frameOf(image);
      // Two forms of one image, `x.png` and `x.png.gz`, are one.
      if (!this.#isNew(frame.id!)) continue;
      this.#given.add(frame.id!);
      this.#ready.push(frame);
    }
    if (this.#ready.length > 0) this.#arrived$.next();
  }
}

/** Resolves when something has arrived. @throws the signal's reason */
function arrivalOf(arrived$: Observable<void>, signal: AbortSignal): Promise<void> {
  return new Promise((fulfil, reject) => {
    const end = (settle: () => void): void => {
      waiting.unsubscribe();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    const waiting = arrived$.subscribe(() => end(fulfil));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
