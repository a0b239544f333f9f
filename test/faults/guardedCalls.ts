import fs from 'node:fs';

/*
 * What stands in front of a program's calls of the file system, for modules that are loaded into it before all else. Who calls
 * `guard` ends with `syncBuiltinESMExports()`: only then do modules see it.
 */

export type Call = (...given: unknown[]) => unknown;
export type Calls = Record<string, Call>;

/** The calls as they were. */
export const real = { ...fs, promises: { ...fs.promises } };

const promises = fs.promises as unknown as Calls;
const callbacks = fs as unknown as Calls;
const originals = real as unknown as Calls & { promises: Calls };

/** Puts `before` in front of a call in all its three forms; what it returns is the error that the call gives instead. */
export function guard(name: string, before: (...given: unknown[]) => NodeJS.ErrnoException | null): void {
  const byPromise = originals.promises[name];
  if (byPromise) {
    promises[name] = (...given) => {
      const error = before(...given);
      return error ? Promise.reject(error) : byPromise(...given);
    };
  }
  const byCallback = originals[name];
  if (byCallback) {
    callbacks[name] = (...given) => {
      const error = before(...given);
      return error ? process.nextTick(given.at(-1) as Call, error) : byCallback(...given);
    };
  }
  const atOnce = originals[`${name}Sync`];
  if (atOnce) {
    callbacks[`${name}Sync`] = (...given) => {
      const error = before(...given);
      if (error) throw error;
      return atOnce(...given);
    };
  }
}

/** Changes what a call gives, in all its three forms. */
export function change(name: string, of: (value: unknown) => unknown): void {
  const byPromise = originals.promises[name];
  if (byPromise) promises[name] = async (...given) => of(await byPromise(...given));
  const byCallback = originals[name]!;
  callbacks[name] = (...given) => {
    const give = given.pop() as Call;
    return byCallback(...given, (error: unknown, value: unknown) => give(error, of(value)));
  };
  const atOnce = originals[`${name}Sync`]!;
  callbacks[`${name}Sync`] = (...given) => of(atOnce(...given));
}

/** The methods of open files, to be replaced, and the path of each that was opened since, where `isWatched`. After `guard('open')`. */
export async function openFiles(isWatched: (path: unknown) => path is string) {
  const paths = new WeakMap<object, string>();
  const open = fs.promises.open;
  fs.promises.open = async (path, ...more) => {
    const handle = await open(path, ...more);
    if (isWatched(path)) paths.set(handle, path);
    return handle;
  };
  const any = await real.promises.open(process.execPath);
  const methods = Object.getPrototypeOf(any) as Calls;
  await any.close();
  return { methods, paths };
}

/** Whether opening with these flags may write. */
export function opensToWrite(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
  return /[wa+]/.test(String(flags ?? 'r'));
}

export const failure = (code: string, call: string, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: as the test wants it, ${call} '${path}'`), { code, syscall: call, path });
