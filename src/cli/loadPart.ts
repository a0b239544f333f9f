/**
 * Loads a part of the program that the console needs only once it is asked for: what is not shown costs neither time at the start nor memory.
 * @throws Error that says what to do, where the files of the program are not there any more as they were (an update beneath a console that runs)
 */
export function loadPart<T>(load: () => Promise<T>): Promise<T> {
  return load().catch((cause: Error) => {
    throw new Error(
      `a part of the program can't be loaded; if its files were changed since this console was opened, close it and open it again: ${cause.message}`,
      { cause },
    );
  });
}
