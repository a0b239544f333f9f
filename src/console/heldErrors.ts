/** So much of what is held is kept, characters. */
const keptLength = 64 * 1024;

/**
 * Keeps what the process writes to its error output off the screen, for as long as the console is there: warnings of Node
 * and of packages would be drawn over it. What is returned lets go, and writes what was held.
 */
export function holdErrors(output: NodeJS.WriteStream): () => void {
  const write = output.write;
  let held = '';
  output.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    held = (held + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).slice(-keptLength);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(() => callback());
    return true;
  }) as typeof output.write;
  let isHolding = true;
  return () => {
    if (!isHolding) return;
    isHolding = false;
    output.write = write;
    if (held !== '') output.write(held);
  };
}
