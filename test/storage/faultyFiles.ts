import { dirname } from 'node:path';
import type { Files, OpenFile } from '../../src/storage/files.ts';

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
 */
export type CrashKind = 'kill' | 'lost' | 'zeros' | 'names';
export const crashKinds: readonly CrashKind[] = ['kill', 'lost', 'zeros', 'names'];

export class Stopped extends Error {
  constructor() {
    super('the process was stopped here by the test');
  }
}

interface Inode {
  content: Buffer;
  synced: Buffer;
  ino: number;
  mtimeMs: number;
}

/** What stands on the disk; several processes may see one. */
interface Disk {
  names: Map<string, Inode>;
  syncedNames: Map<string, Inode>;
  folders: Set<string>;
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
  #disk: Disk = { names: new Map(), syncedNames: new Map(), folders: new Set(), inodes: 0, changes: 0 };
  #stopped = false;

  /** Another process on the same disk, with steps, plan and gate of its own. */
  twin(): FaultyFiles {
    const twin = new FaultyFiles();
    twin.#disk = this.#disk;
    return twin;
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

  /** Puts a durable file there without a step. */
  put(path: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content as string);
    const inode = { content: bytes, synced: bytes, ino: ++this.#disk.inodes, mtimeMs: ++this.#disk.changes };
    this.#disk.names.set(path, inode);
    this.#disk.syncedNames.set(path, inode);
    this.#addFolder(dirname(path));
  }

  /** Takes a file away, as a hand would, without a step. */
  drop(path: string): void {
    this.#disk.names.delete(path);
    this.#disk.syncedNames.delete(path);
  }

  afterCrash(kind: CrashKind): FaultyFiles {
    const next = new FaultyFiles();
    for (const folder of this.#disk.folders) next.#addFolder(folder);
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

  #alive(): void {
    if (this.#stopped) throw new Stopped();
  }

  #addFolder(path: string): void {
    for (let folder = path; !this.#disk.folders.has(folder); folder = dirname(folder)) this.#disk.folders.add(folder);
  }

  #fill(inode: Inode, content: Buffer): void {
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
      const created = {
        content: Buffer.alloc(0),
        synced: Buffer.alloc(0),
        ino: ++this.#disk.inodes,
        mtimeMs: ++this.#disk.changes,
      };
      this.#step('create', path, 1, done => {
        if (done) this.#disk.names.set(path, created);
      });
      inode = created;
    } else if (flags.startsWith('w')) {
      const existing = inode;
      this.#step('truncate', path, 1, done => {
        if (done) this.#fill(existing, Buffer.alloc(0));
      });
    }
    return this.#handle(path, inode, flags.startsWith('a'));
  }

  #handle(path: string, inode: Inode, appending: boolean): OpenFile {
    let open = true;
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
          const next = Buffer.alloc(length);
          inode.content.copy(next, 0, 0, length);
          this.#fill(inode, next);
        });
      },
      sync: async () => {
        await usable('sync');
        this.#step('sync', path, 1, done => {
          if (done) inode.synced = inode.content;
        });
      },
      close: async () => {
        open = false;
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

  async makeFolder(path: string): Promise<void> {
    await this.#pass('makeFolder', path);
    this.#addFolder(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#pass('rename', to);
    const inode = this.#disk.names.get(from);
    if (!inode) throw failure('ENOENT', from);
    this.#step('rename', to, 1, done => {
      if (!done) return;
      this.#disk.names.delete(from);
      this.#disk.names.set(to, inode);
    });
  }

  async remove(path: string): Promise<void> {
    await this.#pass('remove', path);
    if (!this.#disk.names.has(path)) return;
    this.#step('remove', path, 1, done => {
      if (done) this.#disk.names.delete(path);
    });
  }

  async syncFolder(path: string): Promise<void> {
    await this.#pass('syncFolder', path);
    this.#step('syncFolder', path, 1, done => {
      if (!done) return;
      for (const name of this.#disk.syncedNames.keys()) if (dirname(name) === path) this.#disk.syncedNames.delete(name);
      for (const [name, inode] of this.#disk.names) if (dirname(name) === path) this.#disk.syncedNames.set(name, inode);
    });
  }
}

/**
 * Stops `work` at every step, before and after it and after every prefix of a write (or `prefixes` of them, evenly, ends
 * included), and shows `check` what each kind of crash leaves.
 *
 * @param start the file system that each run begins with.
 * @param work gets a fresh context from `context` each time, to note in it what was acknowledged.
 */
export async function atEveryCrash<T>(options: {
  start?: FaultyFiles;
  context: () => T;
  work: (files: FaultyFiles, context: T) => Promise<void>;
  check: (files: FaultyFiles, context: T, at: string) => Promise<void>;
  prefixes?: number;
  kinds?: readonly CrashKind[];
}): Promise<number> {
  const { start = new FaultyFiles(), context, work, check, prefixes = Number.POSITIVE_INFINITY } = options;
  const whole = start.afterCrash('kill');
  await work(whole, context());
  let crashes = 0;
  for (const { index, kind, path, length } of whole.steps) {
    const count = Math.min(length + 1, kind === 'write' ? Math.max(2, prefixes) : 2);
    for (let i = 0; i < count; i++) {
      const applied = Math.round((i * length) / (count - 1));
      const files = start.afterCrash('kill');
      files.plan = step => (step.index === index ? { stop: true, applied } : null);
      const noted = context();
      await work(files, noted).catch((error: unknown) => {
        if (!files.stopped) throw error;
      });
      if (!files.stopped)
        throw new Error(`The work is not repeatable: step ${index} (${kind} ${path}) did not come again`);
      for (const crash of options.kinds ?? crashKinds) {
        const at = `${crash} at step ${index}: ${kind} ${path}, ${applied} of ${length}`;
        try {
          await check(files.afterCrash(crash), noted, at);
        } catch (error) {
          (error as Error).message = `${at}: ${(error as Error).message}`;
          throw error;
        }
        crashes++;
      }
    }
  }
  return crashes;
}
