/**
 * Tells of what is wrong once for each reason, until it is over: for what is tried again and again. The words of two errors with one
 * reason differ in numbers and in the random names of temporary files; these do not make another reason.
 *
 * @returns takes the error of an attempt, or null after an attempt that went well
 */
export function sayOnce(say: (error: Error) => void): (error: Error | null) => void {
  let said: string | null = null;
  return error => {
    const reason = error?.message.replaceAll(/\b[0-9a-f]*\d[0-9a-f]*\b|\b[0-9a-f]{8}\b/g, '#') ?? null;
    if (error && reason !== said) say(error);
    said = reason;
  };
}
