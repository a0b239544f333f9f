/**
 * Memory of this thread that is used again and again: the system clears fresh memory page by page, which for a large image
 * can take a quarter of the time of decoding it, and memory that was let go comes back late. What is more than twice as large as asked
 * for is not kept.
 *
 * @returns a function that gives memory of at least so many bytes; what it gave before is overwritten
 */
export function reusableMemory<M extends ArrayBufferLike>(make: (bytes: number) => M): (bytes: number) => M {
  let memory = make(0);
  return bytes => {
    if (memory.byteLength < bytes || memory.byteLength > 2 * bytes) memory = make(bytes);
    return memory;
  };
}
