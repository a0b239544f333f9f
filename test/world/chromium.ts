import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Path of a Chromium on this machine; null: there is none. */
export const chromium = findProgram(['chromium', 'chromium-browser', 'google-chrome']);

function findProgram(names: readonly string[]): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  return null;
}

/** A page in a Chromium of its own, without a window. */
export interface BrowserPage extends AsyncDisposable {
  goTo(address: string): Promise<void>;
  /** Value of an expression in the page; a promise is waited for. */
  value<T>(expression: string): Promise<T>;
  /** PNG of what is seen. */
  picture(): Promise<Buffer>;
  /** What the page has reported: errors of its script, things that it may not load. */
  readonly complaints: readonly string[];
}

interface Answer {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message: string };
  method?: string;
  params?: Record<string, unknown>;
}

export async function openBrowserPage(program: string): Promise<BrowserPage> {
  const profile = await mkdtemp(join(tmpdir(), 'phorest-chromium-'));
  const words = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--window-size=1300,800',
    '--remote-debugging-port=0',
  ];
  const browser = spawn(program, [...words, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await new Promise<string>((resolve, reject) => {
    browser.on('exit', () => reject(new Error('Chromium ended before it could be asked anything')));
    createInterface(browser.stderr).on('line', line => {
      const found = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  const complaints: string[] = [];
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    if (answer.method === 'Runtime.exceptionThrown' || answer.method === 'Log.entryAdded')
      complaints.push(JSON.stringify(answer.params));
  };
  let last = 0;
  const ask = (method: string, params: object = {}): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result ?? {})));
      socket.send(JSON.stringify({ id, method, params }));
    });
  for (const domain of ['Runtime', 'Log', 'Page']) await ask(`${domain}.enable`);
  return {
    complaints,
    goTo: async address => void (await ask('Page.navigate', { url: address })),
    value: async <T>(expression: string): Promise<T> => {
      const { result, exceptionDetails } = await ask('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: T }).value;
    },
    picture: async () => Buffer.from(String((await ask('Page.captureScreenshot')).data), 'base64'),
    [Symbol.asyncDispose]: async () => {
      socket.close();
      browser.removeAllListeners('exit');
      const ended = new Promise(resolve => browser.once('exit', resolve));
      browser.kill('SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
