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

import { basename, dirname, join, relative, resolve, sep } from 'node:path';
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
import { makeFolder } from '../../files/durableNames.ts';
import type { FileStat, Files } from '../../files/files.ts';
import { CallGate, filesWithDeadline } from '../../files/filesWithDeadline.ts';
import { linuxDevices } from '../../files/mountedDevice.ts';
import { comesOverNetwork, mountAt } from '../../files/networkMount.ts';
import { isWholeImage } from '../../image/isWholeImage.ts';
import { IdTable } from '../../manifest/idTable.ts';
import { deterministicId } from '../../manifest/normaliseEntry.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import { plainName } from '../../model/compression.ts';
import type { ImportedFrame } from '../../model/frame.ts';
import type { Arrivals as FrameArrivals, FrameSource } from '../../model/frameSource.ts';
import { counted, duration } from '../../model/quantity.ts';
import { conflate } from '../../rx/conflate.ts';
import { exifTime } from '../folder/exifTime.ts';
import { NoteTally } from '../folder/folderNotes.ts';
import { imageFile } from '../folder/imageListing.ts';
import type { LegacyNote } from '../folder/imageTimes.ts';
import type { ImageTimeSource } from '../folder/listedImage.ts';
import { nameTime } from '../folder/nameTime.ts';
import { SourceError, sourceErrorOf } from '../folder/sourceError.ts';
import { instantOf, type WallTime, wallTimeOf } from '../folder/wallTime.ts';
import { watched$ } from '../watched/touched.ts';
import { type Arrival, Arrivals } from './arrivals.ts';
import { type FolderExtent, folderTouches$, maxNamesForChokidar } from './folderTouches.ts';
import { readWatchRecord, type WatchRecord, watchRecordFile, writeWatchRecord } from './watchRecord.ts';

export type WatchFolderOptions = Pick<SourceSettings, 'folder' | 'flags' | 'watch'>;

export interface WatchFolderDeps {
  clock: Clock;
  files: Files;
  /** For a folder on a disk that may hang. */
  gate?: CallGate | undefined;
  note(note: LegacyNote): void;
  /** Of the system's mounts; for tests. */
  mountInfo?: () => string;
  /** As {@link folderTouches$}; for tests. */
  touches?: typeof folderTouches$;
  scheduler?: SchedulerLike;
  /** A look at all names comes so often where no watcher tells of them, ms. */
  lookEveryMs?: number;
}

const cameraIndex = 'WATCH_FOLDER';
/** So long a call may take, ms: a share that is slow answers, one that hangs does not. */
export const watchDeadlineMs = 30_000;
/** Folders below the watched one that are looked into. */
const maxDepth = 4;
/** Of the last images times and names are remembered: none has the time of another, and one that is replaced is told. */
const maxRemembered = 4096;
/** Frames that wait to be taken. */
const maxReady = 64;
/** A look at all names besides a watcher that works, and where none has told of anything yet, ms. */
const lookBesideMs = 30_000;
const lookBlindMs = 2_000;
/** Looks take at most one part in so many of the time. */
const lookShare = 50;
/** A time in a name or in the image that is further from the file's own is not when it was taken, ms: clocks and zones differ by less. */
const agreesWithin = 26 * 3_600_000;

/** Some servers and disks give 1601, 1970 or 1980 where they know no time: then it was now. */
const earliestMs = Date.UTC(1990, 0);

/** Names that programs give to what they are still writing, although they end like images. */
const unfinished = /^~|\.(?:tmp|temp|part|partial|filepart|crdownload)\.[a-z]+(?:\.(?:gz|zst))?$/i;
/** Of systems: bins, thumbnails, indices. */
const foldersOfSystems = /^(?:\..*|\$RECYCLE\.BIN|System Volume Information|lost\+found|@eaDir|__MACOSX)$/i;

/** The default folder lies in the experiment, where nobody has made it yet: it is made. */
export const liesInExperiment = (folder: string, flags: string): boolean =>
  !relative(dirname(flags), folder).startsWith('..');

/** @throws SourceError when the folder is not there, or can't be read; DamagedJsonError for a record that is damaged. */
export async function openWatchFolder(options: WatchFolderOptions, deps: WatchFolderDeps): Promise<FrameSource> {
  const { flags, watch } = options;
  const folder = resolve(options.folder);
  const gate = deps.gate ?? new CallGate(watchDeadlineMs);
  const files = filesWithDeadline(deps.files, gate, () => true);
  const mountInfo = deps.mountInfo ?? linuxDevices.mountInfo;
  const recordFile = flags === null ? null : watchRecordFile(flags, folder);
  const record = recordFile === null ? null : await readRecord(recordFile, folder, deps.files);
  const mustBeMounted = (was: string | null): void => {
    if (recordFile !== null) mustBeAt(was, folder, recordFile, mountInfo);
  };
  mustBeMounted(record?.mount_point ?? null);
  if (flags !== null && liesInExperiment(folder, flags) && (await files.stat(folder)) === null)
    await makeFolder(deps.files, folder);
  await rootOf(folder, files);
  const mount = mountAt((await files.realPath?.(folder)) ?? folder, mountInfo);
  const mountPoint = record ? record.mount_point : (mount?.mountPoint ?? null);
  const source = new WatchFolder(options, deps, {
    folder,
    files,
    gate,
    isDistant: mount !== null && comesOverNetwork(mount),
    mustBeMounted: () => mustBeMounted(mountPoint),
  });
  const present = watch.take_existing ? [] : (record?.present ?? (await source.presentIds()));
  source.leaveOut(present);
  if (record === null && recordFile !== null) {
    await writeWatchRecord(recordFile, { folder, mount_point: mountPoint, present }, deps.files);
    if (present.length > 0)
      deps.note({
        level: 'info',
        message: `${folder}: ${counted(present.length, 'image was', 'images were')} there before and ${present.length === 1 ? 'is' : 'are'} left out; Watch_Folder.take_existing = true takes them in`,
      });
  }
  return source;
}

function readRecord(recordFile: string, folder: string, files: Files): Promise<WatchRecord | null> {
  return readWatchRecord(recordFile, files).catch((error: Error) => {
    const hint = 'remove it to begin anew: what is in the folder then is left out';
    throw new Error(`${error.message}. It says which images were in ${folder} before; ${hint}`, { cause: error });
  });
}

/** A pulled disk leaves its mount point behind, as an empty folder. @param was where it was mounted @throws SourceError */
function mustBeAt(was: string | null, folder: string, recordFile: string, mountInfo: () => string): void {
  if (was === null || !folder.startsWith(was)) return;
  const now = mountAt(folder, mountInfo);
  if (now === null || now.mountPoint.length >= was.length) return;
  throw new SourceError(
    'not_found',
    `${folder}: nothing is mounted at ${was}, where the disk or share of this folder was: plug it in or mount it. If the folder is meant as it is now, remove ${recordFile}`,
  );
}

/** @throws SourceError */
async function rootOf(folder: string, files: Files): Promise<FileStat> {
  const root = await files.stat(folder).catch((error: unknown) => {
    throw asError(error).code === 'ETIMEDOUT' ? error : sourceErrorOf(folder, error);
  });
  if (root === null)
    throw new SourceError(
      'not_found',
      `${folder}: no such folder; is its disk or share mounted? (Watch_Folder.folder)`,
    );
  if (!root.isFolder)
    throw new SourceError('not_a_folder', `${folder}: is no folder; give the one that the images are saved in`);
  return root;
}

interface OpenedFolder {
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

class WatchFolder implements FrameSource {
  readonly pace = 'own';
  readonly total = null;
  readonly arrivals: FrameArrivals;
  readonly #options: WatchFolderOptions;
  readonly #deps: WatchFolderDeps;
  readonly #folder: string;
  readonly #files: Files;
  readonly #gate: CallGate;
  readonly #mustBeMounted: () => void;
  /** The system's events do not come over a network. */
  readonly #isDistant: boolean;
  readonly #tally: NoteTally;
  readonly #coming: Arrivals;
  readonly #leftOut = new IdTable();
  /** Names that were looked at. */
  readonly #seen = new IdTable();
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
  /** Of the last images, microseconds. */
  readonly #times = new Set<number>();
  readonly #lastPaths = new Set<string>();
  #rootIno: number | null = null;
  #failure: { error: unknown } | null = null;

  constructor(
    options: WatchFolderOptions,
    deps: WatchFolderDeps,
    { folder, files, gate, isDistant, mustBeMounted }: OpenedFolder,
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#folder = folder;
    this.#files = files;
    this.#gate = gate;
    this.#mustBeMounted = mustBeMounted;
    this.#isDistant = isDistant;
    this.#tally = new NoteTally(deps.note);
    const { order, settle_seconds: settle, patience_seconds: patience } = options.watch;
    this.#coming = new Arrivals({ order, settleMs: settle * 1000, patienceMs: patience * 1000 });
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
    this.#tally.sum('late', count => `${counted(count, 'image')} in all came after one that follows by name`);
    this.#tally.sum('replaced', count => `${counted(count, 'image')} in all replaced after they were taken in`);
    this.#tally.sum('cut', count => `${counted(count, 'image')} in all never became whole`);
  }

  leaveOut(ids: readonly string[]): void {
    for (const id of ids) this.#leftOut.add(id);
  }

  /** Ids of the images that are there. */
  async presentIds(): Promise<string[]> {
    const ids: string[] = [];
    await this.#walk('', async path => {
      const found = await this.#statOf(path);
      if (found && isPlain(found)) ids.push(this.#idOf(path, found));
    });
    return ids;
  }

  #start(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    const { scheduler, touches = folderTouches$, lookEveryMs: pollEveryMs = lookBlindMs } = this.#deps;
    const touches$: Observable<void> = this.#isDistant
      ? EMPTY
      : touches(this.#folder, this.#extent$, this.#options.watch.subfolders ? maxDepth : 0, isLeftOut).pipe(
          map(path => {
            this.#touched.add(path);
            if (path !== '') this.#isBlind = false;
          }),
        );
    const moments$ = watched$(touches$, {
      what: this.#folder,
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
    const { ino } = await rootOf(this.#folder, this.#files);
    this.#rootIno ??= ino;
    if (ino !== this.#rootIno)
      throw new SourceError(
        'not_found',
        `${this.#folder}: another folder, or another disk, stands there now; it is looked at anew`,
      );
    for (const id of this.#given) if (this.#isTaken(id)) this.#given.delete(id);
    // In a large folder a name that was seen is not looked at again: its watcher tells when it is written anew.
    const before = this.#coming.size;
    const extent = await this.#walk('', async path => {
      if (!this.#isLarge || this.#seen.find(path) < 0) await this.#see(path);
    });
    if (this.#coming.size > before) this.#isBlind = true;
    this.#isLarge ||= extent.names > maxNamesForChokidar;
    this.#extent$.next(extent);
    // The next look is one of the moments that come by themselves, and these are not exact.
    const blindMs = 0.9 * (this.#deps.lookEveryMs ?? lookBlindMs);
    const now = clock.monotonic();
    this.#lookAtMs = Math.max(begun + (this.#isBlind ? blindMs : lookBesideMs), now + lookShare * (now - begun));
  }

  /** Calls `onImage` for the path of each image in a folder and, where they are looked into, in the folders below. */
  async #walk(folder: string, onImage: (path: string) => Promise<void>): Promise<FolderExtent> {
    const folders = [this.#at(folder)];
    let names = 0;
    for (const found of await this.#namesIn(folder)) {
      if (this.#isClosed) break;
      names++;
      const path = join(folder, found);
      if (imageFile(found)) await onImage(path);
      else if (await this.#isFolderBelow(path)) {
        const below = await this.#walk(path, onImage);
        names += below.names;
        folders.push(...below.folders);
      }
    }
    return { names, folders };
  }

  async #namesIn(folder: string): Promise<string[]> {
    try {
      return await this.#files.list(this.#at(folder));
    } catch (error) {
      if (folder === '') throw error;
      this.#leaveUnread(folder, error);
      return [];
    }
  }

  /** Whether it is a folder to look into. What is known to be none is not looked at again. */
  async #isFolderBelow(path: string): Promise<boolean> {
    if (!this.#options.watch.subfolders || path.split(sep).length > maxDepth) return false;
    if (isLeftOut(path) || this.#seen.find(path) >= 0) return false;
    const found = await this.#statOf(path);
    if (found?.isFolder && !found.strange) return true;
    if (found) this.#seen.add(path);
    return false;
  }

  /** Looks at one path. */
  async #see(path: string): Promise<void> {
    if (isLeftOut(path)) return;
    const name = basename(path);
    if (!imageFile(name)) {
      // A folder that has just come may have been filled before it was watched.
      if (await this.#isFolderBelow(path)) this.#lookAtMs = 0;
      return;
    }
    if (unfinished.test(name)) return;
    this.#seen.add(path);
    const found = await this.#statOf(path);
    if (found && !isPlain(found)) {
      this.#tally.count(
        'strange',
        `${this.#at(path)}: a ${found.strange ?? 'folder'} that is named like an image is left alone`,
      );
      return;
    }
    const isNew = found !== null && this.#isNew(this.#idOf(path, found));
    this.#coming.see(path, isNew ? found : null, this.#deps.clock.monotonic());
  }

  /** Null also for what can't be looked at, which holds up nothing else: that the whole folder is gone shows by itself. */
  async #statOf(path: string): Promise<FileStat | null> {
    try {
      return await this.#files.stat(this.#at(path));
    } catch (error) {
      this.#leaveUnread(path, error);
      return null;
    }
  }

  /** @throws the error of a disk that hangs */
  #leaveUnread(path: string, error: unknown): void {
    if (asError(error).code === 'ETIMEDOUT') throw error;
    this.#tally.count('unreadable', `${sourceErrorOf(this.#at(path), error).message}: it is left out for now`);
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
      if (this.#coming.isToJudge(path, clock.monotonic())) this.#coming.judge(path, await this.#wholenessOf(path));
    }
    for (const image of this.#coming.take(clock.monotonic(), maxReady - this.#ready.length)) {
      const frame = await this.#frame(image);
      // Two forms of one image, `x.png` and `x.png.gz`, are one.
      if (!this.#isNew(frame.id!)) continue;
      this.#given.add(frame.id!);
      this.#ready.push(frame);
    }
    if (this.#ready.length > 0) this.#arrived$.next();
  }

  async #wholenessOf(path: string) {
    try {
      const file = await this.#files.open(this.#at(path), 'r');
      try {
        return await isWholeImage(file, path);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (asError(error).code === 'ETIMEDOUT') throw error;
      // Gone, or not to be read yet: the other program may be about to finish it.
      return 'cut';
    }
  }

  async #frame(image: Arrival): Promise<ImportedFrame> {
    const { path, wholeness, isLate } = image;
    const at = this.#at(path);
    if (wholeness === 'cut')
      this.#tally.count(
        'cut',
        `${at}: has not become whole in ${duration(this.#options.watch.patience_seconds * 1000)} (${image.size} bytes); it is taken in as it stands. When it is written to the end, it is taken in once more`,
      );
    if (this.#lastPaths.has(path))
      this.#tally.count(
        'replaced',
        `${at}: was written anew after it was taken in, and is another image now; the entry before names the same file. Let the other program give each image a name of its own`,
      );
    else if (isLate)
      this.#tally.count('late', `${at}: came after an image that follows it by name, and has its place after that`);
    remember(this.#lastPaths, path);
    const { time, source } = await this.#timeOf(image);
    return {
      kind: 'imported',
      folder: dirname(at),
      filename: basename(at),
      taken: instantOf(this.#apart(time), source),
      elapsedMs: 0,
      cameraIndex,
      id: this.#idOf(path, image),
    };
  }

  /** When it was taken: what its name says, or the camera has written into it, if that agrees with the file's own time; else that. */
  async #timeOf({ path, mtimeMs }: Arrival): Promise<{ time: WallTime; source: ImageTimeSource }> {
    const now = this.#deps.clock.now();
    const isTime = mtimeMs > earliestMs && mtimeMs < now + 365 * agreesWithin;
    const modified = wallTimeOf(isTime ? mtimeMs : now);
    const agrees = (time: WallTime | null | undefined): time is WallTime =>
      time != null && Math.abs(time.wallMs - modified.wallMs) <= agreesWithin;
    const named = nameTime(basename(path))?.time;
    if (agrees(named)) return { time: named, source: 'name' };
    const at = this.#at(path);
    const tagged = await this.#gate.pass(at, () => exifTime(at)).catch(() => null);
    return agrees(tagged) ? { time: tagged, source: 'exif' } : { time: modified, source: 'mtime' };
  }

  /** Files of one burst have one time, since the system's clock for them ticks every 4 ms: each image has a microsecond of its own. */
  #apart(time: WallTime): WallTime {
    let micros = Math.round(time.wallMs * 1000);
    while (this.#times.has(micros)) micros++;
    remember(this.#times, micros);
    return { ...time, wallMs: micros / 1000 };
  }

  #at(path: string): string {
    return join(this.#folder, path);
  }

  /** Some disks keep times to two seconds. An image that is compressed afterwards stays the same. */
  #idOf(path: string, { mtimeMs }: Pick<FileStat, 'mtimeMs'>): string {
    const at = this.#at(path);
    return deterministicId(dirname(at), plainName(basename(at)), String(Math.floor(mtimeMs / 2000)));
  }
}

/** Adds to a set, and forgets the oldest beyond so many. */
function remember<T>(set: Set<T>, value: T): void {
  set.add(value);
  if (set.size > maxRemembered) set.delete(set.values().next().value!);
}

/** Outside, or hidden, or of a system. */
const isLeftOut = (path: string): boolean => path.split(sep).some(name => foldersOfSystems.test(name));

const isPlain = ({ isFolder, strange }: FileStat): boolean => !isFolder && !strange;

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
