import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { serialize } from 'node:v8';
import type { Files, OpenFile } from '../../src/files/files.ts';
import type { NameSemantics } from '../../src/files/nameSemantics.ts';

/**
 * A file system in memory that a test can stop, or make fail, at any step that matters to durability.
 *
 * A step is every write, truncate, fsync, creation of a name, rename, removal and fsync of a folder. `plan` is asked before
 * each. After a stop every further call throws `Stopped`, as if the process were gone; `afterCrash` is then what the next
 * process finds.
 */
export type StepKind = 'write' | 'truncate' | 'sync' | 'create' | 'rename' | 'remove' | 'syncFolder';

export interface Step {
  index: number;
  kind: StepKind;
  path: string;
  /** Bytes of a write; else 1. */
  length: number;
}

export type Fault =
  /** The process ends here. `applied`: so many bytes of the write have happened; of another step 0 or 1. */
  | { stop: true; applied: number }
  /** A write takes only so many bytes (full disk); other steps go well. */
  | { short: number }
  /** The step fails with this code, after `applied` of it. */
  | { error: string; applied?: number };

/**
 * What a crash leaves. `kill`: all that was written. The others are power cuts, for what was not fsynced:
 * `lost`: neither content nor names; `zeros`: names and lengths, the content zeros; `names`: names, old content.
 * `vfat`: as Linux's vfat leaves it, where length and place of a file stand with its name, and fsck mends what it finds:
 *
 * - The fsync of a folder writes its names, each with the place that it had: a new name is empty, also after a rename, and one
 *   that took over another's leads to the other's content. The fsync of a file writes its length and place to its present name.
 * - What no name leads to any more, and nobody has open, is free at once, though the disk has its name still: other files stand
 *   there now. So too for what was cut to nothing.
 * - Of two names that lead to one content fsck empties one.
 * - The table that leads to what a file has grown by, and to a folder, is written last by every fsync, of whatever: a file that is synced
 *   itself before has its new length at one instant, and no place for it. A folder that was not synced itself before its name was has
 *   none either: Linux then makes the whole disk read-only.
 * - A folder is there once the one that it is in was synced.
 */
export type CrashKind = 'kill' | 'lost' | 'zeros' | 'names' | 'vfat';
export const crashKinds: readonly CrashKind[] = ['kill', 'lost', 'zeros', 'names', 'vfat'];

export class Stopped extends Error {
  constructor() {
    super('the process was stopped here by the test');
  }
}

interface Inode {
  content: Buffer;
  synced: Buffer;
  /** Null once it is removed, or another has its name. */
  path: string | null;
  handles: number;
  /** Other files may stand in its place. */
  isFree: boolean;
  /** How much of its length the table leads to, on the disk of vfat. */
  placed: number;
  ino: number;
  mtimeMs: number;
}

/** What stands on the disk; several processes may see one. */
interface Disk {
  names: Map<string, Inode>;
  syncedNames: Map<string, Inode>;
  folders: Set<string>;
  /** What the names of vfat lead to, in memory and on the disk: null is an empty file. */
  places: Map<string, Inode | null>;
  syncedPlaces: Map<string, Inode | null>;
  syncedFolders: Set<string>;
  /** Those that the table on the disk of vfat does not lead to. */
  unplacedFolders: Set<string>;
  semantics: NameSemantics;
  inodes: number;
  /** Counts changes of content; stands for the time of modification. */
  changes: number;
}

const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: injected or real, '${path}'`), { code, path });

export class FaultyFiles implements Files {
  readonly steps: Step[] = [];
  plan: (step: Step) => Fault | null = () => null;
  /** Awaited before every call that reads or changes anything: holds up this process while others go on. */
  gate: ((call: string, path: string) => Promise<void>) | null = null;
  readonly #disk: Disk;
  #stopped = false;
  readonly turns = new Map<string, Promise<unknown>>();

  /** @param semantics `joined` where the power is to be cut as on vfat. */
  constructor(semantics: NameSemantics = 'apart', disk?: Disk) {
    this.#disk = disk ?? {
      names: new Map(),
      syncedNames: new Map(),
      folders: new Set(),
      places: new Map(),
      syncedPlaces: new Map(),
      syncedFolders: new Set(),
      unplacedFolders: new Set(),
      semantics,
      inodes: 0,
      changes: 0,
    };
  }

  /** Another process on the same disk, with steps, plan and gate of its own. */
  twin(): FaultyFiles {
    return new FaultyFiles(this.#disk.semantics, this.#disk);
  }

  /** This process is gone: whatever it still does throws. */
  stop(): void {
    this.#stopped = true;
  }

  async #pass(call: string, path: string): Promise<void> {
    this.#alive();
    await this.gate?.(call, path);
    this.#alive();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Content now, or null. */
  content(path: string): Buffer | null {
    return this.#disk.names.get(path)?.content ?? null;
  }

  /** All paths now, sorted. */
  paths(): string[] {
    return [...this.#disk.names.keys()].sort();
  }

  /** Two disks with the same have the same folders and files, in the same order. @param noted what else must be the same. */
  fingerprint(noted: unknown): string {
    const { names, folders, semantics } = this.#disk;
    const hash = createHash('sha1').update(JSON.stringify([semantics, [...folders], [...names.keys()]]));
    hash.update(serialize(noted));
    for (const { content } of names.values()) hash.update(`${content.length} `).update(content);
    return hash.digest('base64');
  }

  /** Puts a durable file there without a step. */
  put(path: string, content: string | Uint8Array): void {
    const inode = this.#newInode(path, Buffer.from(content as string));
    const { names, syncedNames, places, syncedPlaces } = this.#disk;
    for (const map of [names, syncedNames, places, syncedPlaces]) map.set(path, inode);
    this.#addFolder(dirname(path), true);
  }

  /** Takes a file away, as a hand would, without a step. */
  drop(path: string): void {
    const { names, syncedNames, places, syncedPlaces } = this.#disk;
    for (const map of [names, syncedNames, places, syncedPlaces]) map.delete(path);
  }

  /** @param semantics of the file system that is found then; default: the same. */
  afterCrash(kind: CrashKind, semantics = this.#disk.semantics): FaultyFiles {
    if (kind === 'vfat') return this.#afterCutOfVfat(semantics);
    const next = new FaultyFiles(semantics);
    for (const folder of this.#disk.folders) next.#addFolder(folder, true);
    for (const [path, { content, synced }] of kind === 'lost' ? this.#disk.syncedNames : this.#disk.names) {
      const zeros = (): Buffer => {
        const bytes = Buffer.alloc(content.length);
        synced.copy(bytes);
        return bytes;
      };
      next.put(path, kind === 'kill' ? content : kind === 'zeros' ? zeros() : synced);
    }
    return next;
  }

  #afterCutOfVfat(semantics: NameSemantics): FaultyFiles {
    const { syncedPlaces, syncedFolders } = this.#disk;
    const next = new FaultyFiles(semantics);
    const isThere = (folder: string): boolean =>
      folder === dirname(folder) || (syncedFolders.has(folder) && isThere(dirname(folder)));
    for (const folder of syncedFolders) if (isThere(folder)) next.#addFolder(folder, true);
    for (const folder of this.#disk.unplacedFolders) {
      if (isThere(folder)) next.gate = () => Promise.reject(failure('EROFS', folder));
    }
    const shared = new Set<Inode>();
    const seen = new Set<Inode>();
    for (const inode of syncedPlaces.values()) if (inode) (seen.has(inode) ? shared : seen).add(inode);
    for (const [path, inode] of syncedPlaces) {
      if (!isThere(dirname(path))) continue;
      const isEmptied = inode === null || (shared.has(inode) && inode.path === path);
      const content = isEmptied ? '' : inode.isFree ? Buffer.alloc(inode.synced.length, 'another file ') : inode.synced;
      next.put(path, content);
    }
    return next;
  }

  #newInode(path: string, content: Buffer): Inode {
    const { inodes, changes } = this.#disk;
    this.#disk.inodes++;
    this.#disk.changes++;
    return {
      content,
      synced: content,
      path,
      handles: 0,
      isFree: false,
      placed: content.length,
      ino: inodes + 1,
      mtimeMs: changes + 1,
    };
  }

  #lostName(inode: Inode | undefined): void {
    if (!inode) return;
    inode.path = null;
    inode.isFree = inode.handles === 0;
  }

  /** Runs one step under the plan; `apply` gets how much of it to do. Returns what was done. */
  #step(kind: StepKind, path: string, length: number, apply: (amount: number) => void): number {
    this.#alive();
    const step = { index: this.steps.length, kind, path, length };
    this.steps.push(step);
    const fault = this.plan(step);
    if (fault === null || ('short' in fault && kind !== 'write')) apply(length);
    else if ('stop' in fault) {
      apply(fault.applied);
      this.#stopped = true;
      throw new Stopped();
    } else if ('short' in fault) {
      const taken = Math.min(length, fault.short);
      apply(taken);
      return taken;
    } else {
      apply(fault.applied ?? 0);
      throw failure(fault.error, path);
    }
    return length;
  }

  /** The table that leads to places is on the disk. */
  #placeAll(): void {
    for (const inode of this.#disk.names.values()) inode.placed = inode.content.length;
    this.#disk.unplacedFolders.clear();
  }

  #alive(): void {
    if (this.#stopped) throw new Stopped();
  }

  #addFolder(path: string, isSynced: boolean): void {
    for (let folder = path; !this.#disk.folders.has(folder); folder = dirname(folder)) {
      this.#disk.folders.add(folder);
      if (isSynced) this.#disk.syncedFolders.add(folder);
      else if (folder !== dirname(folder)) this.#disk.unplacedFolders.add(folder);
    }
  }

  #fill(inode: Inode, content: Buffer): void {
    if (content.length === 0) inode.isFree = true;
    inode.content = content;
    inode.mtimeMs = ++this.#disk.changes;
  }

  async open(path: string, flags: string): Promise<OpenFile> {
    await this.#pass('open', path);
    let inode = this.#disk.names.get(path);
    if (inode && flags.includes('x')) throw failure('EEXIST', path);
    if (!inode) {
      if (flags.startsWith('r')) throw failure('ENOENT', path);
      if (!this.#disk.folders.has(dirname(path))) throw failure('ENOENT', path);
      const created = this.#newInode(path, Buffer.alloc(0));
      this.#step('create', path, 1, done => {
        if (!done) return;
        this.#disk.names.set(path, created);
        this.#disk.places.set(path, null);
      });
      inode = created;
    } else if (flags.startsWith('w')) {
      const existing = inode;
      this.#step('truncate', path, 1, done => {
        if (done) this.#fill(existing, Buffer.alloc(0));
      });
    }
    return this.#handle(path, inode, flags.includes('a'));
  }

  #handle(path: string, inode: Inode, appending: boolean): OpenFile {
    let open = true;
    inode.handles++;
    const usable = async (call: string): Promise<void> => {
      await this.#pass(call, path);
      if (!open) throw failure('EBADF', path);
    };
    return {
      write: async (data, position) => {
        await usable('write');
        const at = appending ? inode.content.length : (position ?? inode.content.length);
        return this.#step('write', path, data.length, amount => {
          const next = Buffer.alloc(Math.max(inode.content.length, at + amount));
          inode.content.copy(next);
          next.set(data.subarray(0, amount), at);
          this.#fill(inode, next);
        });
      },
      read: async (into, position) => {
        await usable('read');
        if (position >= inode.content.length) return 0;
        return inode.content.copy(into, 0, position, Math.min(position + into.length, inode.content.length));
      },
      size: async () => {
        await usable('size');
        return inode.content.length;
      },
      truncate: async length => {
        await usable('truncate');
        this.#step('truncate', path, 1, done => {
          if (!done) return;
          const next = Buffer.alloc(length ?? inode.content.length);
          inode.content.copy(next, 0, 0, next.length);
          this.#fill(inode, next);
        });
      },
      sync: async () => {
        await usable('sync');
        if (this.#disk.semantics === 'joined' && inode.path !== null && inode.placed < inode.content.length) {
          this.#step('sync', path, 1, done => {
            if (!done) return;
            inode.synced = inode.content;
            inode.isFree = true;
            this.#disk.syncedPlaces.set(inode.path!, inode);
          });
        }
        this.#step('sync', path, 1, done => {
          if (!done) return;
          inode.synced = inode.content;
          this.#placeAll();
          if (inode.path === null) return;
          inode.isFree = false;
          this.#disk.places.set(inode.path, inode);
          this.#disk.syncedPlaces.set(inode.path, inode);
        });
      },
      close: async () => {
        if (!open) return;
        open = false;
        // Who is cut off closes nothing before the disk is.
        if (this.#stopped) return;
        if (--inode.handles === 0 && inode.path === null) inode.isFree = true;
      },
    };
  }

  async stat(path: string) {
    await this.#pass('stat', path);
    const inode = this.#disk.names.get(path);
    if (inode) return { size: inode.content.length, mtimeMs: inode.mtimeMs, ino: inode.ino, isFolder: false };
    return this.#disk.folders.has(path) ? { size: 0, mtimeMs: 0, ino: 0, isFolder: true } : null;
  }

  async list(folder: string): Promise<string[]> {
    await this.#pass('list', folder);
    const inside = [...this.#disk.names.keys(), ...this.#disk.folders].filter(
      path => dirname(path) === folder && path !== folder,
    );
    return inside.map(path => path.slice(folder.length + 1));
  }

  async makeFolder(path: string, under?: string): Promise<void> {
    await this.#pass('makeFolder', path);
    if (under !== undefined && !this.#disk.folders.has(under)) throw failure('ENOENT', path);
    this.#addFolder(path, false);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#pass('rename', to);
    const inode = this.#disk.names.get(from);
    if (!inode) throw failure('ENOENT', from);
    this.#step('rename', to, 1, done => {
      if (!done) return;
      const { names, places } = this.#disk;
      if (!places.has(to)) places.set(to, null);
      this.#lostName(names.get(to));
      names.delete(from);
      places.delete(from);
      names.set(to, inode);
      inode.path = to;
    });
  }

  async remove(path: string): Promise<void> {
    await this.#pass('remove', path);
    if (!this.#disk.names.has(path)) return;
    this.#step('remove', path, 1, done => {
      if (!done) return;
      this.#lostName(this.#disk.names.get(path));
      this.#disk.names.delete(path);
      this.#disk.places.delete(path);
    });
  }

  async syncFolder(path: string): Promise<void> {
    await this.#pass('syncFolder', path);
    const { names, syncedNames, places, syncedPlaces, folders, syncedFolders, unplacedFolders, semantics } = this.#disk;
    const within = [...folders].filter(folder => dirname(folder) === path);
    const syncNames = (done: number): void => {
      if (!done) return;
      syncWithin(path, names, syncedNames);
      syncWithin(path, places, syncedPlaces);
      for (const folder of within) syncedFolders.add(folder);
    };
    if (semantics === 'joined' && within.some(folder => unplacedFolders.has(folder))) {
      this.#step('syncFolder', path, 1, syncNames);
    }
    this.#step('syncFolder', path, 1, done => {
      syncNames(done);
      if (done) this.#placeAll();
    });
  }

  async nameHabit(): Promise<NameSemantics> {
    this.#alive();
    return this.#disk.semantics;
  }
}

export interface CrashWalk<T> {
  /** The file system that each run begins with. */
  start?: FaultyFiles;
  context: () => T;
  /** Gets a fresh context from `context` each time, to note in it what was acknowledged. */
  work: (files: FaultyFiles, context: T) => Promise<void>;
  check: (files: FaultyFiles, context: T, at: string) => Promise<void>;
  prefixes?: number;
  kinds?: readonly CrashKind[];
}

function syncWithin<T>(folder: string, memory: ReadonlyMap<string, T>, disk: Map<string, T>): void {
  for (const path of disk.keys()) if (dirname(path) === folder) disk.delete(path);
  for (const [path, what] of memory) if (dirname(path) === folder) disk.set(path, what);
}

/**
 * Stops `work` at every step, before and after it and after every prefix of a write (or `prefixes` of them, evenly, ends
 * included), and shows `check` what each kind of crash leaves. For the cut of vfat the work runs once more, on a disk with that
 * habit, and is stopped before every step and at its end: what is not synced leaves nothing there. Where two crashes leave the
 * same files and the same context, `check` is shown one of them: it must depend on nothing else.
 *
 * @returns how many crashes that were.
 */
export async function atEveryCrash<T>(options: CrashWalk<T>): Promise<number> {
  const { kinds = crashKinds } = options;
  const crashes = await walk(options, 'apart', without(kinds, 'vfat'));
  return crashes + (kinds.includes('vfat') ? await walk({ ...options, prefixes: 1 }, 'joined', ['vfat']) : 0);
}

const without = (kinds: readonly CrashKind[], one: CrashKind): CrashKind[] => kinds.filter(kind => kind !== one);

async function walk<T>(
  { start = new FaultyFiles(), context, work, check, prefixes = Number.POSITIVE_INFINITY }: CrashWalk<T>,
  semantics: NameSemantics,
  kinds: readonly CrashKind[],
): Promise<number> {
  if (kinds.length === 0) return 0;
  let crashes = 0;
  const seen = new Set<string>();
  const look = async (files: FaultyFiles, noted: T, where: string): Promise<void> => {
    for (const crash of kinds) {
      crashes++;
      const at = `${crash} ${where}`;
      const found = files.afterCrash(crash);
      const fingerprint = found.fingerprint(noted);
      if (seen.has(fingerprint)) continue;
      seen.add(fingerprint);
      try {
        await check(found, noted, at);
      } catch (error) {
        (error as Error).message = `${at}: ${(error as Error).message}`;
        throw error;
      }
    }
  };
  const whole = start.afterCrash('kill', semantics);
  const all = context();
  await work(whole, all);
  for (const { index, kind, path, length } of whole.steps) {
    const count = Math.min(length + 1, kind === 'write' ? prefixes : Math.min(2, prefixes));
    for (let i = 0; i < count; i++) {
      const applied = count === 1 ? 0 : Math.round((i * length) / (count - 1));
      const files = start.afterCrash('kill', semantics);
      files.plan = step => (step.index === index ? { stop: true, applied } : null);
      const noted = context();
      await work(files, noted).catch((error: unknown) => {
        if (!files.stopped) throw error;
      });
      if (!files.stopped)
        throw new Error(`The work is not repeatable: step ${index} (${kind} ${path}) did not come again`);
      await look(files, noted, `at step ${index}: ${kind} ${path}, ${applied} of ${length}`);
    }
  }
  if (prefixes === 1) await look(whole, all, 'at the end');
  return crashes;
}

/** The same open file, with somebody who is told when it is closed. */
export function onClose(file: OpenFile, told: () => void): OpenFile {
  return {
    ...file,
    close: async () => {
      told();
      await file.close();
    },
  };
}
