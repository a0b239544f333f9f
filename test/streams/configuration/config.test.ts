import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER, Observable, type Subscription, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { config$ } from '../../../src/streams/configuration/config.ts';
import type { ConfigUpdate } from '../../../src/streams/configuration/configUpdates.ts';
import type { FileText } from '../../../src/streams/watched/fileText.ts';
import { patience } from '../../world/patience.ts';

let folder: string;
let file: string;
let subscription: Subscription | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-config-'));
  file = join(folder, 'c.toml');
});

afterEach(async () => {
  subscription?.unsubscribe();
  await rm(folder, { recursive: true, force: true });
});

/** The news of a stream, one after the other. */
function newsOf(stream: Observable<ConfigUpdate>): () => Promise<ConfigUpdate> {
  const arrived: ConfigUpdate[] = [];
  let failed: { error: unknown } | null = null;
  let wake = (): void => {};
  subscription = stream.subscribe({
    next: update => {
      arrived.push(update);
      wake();
    },
    error: (error: unknown) => {
      failed = { error };
      wake();
    },
  });
  return async () => {
    while (arrived.length === 0) {
      if (failed) throw failed.error;
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
    return arrived.shift() as ConfigUpdate;
  };
}

/** What looks unfinished (empty, cut off, away for a moment) is waited for, however long a busy machine takes to go on writing it. */
const watched = ({ required = true, unfinishedMs = 60_000 } = {}): (() => Promise<ConfigUpdate>) =>
  newsOf(config$({ path: file, file: 'c.toml', required, settleMs: 40, unfinishedMs, onError: fail }));

/** Nobody sees a part of it. */
async function put(text: string): Promise<void> {
  await writeFile(`${file}~`, text);
  await rename(`${file}~`, file);
}

const fail = (error: Error): never => {
  throw error;
};

/** Shipped interval is 5; each text is complete. */
const textOf = (seconds: number): string =>
  `[Timing]\ncollector_interval_seconds = ${seconds}\n[Services]\nenable_camera = true\n`;

const intervalOf = (update: ConfigUpdate): number | string =>
  update.kind === 'loaded' ? update.config.Timing.collector_interval_seconds : update.error.message;

describe('config$ on real files', () => {
  it('sees writes in place, one after the other', async () => {
    await writeFile(file, textOf(1));
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    for (let seconds = 2; seconds <= 5; seconds++) {
      await writeFile(file, textOf(seconds));
      expect(intervalOf(await next())).toBe(seconds);
    }
  });

  it('sees an editor replace it by rename, again and again', async () => {
    await writeFile(file, textOf(1));
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    for (let seconds = 2; seconds <= 6; seconds++) {
      await put(textOf(seconds));
      expect(intervalOf(await next())).toBe(seconds);
    }
  });

  it('sees an editor move the old one away and write a new one', async () => {
    await writeFile(file, textOf(1));
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    for (let seconds = 2; seconds <= 4; seconds++) {
      await rename(file, `${file}.bak`);
      await writeFile(file, textOf(seconds));
      expect(intervalOf(await next())).toBe(seconds);
    }
  });

  it('sees a file go and come back, with its folder', async () => {
    const deep = join(folder, 'configs');
    await mkdir(deep);
    file = join(deep, 'c.toml');
    await writeFile(file, textOf(1));
    const next = watched({ unfinishedMs: 150 });
    expect(intervalOf(await next())).toBe(1);
    await unlink(file);
    expect(intervalOf(await next())).toBe('c.toml: there is no such file');
    await put(textOf(1));
    expect(await next()).toMatchObject({ kind: 'loaded', changes: [] });
    await rm(deep, { recursive: true });
    expect(intervalOf(await next())).toBe('c.toml: there is no such file');
    await mkdir(deep);
    await put(textOf(2));
    expect(intervalOf(await next())).toBe(2);
    await put(textOf(3));
    expect(intervalOf(await next())).toBe(3);
  });

  it('waits for a file that is written slowly', async () => {
    await writeFile(file, textOf(1));
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    const whole = textOf(2);
    for (const end of [0, 10, 30, whole.length]) await writeFile(file, whole.slice(0, end));
    expect(await next()).toMatchObject({ changes: ['collector_interval_seconds 1 → 2'] });
  });

  it('keeps the last good settings while the file is bad', async () => {
    await writeFile(file, textOf(1));
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    await writeFile(file, textOf(-1));
    expect(intervalOf(await next())).toMatch(/^c\.toml:2:30: Timing\.collector_interval_seconds is -1; it must be/);
    await writeFile(file, '[Timing\n');
    expect(intervalOf(await next())).toMatch(/^c\.toml:1:8: this is not TOML: /);
    await writeFile(file, Buffer.from([0x5b, 0xff, 0xfe, 0x0a]));
    expect(intervalOf(await next())).toMatch(/^c\.toml:1:2: the file is not UTF-8 text: the byte FF/);
    await writeFile(file, textOf(1));
    expect(await next()).toMatchObject({ kind: 'loaded', changes: [] });
  });

  it('goes by the shipped settings without a file, and sees it appear', async () => {
    file = join(folder, 'not', 'yet', 'c.toml');
    const next = watched({ required: false });
    expect(await next()).toMatchObject({
      kind: 'loaded',
      file: null,
      config: { Camera: { camera_type: 'simulated' } },
    });
    await mkdir(join(folder, 'not', 'yet'), { recursive: true });
    await writeFile(file, textOf(2));
    expect(await next()).toMatchObject({
      kind: 'loaded',
      file: 'c.toml',
      config: { Timing: { collector_interval_seconds: 2 } },
    });
  });

  it('follows a link to the file that it leads to', async () => {
    await writeFile(join(folder, 'real.toml'), textOf(1));
    await symlink('real.toml', file);
    const next = watched();
    expect(intervalOf(await next())).toBe(1);
    await writeFile(join(folder, 'real.toml'), textOf(2));
    expect(intervalOf(await next())).toBe(2);
  });

  it.each([
    ['is not there', async () => {}, 'c.toml: there is no such file'],
    ['is a folder', () => mkdir(file), 'c.toml: the file is a folder'],
    ['has a mistake', () => writeFile(file, textOf(0)), /^c\.toml:2:30: .* is 0; it must be/],
    [
      'stands where a file is taken for a folder',
      async () => {
        await writeFile(file, '');
        file = join(file, 'c.toml');
      },
      'c.toml: there is no such file',
    ],
  ])('fails at first when the file %s', async (_, make, message) => {
    await make();
    await expect(watched()()).rejects.toThrow(message);
  });

  it.skipIf(process.getuid?.() === 0)('fails at first when the file may not be read', async () => {
    await writeFile(file, textOf(1));
    await chmod(file, 0);
    await expect(watched()()).rejects.toThrow("may not be read by this program's user");
  });
});

describe('config$ and its watcher', () => {
  it('leaves nothing open when it is unsubscribed', async () => {
    const watches = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'FSEventWrap').length;
    const before = watches();
    await writeFile(file, textOf(1));
    const next = watched();
    await next();
    await vi.waitUntil(() => watches() > before, patience);
    subscription?.unsubscribe();
    await vi.waitUntil(() => watches() === before, patience);
  });

  const read = async (): Promise<FileText> => ({ kind: 'text', text: textOf(1) });

  it('reads before it hears from the watcher, watches once, and closes the watcher', async () => {
    let open = 0;
    const touched = (): Observable<void> =>
      new Observable(() => {
        open++;
        return () => {
          open--;
        };
      });
    const stream = config$({ path: file, file: 'c.toml', required: true, onError: fail }, { read, touched });
    expect(open).toBe(0);
    const next = newsOf(stream);
    expect(intervalOf(await next())).toBe(1);
    expect(open).toBe(1);
    subscription?.unsubscribe();
    expect(open).toBe(0);
  });

  it.each([
    ['a watcher that never tells of anything', () => NEVER, 'its watcher is silent'],
    [
      'a watcher that fails',
      () => throwError(() => new Error('no space left for watches')),
      'no space left for watches',
    ],
  ])('takes edits with %s, within seconds, and says once that they are late', async (_, touched, reason) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let seconds = 1;
    const told: string[] = [];
    const intervals: (string | number)[] = [];
    subscription = config$(
      { path: '/x/c.toml', file: 'c.toml', required: true, onError: ({ message }) => told.push(message) },
      { touched, read: async () => ({ kind: 'text', text: textOf(seconds) }) },
    ).subscribe(update => intervals.push(intervalOf(update)));
    await vi.advanceTimersByTimeAsync(10_000);
    for (seconds = 2; seconds < 4; seconds++) await vi.advanceTimersByTimeAsync(4_300);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(intervals).toEqual([1, 2, 3, 4]);
    expect(told).toEqual([expect.stringContaining(reason)]);
    expect(told[0]).toContain('/x/c.toml');
    subscription.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });
});
