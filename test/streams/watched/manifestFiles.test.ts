import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BehaviorSubject, filter, firstValueFrom, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manifestFiles$ } from '../../../src/streams/watched/manifestFiles.ts';

/** Files being watched; `next` resolves with the first event after the call. */
async function watching() {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-manifest-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'manifest.json');
  const journal = (number: number): string => join(folder, `manifest.journal.${number}.jsonl`);
  for (const path of [file, journal(1)]) await writeFile(path, '');
  const files$ = new BehaviorSubject<readonly string[]>([file, journal(1)]);
  const events$ = new Subject<void>();
  const problems: Error[] = [];
  let seen = 0;
  // Virtual time stands still: nothing is told but what the file system tells.
  const still = new TestScheduler(() => undefined);
  const watch = manifestFiles$(files$, error => problems.push(error), still).subscribe(() => {
    seen++;
    events$.next();
  });
  onTestFinished(() => watch.unsubscribe());
  const next = (): Promise<void> => firstValueFrom(events$);
  // Each file tells of itself once.
  await firstValueFrom(events$.pipe(filter(() => seen === 2)));
  return { folder, file, journal, files$, next, problems, seen: () => seen };
}

describe('manifestFiles$', () => {
  it('tells of a journal that grows and of a snapshot that is replaced', async () => {
    const { file, journal, next } = await watching();
    const grown = next();
    await appendFile(journal(1), 'a line\n');
    await grown;
    const replaced = next();
    await writeFile(`${file}.new`, 'all');
    await rename(`${file}.new`, file);
    await replaced;
  });

  it('follows to the next journal, also when the old one is removed', async () => {
    const { file, journal, files$, next, problems } = await watching();
    await writeFile(journal(2), 'header\n');
    const begun = next();
    files$.next([file, journal(2)]);
    await begun;
    await rm(journal(1));
    const grown = next();
    await appendFile(journal(2), 'a line\n');
    await grown;
    expect(problems).toEqual([]);
  });

  it('is not woken by locks and images in the same folder', async () => {
    const { folder, journal, next, seen } = await watching();
    const before = seen();
    for (let i = 0; i < 20; i++) {
      await mkdir(join(folder, 'manifest.json.lock'));
      await writeFile(join(folder, `image_${i}.png`), 'pixels');
      await rm(join(folder, 'manifest.json.lock'), { recursive: true });
    }
    const grown = next();
    await appendFile(journal(1), 'a line\n');
    await grown;
    expect(seen()).toBe(before + 1);
  });
});
