import { duration } from '../model/quantity.ts';
import type { Files } from './files.ts';
import { wrapFiles, wrapOpenFile } from './wrapFiles.ts';

/**
 * Lets calls to a disk that may hang (one on a network) pass one at a time, each with a deadline. A call that hangs blocks one of the
 * few threads that all file work of a process shares, for good perhaps: with this, it is one and no more. While it hangs, further
 * calls fail at once; when it returns after all, they pass again.
 */
export class CallGate {
  readonly #deadlineMs: number;
  #turn: Promise<unknown> = Promise.resolve();
  /** The call that hangs; resolves when it returns. */
  #hanging: { path: string; over: Promise<unknown> } | null = null;

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Rejects with code `ETIMEDOUT` when the call does not return in time, or an earlier one has not: what becomes of it is then unknown.
   * @param onLate is given what it returns after that.
   */
  pass<T>(path: string, call: () => Promise<T>, onLate: (value: T) => unknown = () => undefined): Promise<T> {
    if (this.#hanging) return Promise.reject(this.#hung(this.#hanging.path));
    const result = this.#turn.then(() => this.#call(path, call, onLate));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** For what must be done some day: at its turn, or once the call that hangs has returned. */
  async passSomeDay(path: string, call: () => Promise<unknown>): Promise<void> {
    const { promise: isOver, resolve, reject } = Promise.withResolvers<void>();
    const later = (): void => {
      // Nobody waits for it any more.
      void this.#hanging!.over.then(() => this.passSomeDay(path, call)).catch(() => undefined);
      resolve();
    };
    if (this.#hanging) later();
    else {
      this.pass(path, call).then(
        () => resolve(),
        error => (this.#hanging ? later() : reject(error)),
      );
    }
    await isOver;
  }

  async #call<T>(path: string, call: () => Promise<T>, onLate: (value: T) => unknown): Promise<T> {
    if (this.#hanging) throw this.#hung(this.#hanging.path);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const begun = call();
    const timer = setTimeout(() => {
      const over = begun
        .then(onLate)
        .catch(() => undefined)
        .finally(() => {
          this.#hanging = null;
        });
      this.#hanging = { path, over };
      reject(this.#hung(path));
    }, this.#deadlineMs);
    try {
      return await Promise.race([begun, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #hung(path: string): Error {
    const error: NodeJS.ErrnoException = new Error(
      `${path} does not answer within ${duration(this.#deadlineMs)}; does its disk hang, or its network?`,
    );
    error.code = 'ETIMEDOUT';
    error.path = path;
    return error;
  }
}

/** The same files, but what touches some paths passes a gate. @param isFor which paths */
export function filesWithDeadline(files: Files, gate: CallGate, isFor: (path: string) => boolean): Files {
  return wrapFiles(
    files,
    ({ path, from = path }, run, releaseEventually) =>
      isFor(path) || isFor(from) ? gate.pass(path, run, releaseEventually) : run(),
    (file, { path }) =>
      isFor(path)
        ? {
            ...wrapOpenFile(file, run => gate.pass(path, run)),
            close: () => gate.passSomeDay(path, () => file.close()),
          }
        : file,
  );
}
