/**
 * Ends this process at once with an exit code, whatever native code still runs in it. Nothing is cleaned up.
 *
 * `process.exit` joins the worker threads and libuv's first, so a large decode, or a read from a share that hangs, would
 * hold it up for as long as it takes. Another program in the place of this one leaves nothing to wait for.
 */
export function endNow(code: number): never {
  process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  process.exit(code);
}
