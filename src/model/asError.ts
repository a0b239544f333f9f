/** What was thrown, as an error with perhaps a code; anything can be thrown. */
export function asError(thrown: unknown): NodeJS.ErrnoException {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
