import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { whyRefused } from '../preview/previewAccess.ts';
import { type PickFacts, pickHeaders, pickPage } from './pickPage.ts';

/** What somebody has clicked: pixels of the image. */
export interface PickedLabels {
  chipType: string;
  clicks: { label: string; x: number; y: number }[];
}

export interface PickServerOptions {
  /** 0: one that is free. */
  port: number;
  facts: Omit<PickFacts, 'token'>;
  /** PNG. */
  picture: Uint8Array;
  /** Takes what was clicked; `done`: nothing more is asked. `text` is shown in the page. */
  take: (picked: PickedLabels) => Promise<{ done: boolean; text: string }>;
}

export interface PickServer {
  readonly port: number;
  close(): Promise<void>;
}

const longestBody = 1 << 16;
const pixel = z.number().min(-1).max(1e6);
const schema = z.object({
  chipType: z.string(),
  clicks: z
    .array(z.object({ label: z.string().min(1), x: pixel, y: pixel }))
    .min(2)
    .max(500),
});

/** A page on loopback on which labels are clicked. One answer is worked on at a time. */
export async function openPickServer({ port, facts, picture, take }: PickServerOptions): Promise<PickServer> {
  const token = randomBytes(16).toString('hex');
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => send(response, 400, error.message));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', method, headers } = request;
    const isPost = method === 'POST';
    // What is posted proves by the token that it comes from the page.
    const refused = whyRefused({ headers, ...(isPost ? { method: 'GET' } : { method: method ?? '' }) }, []);
    if (refused !== null) return send(response, 403, refused);
    if (isPost) {
      if (url !== '/positions' || headers['x-phorest-token'] !== token) return send(response, 403, 'not from the page');
      const picked = schema.parse(JSON.parse(await body(request)));
      const turn = last.then(() => take(picked));
      last = turn.catch(() => undefined);
      return send(response, 200, JSON.stringify(await turn), 'application/json');
    }
    if (url === '/') return send(response, 200, pickPage({ ...facts, token }), 'text/html; charset=utf-8');
    if (url === '/picture.png') return send(response, 200, picture, 'image/png');
    send(response, 404, 'nothing is there');
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        // What was answered last is still on its way; browsers keep the connection for more.
        server.closeIdleConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, content: string | Uint8Array, type = 'text/plain'): void {
  response.writeHead(status, { ...pickHeaders, 'Content-Type': type, Connection: 'close' }).end(content);
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) throw new Error('too long');
    chunks.push(chunk);
  }
  return String(Buffer.concat(chunks));
}
