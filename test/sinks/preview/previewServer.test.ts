import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { whyRefused } from '../../../src/sinks/preview/previewAccess.ts';
import {
  openPreviewServer,
  type PreviewFigures,
  type PreviewServer,
} from '../../../src/sinks/preview/previewServer.ts';

const figures: PreviewFigures = {
  time: '12:00:00',
  width: 4,
  height: 3,
  depth: 8,
  brightness: 1,
  fullScale: 255,
  saturated: 0,
  sharpness: 2,
  best: 2,
  trends: { sharpness: 'steady', brightness: 'rising', saturated: 'steady' },
  history: [2],
  histogram: [1],
};

async function open(now = () => 0, port = 0): Promise<PreviewServer> {
  const server = await openPreviewServer({ address: '127.0.0.1', port, names: ['pi'], now });
  onTestFinished(() => server.close());
  return server;
}

function get(
  port: number,
  path: string,
  { method = 'GET', headers = {} } = {},
): Promise<{ status: number; body: string; headers: object }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, response => {
      let body = '';
      response.on('data', chunk => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    asked.on('error', reject).end();
  });
}

const mark = 'picture:';
const picture = (bytes = 10): Uint8Array => Buffer.alloc(bytes, mark.padEnd(bytes));

/** Somebody who watches a stream; `until` resolves once what was received has it. */
function viewer(port: number, path: string) {
  const socket: Socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let text = '';
  let pictures = 0;
  let look = (): void => undefined;
  socket.on('data', chunk => {
    const from = Math.max(0, text.length - mark.length + 1);
    text += chunk.toString('latin1');
    for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + 1)) pictures++;
    text = text.slice(-20_000);
    look();
  });
  return {
    socket,
    text: () => text,
    pictures: () => pictures,
    until: (wanted: (text: string) => boolean): Promise<void> =>
      new Promise(resolve => {
        look = () => wanted(text) && resolve();
        look();
      }),
    closed: new Promise<void>(resolve => socket.on('close', () => resolve())),
  };
}

describe('who may watch', () => {
  const asked = (host: string | undefined, more: object = {}, method = 'GET') =>
    whyRefused({ method, headers: { ...(host !== undefined && { host }), ...more } }, ['pi', 'pi.local']);

  it.each([
    'localhost:5555',
    'LocalHost',
    '127.0.0.1:5555',
    '[::1]:5555',
    '192.168.1.20:80',
    'pi:5555',
    'PI.local.:5555',
  ])('is who asks for %s', host => expect(asked(host)).toBeNull());
  it.each([
    'evil.example',
    'localhost.evil.example:5555',
    '127.0.0.1.nip.io',
    'pi.evil.example',
    '',
    undefined,
    'a@localhost',
    'localhost:80:80',
  ])('is not who was led here by the name %s', host => expect(asked(host)).toContain('localhost'));
  it('is no page of somebody else, unless a person follows its link', () => {
    expect(asked('localhost', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).toContain(
      'another web page',
    );
    expect(asked('localhost', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' })).toContain(
      'another web page',
    );
    expect(asked('localhost', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBeNull();
    expect(asked('localhost', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' })).toBeNull();
  });
  it('is nobody who wants to change something', () => expect(asked('localhost', {}, 'POST')).toContain('POST'));
});

describe('the preview server', () => {
  it('serves its page, which may load nothing from elsewhere, and no path but its own', async () => {
    const { port } = await open();
    const page = await get(port, '/?x=1');
    expect(page).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    });
    expect(page.headers).toMatchObject({ 'content-security-policy': expect.stringMatching(/^default-src 'none'/) });
    for (const path of [
      '/etc/passwd',
      '/../package.json',
      '/%2e%2e/x',
      '//stream.mjpg',
      '/constructor',
      '/STREAM.MJPG',
    ])
      expect((await get(port, path)).status).toBe(404);
    expect((await get(port, '/', { headers: { Host: 'evil.example' } })).status).toBe(403);
    expect((await get(port, '/', { method: 'POST' })).status).toBe(405);
    expect(await get(port, '/stream.mjpg', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it('sends each picture to all who watch that view, and the figures to the page', async () => {
    const server = await open();
    const [a, b, centre, page] = ['/stream.mjpg', '/stream.mjpg', '/centre.mjpg', '/figures'].map(path =>
      viewer(server.port, path),
    );
    await Promise.all([a, b, centre].map(each => each!.until(text => text.includes('--phorest-frame'))));
    await page!.until(text => text.includes('nothing yet'));
    server.show('stream', picture());
    server.tell(figures);
    await Promise.all([a, b].map(each => each!.until(() => each!.pictures() === 1)));
    expect(a!.text()).toContain('Content-Type: image/jpeg\r\nContent-Length: 10\r\n\r\npicture:');
    await page!.until(text => text.includes(`event: figures\ndata: ${JSON.stringify(figures)}\n\n`));
    server.trouble('no camera');
    await page!.until(text => text.includes('event: trouble\ndata: {"message":"no camera"}'));
    expect(centre!.pictures()).toBe(0);
    expect(server.isWatched('centre')).toBe(true);
    // Who comes later is told what there was last.
    await viewer(server.port, '/figures').until(text => text.includes('no camera'));
  });

  it('drops the pictures of a slow viewer instead of keeping them, and lets no other wait', async () => {
    const server = await open();
    const slow = viewer(server.port, '/stream.mjpg');
    const quick = viewer(server.port, '/stream.mjpg');
    await Promise.all([slow, quick].map(each => each.until(text => text.includes('--phorest-frame'))));
    slow.socket.pause();
    const frames = 100;
    const size = 300_000;
    for (let i = 1; i <= frames; i++) {
      server.show('stream', picture(size));
      await quick.until(() => quick.pictures() === i);
    }
    slow.socket.resume();
    server.show('stream', picture());
    await slow.until(text => text.endsWith('--phorest-frame\r\n\r\n'));
    expect(slow.pictures()).toBeLessThan(frames / 2);
  });

  it('parts with a viewer who takes nothing for half a minute', async () => {
    let now = 0;
    const server = await open(() => now);
    const gone = viewer(server.port, '/stream.mjpg');
    await gone.until(text => text.includes('--phorest-frame'));
    gone.socket.pause();
    for (; now <= 40_000; now += 1000) {
      server.show('stream', picture(1_000_000));
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(server.isWatched('stream')).toBe(false);
  });

  it('shows to sixteen at a time, and tells a further one why not', async () => {
    const { port } = await open();
    const watching = Array.from({ length: 16 }, () => viewer(port, '/figures'));
    await Promise.all(watching.map(each => each.until(text => text.includes('nothing yet'))));
    expect(await get(port, '/stream.mjpg')).toMatchObject({ status: 503, body: '16 watch already: close a page\n' });
    expect((await get(port, '/')).status).toBe(200);
  });

  it('ends every connection when it is closed', async () => {
    const server = await open();
    const watching = viewer(server.port, '/figures');
    await watching.until(text => text.includes('nothing yet'));
    await server.close();
    await watching.closed;
  });

  it('says what to do where the port is taken, or the address is none of this machine', async () => {
    const { port } = await open();
    await expect(open(undefined, port)).rejects.toThrow('name another with --port');
    const elsewhere = openPreviewServer({ address: '192.0.2.1', port: 0, names: [], now: () => 0 });
    await expect(elsewhere).rejects.toThrow('is no address of this machine');
  });
});
