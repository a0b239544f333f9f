import fs, { type Stats } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, resolve, sep } from 'node:path';
import { type Call, change, failure, guard, openFiles, real } from './guardedCalls.ts';

/*
 * Loaded into a program before all else (`node --import`): below the folders that `PHOREST_TEST_VFAT` names, the file system has
 * the limits of vfat, scaled down. Files are of so many bytes at most (a write takes what goes in, the next fails with EFBIG), a folder takes so many entries (ENOSPC though the disk has room; a long name takes one for 13 letters and one more), times
 * are those of whole two seconds, there are no links and no modes, and no two names that differ in case only.
 */

/** Contents of `PHOREST_TEST_VFAT`, as JSON. */
export interface VfatLimits {
  folders: readonly string[];
  /** By how a file's name begins; '' for all others. */
  maxBytes: Readonly<Record<string, number>>;
  maxEntries: number;
}

const stampMs = 2_000;
const dayMs = 86_400_000;
const lettersAnEntry = 13;
const shortName = /^[^.]{1,8}(?:\.[^.]{1,3})?$/;
const illegal = /["*:<>?|\\]/;

const entriesOf = (name: string): number =>
  shortName.test(name) && name === name.toUpperCase() ? 1 : 1 + Math.ceil(name.length / lettersAnEntry);

/** Entries that a folder's names take, as vfat counts them. */
export const entriesIn = (names: readonly string[]): number => names.reduce((sum, name) => sum + entriesOf(name), 2);

const limits = process.env.PHOREST_TEST_VFAT
  ? (JSON.parse(process.env.PHOREST_TEST_VFAT) as VfatLimits)
  : { folders: [], maxBytes: {}, maxEntries: 0 };

function isLimited(path: unknown): path is string {
  if (typeof path !== 'string') return false;
  const whole = resolve(path);
  return limits.folders.some(folder => whole.startsWith(folder + sep));
}

/** Why this name can't come to be; null when it can, or is there. */
function refusal(call: string, path: unknown): NodeJS.ErrnoException | null {
  if (!isLimited(path)) return null;
  const name = basename(path);
  if (illegal.test(name)) return failure('EINVAL', call, path);
  let names: string[];
  try {
    names = real.readdirSync(dirname(path));
  } catch {
    return null;
  }
  if (names.includes(name)) return null;
  const folded = name.toLowerCase();
  if (names.some(other => other.toLowerCase() === folded)) return failure('EEXIST', `${call} (in other case)`, path);
  return entriesIn(names) + entriesOf(name) > limits.maxEntries ? failure('ENOSPC', call, path) : null;
}

function creates(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & fs.constants.O_CREAT) !== 0;
  return /[wa]/.test(String(flags ?? 'r'));
}

function maxBytesOf(path: string): number {
  const name = basename(path);
  const begin = Object.keys(limits.maxBytes).find(one => one !== '' && name.startsWith(one)) ?? '';
  return limits.maxBytes[begin] ?? Number.POSITIVE_INFINITY;
}

/** How many bytes of a write go in. @throws EFBIG when none does. */
function room(path: string, at: number, length: number): number {
  const most = maxBytesOf(path);
  if (length > 0 && at >= most) throw failure('EFBIG', 'write', path);
  return Math.min(length, most - at);
}

function coarse<T>(stats: T): T {
  const found = stats as Stats | undefined;
  if (!found || typeof found.mtimeMs !== 'number') return stats;
  for (const [key, step] of [
    ['mtime', stampMs],
    ['ctime', stampMs],
    ['birthtime', stampMs],
    ['atime', dayMs],
  ] as const) {
    const ms = Math.floor(found[`${key}Ms`] / step) * step;
    found[`${key}Ms`] = ms;
    Object.defineProperty(found, key, { value: new Date(ms), enumerable: true, configurable: true });
  }
  return stats;
}

const notThere = (call: string) => (path: unknown, other?: unknown) =>
  isLimited(path) || isLimited(other) ? failure('EPERM', call, String(path)) : null;

async function install(): Promise<void> {
  guard('open', (path, flags) => (creates(flags) ? refusal('open', path) : null));
  guard('mkdir', path => refusal('mkdir', path));
  guard('rename', (_from, to) => refusal('rename', to));
  guard('copyFile', (_from, to) => refusal('copyfile', to));
  guard('writeFile', (path, data) => {
    const length = typeof data === 'string' || data instanceof Uint8Array ? Buffer.byteLength(data) : 0;
    if (isLimited(path) && length > maxBytesOf(path)) return failure('EFBIG', 'write', path);
    return refusal('open', path);
  });
  for (const call of ['link', 'symlink', 'chmod', 'chown']) guard(call, notThere(call));
  for (const call of ['stat', 'lstat', 'fstat']) change(call, coarse);

  const { methods: handles, paths: opened } = await openFiles(isLimited);
  const { write, stat, truncate } = handles as Record<'write' | 'stat' | 'truncate', Call>;
  handles.stat = async function (this: object, ...given) {
    return coarse(await stat.apply(this, given));
  };
  handles.truncate = async function (this: object, length = 0) {
    const path = opened.get(this);
    if (path !== undefined && (length as number) > maxBytesOf(path)) throw failure('EFBIG', 'truncate', path);
    return truncate.call(this, length);
  };
  handles.write = async function (this: object, data, offset, length, position) {
    const path = opened.get(this);
    if (path === undefined || !(data instanceof Uint8Array)) return write.call(this, data, offset, length, position);
    const begin = (offset as number | undefined) ?? 0;
    const wanted = (length as number | undefined) ?? data.length - begin;
    const at = (position as number | null | undefined) ?? ((await stat.call(this)) as Stats).size;
    return write.call(this, data, begin, room(path, at, wanted), position);
  };
  syncBuiltinESMExports();
}

if (limits.folders.length > 0) await install();
