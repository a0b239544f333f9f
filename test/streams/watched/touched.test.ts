import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { filter, firstValueFrom, NEVER, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FileText } from '../../../src/streams/watched/fileText.ts';
import { touched$ } from '../../../src/streams/watched/touched.ts';
import { watchedFile$, watchedText$ } from '../../../src/streams/watched/watchedFile.ts';
import { patience } from '../../world/patience.ts';

describe('a watched file', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'phorest-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is seen when it comes into being with its folder, though another file there grows without a pause', async () => {
    const folder = join(root, 'generated_files');
    const path = join(folder, 'ROI_manifest.json');
    let seen: string | null = null;
    const text = firstValueFrom(watchedText$(path, () => undefined).pipe(filter(each => each !== null))).then(each => {
      seen = each;
    });
    await pass(200);
    await mkdir(folder);
    await writeFile(`${path}.tmp`, 'whole');
    await rename(`${path}.tmp`, path);
    const begun = performance.now();
    // Shorter pauses than a file must have been left alone for.
    while (seen === null && performance.now() - begun < patience.timeout) {
      await appendFile(join(folder, 'simulator_truth.jsonl'), 'a frame\n');
      await pass(20);
    }
    expect(seen).toBe('whole');
    await text;
  });
});

describe('a file whose watcher is blind', () => {
  it.each([
    ['tells of nothing', () => NEVER],
    ['fails each time that it is tried', () => throwError(() => new Error('EMFILE: too many open files, watch'))],
  ])('is read at the next look when it appears, when its watcher %s', async (_, touched) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let text: FileText = { kind: 'missing' };
    const seen: FileText[] = [];
    const told: string[] = [];
    const options = { touched, read: async () => text, onError: ({ message }: Error) => void told.push(message) };
    const watching = watchedFile$('/root/generated_files/ROI_manifest.json', options).subscribe(each =>
      seen.push(each),
    );
    await vi.advanceTimersByTimeAsync(5_000);
    text = { kind: 'text', text: '{}' };
    await vi.advanceTimersByTimeAsync(2_100);
    expect(seen).toEqual([{ kind: 'missing' }, text]);
    await vi.advanceTimersByTimeAsync(100_000);
    expect(seen).toHaveLength(2);
    expect(told).toHaveLength(1);
    watching.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says nothing of a watcher that tells of a change a little after the look', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const touches$ = new Subject<void>();
    let text = 'a';
    const told: string[] = [];
    const seen: string[] = [];
    const watching = watchedFile$('/f', {
      touched: () => touches$,
      read: async () => ({ kind: 'text', text }),
      onError: ({ message }) => void told.push(message),
    }).subscribe(each => seen.push(each.kind === 'text' ? each.text : each.kind));
    await vi.advanceTimersByTimeAsync(1_900);
    text = 'b';
    await vi.advanceTimersByTimeAsync(300);
    touches$.next();
    await vi.advanceTimersByTimeAsync(10_000);
    watching.unsubscribe();
    expect(seen).toEqual(['a', 'b']);
    expect(told).toEqual([]);
  });

  it('on a disk that hangs for an hour is read once more when it answers, and not for every look', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let reads = 0;
    const { promise: hanging, resolve: answer } = Promise.withResolvers<FileText>();
    const read = (): Promise<FileText> => (++reads === 1 ? hanging : Promise.resolve({ kind: 'missing' }));
    const watching = watchedFile$('/f', { touched: () => NEVER, read, onError: () => undefined }).subscribe();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(reads).toBe(1);
    answer({ kind: 'missing' });
    await vi.advanceTimersByTimeAsync(0);
    expect(reads).toBe(2);
    watching.unsubscribe();
  });

  it('is told to have a backslash in its path, which the watcher would take for a slash', async () => {
    await expect(firstValueFrom(touched$('/root/a\\b/c.toml'))).rejects.toThrow('backslash');
  });
});
