import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { whyRefused } from './previewAccess.ts';
import { pageHeaders, previewPage } from './previewPage.ts';

/** The streams of pictures: the whole frame made smaller, and its centre pixel by pixel. */
export type PreviewView = 'stream' | 'centre';

/** What the page shows beside the picture, by its own names. */
export interface PreviewFigures {
  time: string;
  width: number;
  height: number;
  depth: number;
  /** Counts. */
  brightness: number;
  fullScale: number;
  /** 0 to 1. */
  saturated: number;
  sharpness: number;
  best: number;
  /** Each `rising`, `falling` or `steady`. */
  trends: { sharpness: string; brightness: string; saturated: string };
  /** Of the last frames, oldest first. */
  history: readonly number[];
  /** Share of the pixels in each part of the full scale. */
  histogram: readonly number[];
}

export interface PreviewServerOptions {
  /** To listen at: `127.0.0.1`, or one that others reach. */
  address: string;
  /** 0: one that is free. */
  port: number;
  /** See {@link whyRefused}. */
  names: readonly string[];
  /** Monotonic, ms. */
  now: () => number;
}

export interface PreviewServer {
  readonly port: number;
  /** Whether somebody watches this view. */
  isWatched(view: PreviewView): boolean;
  /** Sends a picture to those who watch its view; one who has not taken the last one yet does not get it. */
  show(view: PreviewView, jpeg: Uint8Array): void;
  tell(figures: PreviewFigures): void;
  /** What is wrong with the camera; the next figures end it. */
  trouble(message: string): void;
  /** Ends every connection. */
  close(): Promise<void>;
}

const boundary = 'phorest-frame';
/** Who watches at one time. */
const maxViewers = 16;
/** One who takes nothing for so long is gone, ms. */
const patienceMs = 30_000;

interface Viewer {
  response: ServerResponse;
  /** Since when nothing was taken of what waits for it; null: nothing waits. */
  waitingSince: number | null;
}

/**
 * Shows frames to browsers: a page at `/` with the picture, a histogram and the sharpness; the pictures alone at `/stream.mjpg` and
 * `/centre.mjpg`, as VLC takes them too; the figures at `/figures`, as events. It reads no file, and has no other path.
 *
 * A viewer who is slow misses pictures: at most one waits for each. @throws Error that says what to do when the port is taken
 */
export async function openPreviewServer({ address, port, names, now }: PreviewServerOptions): Promise<PreviewServer> {
  const viewers: Record<PreviewView | 'figures', Set<Viewer>> = {
    stream: new Set(),
    centre: new Set(),
    figures: new Set(),
  };
  /** What a new page begins with. */
  let last: string | null = null;

  const join = (kind: keyof typeof viewers, response: ServerResponse): void => {
    const viewer: Viewer = { response, waitingSince: null };
    viewers[kind].add(viewer);
    response.on('close', () => viewers[kind].delete(viewer));
    // What a viewer who leaves has said at last is nobody's.
    response.on('error', () => undefined);
  };
  const send = (kind: keyof typeof viewers, ...parts: readonly (string | Uint8Array)[]): void => {
    for (const viewer of viewers[kind]) {
      const { response } = viewer;
      if (response.writableLength > 0) {
        viewer.waitingSince ??= now();
        if (now() - viewer.waitingSince > patienceMs) response.destroy();
        continue;
      }
      viewer.waitingSince = null;
      response.cork();
      for (const part of parts) response.write(part);
      response.uncork();
    }
  };
  const pictures = (view: PreviewView) => (response: ServerResponse) => {
    response.writeHead(200, { ...pageHeaders, 'Content-Type': `multipart/x-mixed-replace; boundary=${boundary}` });
    response.write(`--${boundary}\r\n`);
    join(view, response);
  };
  const paths: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/': response =>
      void response.writeHead(200, { ...pageHeaders, 'Content-Type': 'text/html; charset=utf-8' }).end(previewPage),
    '/stream.mjpg': pictures('stream'),
    '/centre.mjpg': pictures('centre'),
    '/figures': response => {
      response.writeHead(200, { ...pageHeaders, 'Content-Type': 'text/event-stream' });
      response.write(last ?? ': nothing yet\n\n');
      join('figures', response);
    },
  };
  const refusal = (request: IncomingMessage, path: string): [status: number, reason: string] | null => {
    const reason = whyRefused(request, names);
    if (reason !== null) return [request.method === 'GET' || request.method === 'HEAD' ? 403 : 405, reason];
    if (!Object.hasOwn(paths, path)) return [404, 'there is nothing here; the preview is at /'];
    const watching = viewers.stream.size + viewers.centre.size + viewers.figures.size;
    return path !== '/' && watching >= maxViewers ? [503, `${maxViewers} watch already: close a page`] : null;
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').replace(/\?.*/s, '');
    const refused = refusal(request, path);
    if (refused) {
      response.writeHead(refused[0], { ...pageHeaders, 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(`${refused[1]}\n`);
    } else if (request.method === 'HEAD') response.writeHead(200, pageHeaders).end();
    else paths[path]?.(response);
  };

  const server = createServer({ requestTimeout: 10_000, keepAliveTimeout: 5_000 }, answer);
  server.maxConnections = 4 * maxViewers;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)));
    server.listen(port, address, resolve);
  });
  server.on('error', () => undefined);
  const event = (kind: string, data: object): void => {
    last = `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
    send('figures', last);
  };
  return {
    port: (server.address() as AddressInfo).port,
    isWatched: view => viewers[view].size > 0,
    show: (view, jpeg) =>
      send(view, `Content-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`, jpeg, `\r\n--${boundary}\r\n`),
    tell: figures => event('figures', figures),
    trouble: message => event('trouble', { message }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What to do where an address and port can not be listened at. */
export function listenError(error: NodeJS.ErrnoException, address: string, port: number): Error {
  const place = `${address}, port ${port}`;
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: `${place} is in use, perhaps by another preview: name another with --port`,
    EACCES: `${place} may not be used by this user: name a port from 1024 on with --port`,
    EADDRNOTAVAIL: `${address} is no address of this machine: "hostname -I" lists them`,
    ENOTFOUND: `${address} is no address: "hostname -I" lists those of this machine`,
  };
  return new Error(words[error.code ?? ''] ?? `${place} can't be listened at: ${error.message}`, { cause: error });
}
