import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { listenError } from './previewServer.ts';

export interface RawRelayOptions {
  /** To listen at. */
  address: string;
  port: number;
  /**
   * Runs the program that streams, until the signal, or its own end. It connects to this port of 127.0.0.1. (As a server the
   * programs of the Raspberry Pi listen at every address of the machine.)
   */
  stream: (port: number, signal: AbortSignal) => Promise<void>;
  /** Told why the program has ended by itself. */
  onTrouble: (error: Error) => void;
}

/** A viewer who is so far behind is parted with: a stream with holes shows nothing. Bytes. */
const maxBehind = 8 << 20;

/**
 * Hands the stream of a program on to whoever connects, byte by byte. The program runs while somebody watches. One who comes later
 * sees the picture from the stream's next whole picture on.
 */
export async function openRawRelay({
  address,
  port,
  stream,
  onTrouble,
}: RawRelayOptions): Promise<{ port: number; close(): Promise<void> }> {
  const viewers = new Set<Socket>();
  const sources = new Set<Socket>();
  let running: AbortController | null = null;

  const inner = createServer(source => {
    sources.add(source);
    source.on('close', () => sources.delete(source));
    source.on('error', () => undefined);
    source.on('data', data => {
      for (const viewer of viewers) if (viewer.writableLength > maxBehind) viewer.destroy();
      for (const viewer of viewers) viewer.write(data);
    });
  });
  await listening(inner, '127.0.0.1', 0);
  const innerPort = (inner.address() as AddressInfo).port;

  const start = (): void => {
    const controller = new AbortController();
    running = controller;
    stream(innerPort, controller.signal)
      .catch((error: Error) => {
        if (!controller.signal.aborted) onTrouble(error);
      })
      .finally(() => {
        if (running !== controller) return;
        running = null;
        // Who still watches sees the end, and may connect again.
        for (const viewer of viewers) viewer.end();
      });
  };
  const outer = createServer(viewer => {
    viewers.add(viewer);
    viewer.on('error', () => undefined);
    viewer.on('close', () => {
      viewers.delete(viewer);
      if (viewers.size > 0) return;
      running?.abort();
      running = null;
    });
    // What a player says is of no interest, and must not fill memory.
    viewer.resume();
    if (!running) start();
  });
  await listening(outer, address, port);
  return {
    port: (outer.address() as AddressInfo).port,
    close: async () => {
      running?.abort();
      for (const socket of [...viewers, ...sources]) socket.destroy();
      await Promise.all([inner, outer].map(server => new Promise(resolve => server.close(resolve))));
    },
  };
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)));
    server.listen(port, address, resolve);
  });
}
