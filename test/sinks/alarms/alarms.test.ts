import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BehaviorSubject, Subject, type Subscription } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { changedKeys } from '../../../src/config/changedKeys.ts';
import { parseConfig } from '../../../src/config/parseConfig.ts';
import { isRunning } from '../../../src/files/processIdentity.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { NoteEvent, PipelineEvent } from '../../../src/model/event.ts';
import { type AlarmChange, AlarmQueue } from '../../../src/sinks/alarms/alarmQueue.ts';
import { type AlarmSettings, type AlarmsOptions, alarms } from '../../../src/sinks/alarms/alarms.ts';
import { timeOf } from '../../world/timeOf.ts';

const t0 = Date.UTC(2026, 10, 22, 12);
const alarm = (key: string, message = `${key} is wrong`): AlarmChange => ({
  stage: 'health',
  at: t0,
  kind: 'alarm',
  key,
  message,
  retryInMs: 0,
});
const well = (key: string): AlarmChange => ({ stage: 'health', at: t0 + 1000, kind: 'well', key });

describe('AlarmQueue', () => {
  function queue(...changes: AlarmChange[]) {
    const made = new AlarmQueue();
    for (const change of changes) made.take(change, true);
    /** Tells all that can be told at a time; what it was, in words. */
    const tell = (nowMs: number, quietMs = 100): string[] => {
      const delivered: string[] = [];
      for (let next = made.next(nowMs, quietMs); next && 'news' in next; next = made.next(nowMs, quietMs)) {
        delivered.push(`${next.news.key} ${next.news.state} ${next.news.times}`);
        made.delivered(next.news, nowMs);
      }
      return delivered;
    };
    return { made, tell, take: (change: AlarmChange) => made.take(change, true) };
  }

  it('tells of each alarm once, and of its end, with what was wrong and since when', () => {
    const { made, tell, take } = queue(alarm('disk'), alarm('clock'));
    expect(tell(0)).toEqual(['disk raised 1', 'clock raised 1']);
    take(well('disk'));
    expect(made.next(1, 100)).toEqual({
      news: {
        state: 'cleared',
        stage: 'health',
        key: 'disk',
        message: 'disk is wrong',
        at: '2026-11-22T12:00:01.000000Z',
        since: '2026-11-22T12:00:00.000000Z',
        times: 1,
      },
    });
    expect(tell(1)).toEqual(['disk cleared 1']);
    expect(made.next(1, 100)).toBeNull();
  });

  it('tells of one that goes on again only after the quiet time', () => {
    const { made, tell, take } = queue(alarm('disk'));
    tell(0);
    take(alarm('disk'));
    take(alarm('disk'));
    expect(made.next(40, 100)).toEqual({ waitMs: 60 });
    expect(tell(100)).toEqual(['disk raised 3']);
  });

  it('tells of one that comes and goes what is so at the end of the quiet time, if that is news', () => {
    const { made, tell, take } = queue(alarm('disk'));
    tell(0);
    take(well('disk'));
    expect(tell(1)).toEqual(['disk cleared 1']);
    take(alarm('disk'));
    expect(tell(2)).toEqual([]);
    take(well('disk'));
    expect(made.next(3, 100)).toBeNull();
    take(alarm('disk'));
    expect(made.next(4, 100)).toEqual({ waitMs: 96 });
    expect(tell(100)).toEqual(['disk raised 1']);
  });

  it('tells an outlet that could not be reached the newest state, not the history', () => {
    const { tell, take } = queue(
      alarm('disk'),
      well('disk'),
      alarm('disk'),
      alarm('disk'),
      alarm('clock'),
      well('clock'),
    );
    expect(tell(0)).toEqual(['disk raised 2', 'clock cleared 1']);
    take(well('disk'));
    expect(tell(0)).toEqual(['disk cleared 2']);
  });

  it('tells of what changed while it was told', () => {
    const { made, tell, take } = queue(alarm('disk'));
    const next = made.next(0, 100) as { news: Parameters<AlarmQueue['delivered']>[0] };
    take(well('disk'));
    made.delivered(next.news, 0);
    expect(tell(0)).toEqual(['disk cleared 1']);
  });

  it('is bounded, forgets what is over first, and without an outlet keeps only what stands', () => {
    const { tell, take } = queue(alarm('stands'));
    for (let i = 0; i < 150; i++) {
      take(alarm(`a${i}`));
      tell(0);
      take(well(`a${i}`));
      tell(0);
    }
    take(alarm('stands'));
    expect(tell(200)).toEqual(['stands raised 2']);
    const waiting = queue(...Array.from({ length: 150 }, (_, i) => alarm(`a${i}`)));
    expect(waiting.tell(0)).toHaveLength(100);
    const none = new AlarmQueue();
    none.take(alarm('over'), false);
    none.take(alarm('stands'), false);
    none.take(well('over'), false);
    expect(none.next(0, 0)).toMatchObject({ news: { key: 'stands' } });
  });
});

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

function begin(settings: Partial<AlarmSettings>, more: Partial<AlarmsOptions> = {}) {
  const settings$ = new BehaviorSubject<AlarmSettings>({ command: [], webhook: '', quietMs: 0, ...settings });
  const events$ = new Subject<PipelineEvent>();
  const notes: NoteEvent[] = [];
  const noted = new Subject<NoteEvent>();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const subscription: Subscription = alarms(events$, {
    settings$,
    root: '/root/a b',
    host: 'pi',
    runId: 'run',
    clock: systemClock,
    random: () => 0.5,
    backOff: { firstMs: 20, longestMs: 40 },
    ...more,
  }).subscribe({
    next: note => {
      notes.push(note);
      noted.next(note);
    },
    complete: resolve,
  });
  cleanUp.push(() => subscription.unsubscribe());
  const nextNote = () => new Promise<string>(done => noted.subscribe(({ message }) => done(message)));
  return { settings$, events$, notes, nextNote, ended, subscription };
}

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-alarms-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits for a file that another process writes; by its events, not by time. */
async function contentOf(path: string, isWhole: (text: string) => boolean): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (isWhole(text)) return text;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

describe('the alarm command', () => {
  async function program(source: string): Promise<{ command: string[]; out: string }> {
    const folder = await scratch();
    const file = join(folder, 'tell.mjs');
    const out = join(folder, 'out.txt');
    await writeFile(
      file,
      `import { appendFileSync, readFileSync } from 'node:fs';\nconst out = process.argv[2];\n${source}`,
    );
    return { command: [process.execPath, file, out], out };
  }

  it('gets the alarm as JSON and in its environment, its words as they are, and no shell', async () => {
    const { command, out } = await program(
      `const { PHOREST_ALARM_MESSAGE: said, PHOREST_ALARM_TIMES: times } = process.env;
       appendFileSync(out, JSON.stringify({ notice: JSON.parse(readFileSync(0, 'utf8')), said, times, words: process.argv.slice(3) }) + '\\n');`,
    );
    const words = ['$(touch /tmp/no)', '; echo', 'a "b"'];
    const { events$, notes, ended } = begin({ command: [...command, ...words] });
    events$.next(alarm('disk', 'only 3 GB\u001b[31m are `free`'));
    events$.complete();
    await ended;
    const { notice, said, times, words: received } = JSON.parse(await readFile(out, 'utf8'));
    expect(notice).toEqual({
      state: 'raised',
      stage: 'health',
      key: 'disk',
      message: 'only 3 GB\u001b[31m are `free`',
      at: '2026-11-22T12:00:00.000000Z',
      since: '2026-11-22T12:00:00.000000Z',
      times: 1,
      root: '/root/a b',
      host: 'pi',
      run_id: 'run',
      text: 'pi /root/a b: health only 3 GB are `free`',
    });
    expect([said, times, received]).toEqual(['only 3 GB are `free`', '1', words]);
    expect(notes).toEqual([]);
  });

  it('runs once at a time, in order, and is told the newest when it is slow', async () => {
    const { command, out } = await program(
      `const { key, state } = JSON.parse(readFileSync(0, 'utf8'));
       appendFileSync(out, 'begin\\n');
       setTimeout(() => appendFileSync(out, key + ' ' + state + '\\n'), 50);`,
    );
    const { events$, ended } = begin({ command });
    events$.next(alarm('disk'));
    events$.next(alarm('clock'));
    events$.next(well('clock'));
    events$.next(alarm('clock'));
    events$.complete();
    await ended;
    expect((await readFile(out, 'utf8')).trim().split('\n')).toEqual(['begin', 'disk raised', 'begin', 'clock raised']);
  });

  it('that fails, or is not there, is a note without its arguments; the next alarm is told all the same', async () => {
    const { command, out } = await program(
      `const { key } = JSON.parse(readFileSync(0, 'utf8'));
       appendFileSync(out, key + '\\n');
       if (key === 'disk') { console.error('no route'); process.exit(3); }`,
    );
    const { settings$, events$, notes, nextNote, ended } = begin({ command: [...command, 'secret'] });
    const first = nextNote();
    events$.next(alarm('disk'));
    expect(await first).toBe(
      `the alarm command could not be told of an alarm (health): ${process.execPath}: ended with 3: no route`,
    );
    const second = nextNote();
    events$.next(alarm('clock'));
    expect(await second).toBe('the alarm command takes alarms again');
    settings$.next({ command: ['/no/such/program', 'secret'], webhook: '', quietMs: 0 });
    events$.next(alarm('frames'));
    events$.complete();
    await ended;
    expect(notes.at(-1)).toMatchObject({
      level: 'warning',
      message: expect.stringContaining("/no/such/program: can't be run"),
    });
    expect(notes.map(({ message }) => message).join()).not.toContain('secret');
    expect(await readFile(out, 'utf8')).toBe('disk\nclock\n');
  });

  it('that runs is ended on teardown, with what it has started', async () => {
    const { command, out } = await program(
      `import { spawn } from 'node:child_process';
       const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
       appendFileSync(out, process.pid + ' ' + child.pid + '\\n');
       setInterval(() => {}, 1000);`,
    );
    const gone = async (text: string): Promise<void> => {
      for (const pid of text.trim().split(' ').map(Number)) {
        while (isRunning(pid)) await new Promise(resolve => setTimeout(resolve, 5));
      }
    };
    const torn = begin({ command });
    torn.events$.next(alarm('disk'));
    const pids = await contentOf(out, text => text.endsWith('\n'));
    torn.subscription.unsubscribe();
    await gone(pids);
    expect(torn.notes).toEqual([]);
  });

  it('that does not end is ended after its time', async () => {
    const { command } = await program('setInterval(() => {}, 1000);');
    const { events$, nextNote } = begin({ command }, { commandTimeoutMs: 100 });
    const note = nextNote();
    events$.next(alarm('disk'));
    expect(await note).toContain('it took longer than 100 ms and was ended');
  });

  it('holds up the end of the pipeline only so long', async () => {
    const { command } = await program('setInterval(() => {}, 1000);');
    const { events$, ended } = begin({ command }, { lastMs: 50 });
    events$.next(alarm('disk'));
    const now = timeOf();
    const begun = now();
    events$.complete();
    await ended;
    expect(now() - begun).toBeLessThan(2000);
  });
});

describe('the webhook', () => {
  async function server(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
    const requests = new Subject<{ request: IncomingMessage; body: string }>();
    const web: Server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts).toString();
      answer(request, response, body);
      requests.next({ request, body });
    });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    cleanUp.push(() => {
      web.closeAllConnections();
      web.close();
    });
    const { port } = web.address() as AddressInfo;
    /** Resolves with the next so many requests. */
    const next = (count: number) =>
      new Promise<{ request: IncomingMessage; body: string }[]>(resolve => {
        const seen: { request: IncomingMessage; body: string }[] = [];
        const listening = requests.subscribe(one => {
          seen.push(one);
          if (seen.length === count) {
            listening.unsubscribe();
            resolve(seen);
          }
        });
      });
    return { address: `http://127.0.0.1:${port}/hook/secret-token?key=secret`, host: `127.0.0.1:${port}`, next };
  }

  it('is posted each alarm and its end as JSON', async () => {
    const { address, next } = await server((_request, response) => response.writeHead(204).end());
    const { events$, notes, ended } = begin({ webhook: address });
    const requests = next(2);
    events$.next(alarm('disk'));
    events$.next(alarm('clock'));
    events$.complete();
    await ended;
    const [first, second] = await requests;
    expect(first!.request).toMatchObject({ method: 'POST', url: '/hook/secret-token?key=secret' });
    expect(first!.request.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(first!.body)).toMatchObject({ state: 'raised', key: 'disk', host: 'pi', run_id: 'run' });
    expect(JSON.parse(second!.body)).toMatchObject({ state: 'raised', key: 'clock' });
    expect(notes).toEqual([]);
  });

  it('is told of one that comes and goes at the end of the quiet time, if that is news', async () => {
    const { address, next } = await server((_request, response) => response.end());
    const quietMs = 300;
    // No time passes before all has come, however long a busy machine takes to post the first two.
    const begun = systemClock.monotonic();
    let isOver = false;
    const clock = { ...systemClock, monotonic: () => (isOver ? systemClock.monotonic() : begun) };
    const { events$, subscription } = begin({ webhook: address, quietMs }, { clock });
    const first = next(2);
    events$.next(alarm('disk'));
    events$.next(alarm('clock'));
    await first;
    const second = next(2);
    for (let i = 0; i < 10; i++) {
      events$.next(well('disk'));
      events$.next(alarm('disk'));
      events$.next(well('clock'));
    }
    isOver = true;
    const delivered = (await second).map(({ body }) => JSON.parse(body)).map(({ key, state }) => `${key} ${state}`);
    // Each key has a quiet time of its own: which of them is over first is not said.
    expect(delivered.sort()).toEqual(['clock cleared', 'disk raised']);
    expect(systemClock.monotonic() - begun).toBeGreaterThan(quietMs - 10);
    subscription.unsubscribe();
  });

  it('that fails for a while is tried again, told the newest state, and the notes hold nothing secret', async () => {
    let answers = 0;
    const { address, host, next } = await server((_request, response) =>
      response.writeHead(++answers <= 2 ? 503 : 200).end('x'),
    );
    const { events$, notes, nextNote } = begin({ webhook: address });
    const requests = next(3);
    const failed = nextNote();
    events$.next(alarm('disk'));
    await failed;
    events$.next(well('disk'));
    const again = nextNote();
    const bodies = (await requests).map(({ body }) => JSON.parse(body).state);
    await again;
    expect(bodies).toEqual(['raised', expect.any(String), 'cleared']);
    expect(notes.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      `warning: the webhook at ${host} could not be told of an alarm (health): ${host} answers with status 503; it is tried again`,
      `info: the webhook at ${host} takes alarms again`,
    ]);
    expect(JSON.stringify(notes)).not.toContain('secret');
  });

  it('that nobody answers at is a note, and tried again until somebody does', async () => {
    const { address, host } = await server((_request, response) => response.end());
    const closed = address.replace(host, '127.0.0.1:1');
    const { settings$, events$, nextNote } = begin({ webhook: closed });
    const note = nextNote();
    events$.next(alarm('disk'));
    expect(await note).toMatch(/127\.0\.0\.1:1: .*; it is tried again$/);
    const again = nextNote();
    settings$.next({ command: [], webhook: address, quietMs: 0 });
    expect(await again).toBe(`the webhook at ${host} takes alarms again`);
  });

  it.each([302, 307])('that leads elsewhere (%d) is not followed', async status => {
    const target = await server((_request, response) => response.end());
    let followed = 0;
    void target.next(1).then(() => followed++);
    const { address, host } = await server((_request, response) =>
      response.writeHead(status, { location: target.address }).end(),
    );
    const { events$, notes, ended } = begin({ webhook: address });
    events$.next(alarm('disk'));
    events$.complete();
    await ended;
    expect(followed).toBe(0);
    expect(notes.map(({ message }) => message)).toEqual([
      `the webhook at ${host} could not be told of an alarm (health): ${host} leads elsewhere (status ${status}): give the final address`,
    ]);
  });

  it('that never answers is given up after its time, and ended on teardown', async () => {
    const { address, next } = await server(() => undefined);
    const { events$, nextNote, subscription } = begin({ webhook: address }, { webhookTimeoutMs: 100 });
    const note = nextNote();
    events$.next(alarm('disk'));
    expect(await note).toContain('no answer within 100 ms; it is tried again');
    const [{ request }] = (await next(1)) as unknown as [{ request: IncomingMessage }];
    const closed = once(request.socket, 'close');
    subscription.unsubscribe();
    await closed;
  });

  it('is told of nothing before it is configured, then of what stands', async () => {
    const { address, next } = await server((_request, response) => response.end());
    const { settings$, events$ } = begin({});
    const requests = next(1);
    events$.next(alarm('disk'));
    events$.next(alarm('clock'));
    events$.next(well('disk'));
    settings$.next({ command: [], webhook: address, quietMs: 60_000 });
    expect(JSON.parse((await requests)[0]!.body)).toMatchObject({ state: 'raised', key: 'clock' });
  });
});

describe('[Alarms]', () => {
  const parse = (text: string) => parseConfig(`[Alarms]\n${text}`, 'c.toml').config.Alarms;

  it('has a command as words and a webhook as an address', () => {
    expect(parse('command = ["/bin/mail", "a b"]\nwebhook = "https://a.example/x?y=1"\nquiet_seconds = 0')).toEqual({
      command: ['/bin/mail', 'a b'],
      webhook: 'https://a.example/x?y=1',
      quiet_seconds: 0,
    });
    expect(parse('')).toEqual({ command: [], webhook: '', quiet_seconds: 3600 });
  });

  it.each([
    'command = "mail me secret"',
    'command = ["", "secret"]',
    'command = ["a", 1, "secret"]',
    'webhook = "ftp://secret.example"',
    'webhook = "https://user:secret@a.example/"',
    'webhook = "secret"',
  ])('refuses %s, without showing it', text => {
    expect(() => parse(text)).toThrow(/Alarms\.(command|webhook) is not right; it must be/);
    expect(() => parse(text)).not.toThrow(/"[^"]*secret/);
  });

  it('does not show its values where it says what changed', () => {
    const before = parseConfig('', 'c.toml').config;
    const after = parseConfig('[Alarms]\ncommand = ["a", "secret"]\nwebhook = "https://a/secret"', 'c.toml').config;
    expect(changedKeys(before, after)).toEqual(['command changed (not shown)', 'webhook changed (not shown)']);
  });
});
