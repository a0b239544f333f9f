import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configHash } from '../../../src/config/configHash.ts';
import { parseConfig } from '../../../src/config/parseConfig.ts';
import type { Config } from '../../../src/config/schema.ts';
import { contentHash } from '../../../src/files/contentHash.ts';
import { keepSnapshots } from '../../../src/operators/services/keepSnapshots.ts';
import { EventRun, useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';

const folder = '/root/backup';
const roisOf = (label: string): string =>
  JSON.stringify({ image_angle: 0, ROI_A: { label, flip: false, coords: [0, 0], size: [9, 9] } });
const [a, b] = [roisOf('a'), roisOf('b')];
const configOf = (text: string): Config => parseConfig(text, 'c.toml').config;

describe('keepSnapshots', () => {
  beforeEach(useStillTime);
  const runs: EventRun<never>[] = [];
  afterEach(() => {
    for (const run of runs.splice(0)) run.unsubscribe();
    vi.useRealTimers();
  });

  function begin(files = new FaultyFiles()) {
    const config$ = new Subject<Config>();
    const roiManifest$ = new Subject<string | null>();
    const run = new EventRun<never>();
    runs.push(run);
    const notes: string[] = [];
    const note = (_level: string, message: string): number => notes.push(message);
    const experiment = { tools: run.tools, note, roiManifest$, backupFiles: files, paths: { backup: folder } };
    run.listen(keepSnapshots(experiment, { config$, stop$: run.stop$ }));
    const kept = (): string[] => files.paths().map(path => path.slice(folder.length + 1));
    return { files, config$, roiManifest$, run, notes, kept };
  }

  it('keeps each ROI manifest once, as it was, and completes with its sources when the last is kept', async () => {
    const { roiManifest$, config$, run, kept, files } = begin();
    for (const text of [null, a, a, b, a]) roiManifest$.next(text);
    roiManifest$.complete();
    config$.complete();
    await run.until(() => run.complete);
    expect(kept()).toHaveLength(2);
    for (const text of [a, b]) {
      const [name] = kept().filter(one => one.endsWith(`_${contentHash(text)}.json`));
      expect(name).toMatch(/^ROI_manifest_\d{8}_\d{6}_/);
      expect(files.content(`${folder}/${name}`)!.toString()).toBe(text);
    }
  });

  it('keeps no text that is no ROI manifest, such as that of a file which a link of its name leads to', async () => {
    const { roiManifest$, config$, run, kept } = begin();
    for (const text of ['hunter2', '{}', a]) roiManifest$.next(text);
    roiManifest$.complete();
    config$.complete();
    await run.until(() => run.complete);
    expect(kept()).toEqual([expect.stringContaining(contentHash(a))]);
  });

  it('keeps each configuration once, under the hash that results have; one that changes no result too', async () => {
    const { config$, run, kept, files } = begin();
    const texts = ['', 'Data_Analysis.method = "fano"', 'Timing.sync_interval_seconds = 1'];
    for (const text of texts) config$.next(configOf(text));
    await run.until(() => kept().length === 3);
    const hashes = texts.map(text => configHash(configOf(text)));
    expect(kept().filter(name => name.endsWith(`_${hashes[0]}.toml`))).toHaveLength(2);
    const [fano] = kept().filter(name => name.endsWith(`_${hashes[1]}.toml`));
    expect(configOf(files.content(`${folder}/${fano}`)!.toString())).toEqual(configOf(texts[1]!));
    const again = begin(files.twin());
    again.config$.next(configOf(''));
    await again.run.rest();
    expect(kept()).toHaveLength(3);
  });

  it('notes a folder that can not be written to once, keeps trying, and leaves no content out', async () => {
    const { files, roiManifest$, run, notes, kept } = begin();
    await files.makeFolder(folder);
    files.plan = () => ({ error: 'EROFS' });
    roiManifest$.next(a);
    roiManifest$.next(b);
    await run.rest();
    await vi.advanceTimersByTimeAsync(300_000);
    await run.rest();
    expect(notes).toEqual([expect.stringMatching(/ROI manifest is kept in \/root\/backup.*EROFS/)]);
    expect([kept(), run.error]).toEqual([[], null]);
    files.plan = () => null;
    await run.until(() => kept().length === 2, 1000);
  });

  it('does not hold up a stop', async () => {
    const { files, roiManifest$, config$, run } = begin();
    files.plan = () => ({ error: 'ENOSPC' });
    roiManifest$.next(a);
    await run.rest();
    roiManifest$.complete();
    config$.complete();
    run.stop$.next();
    await run.until(() => run.complete);
    expect(vi.getTimerCount()).toBe(0);
  });
});
