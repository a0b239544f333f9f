import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchedText$ } from '../../src/streams/watchedText.ts';

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
    while (seen === null && performance.now() - begun < 3000) {
      await appendFile(join(folder, 'simulator_truth.jsonl'), 'a frame\n');
      await pass(20);
    }
    expect(seen).toBe('whole');
    await text;
  });
});
