/**
 * Frees what `inflateSync` gave, if it is memory of its own with a byte to spare. Waiting for the collector would have it run
 * for every 64 MB, and each piece lie in memory that is not in the core's cache.
 *
 * @param inflated not to be read any more, nor any view of it
 */
export function detachBuffer({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength + 1) buffer.transfer(0);
}
