import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { requeue } from '../../src/cli/requeue.ts';
import { requeueGroups } from '../../src/cli/requeueGroups.ts';
import type { RequeueOptions } from '../../src/cli/requeueSelection.ts';
import { verify } from '../../src/cli/verify.ts';
import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';
import { isSettled } from '../../src/manifest/isSettled.ts';
import { Manifest, type ManifestOptions } from '../../src/manifest/manifest.ts';
import { systemClock } from '../../src/model/clock.ts';
import type { Entry } from '../../src/model/entry.ts';
import { temporarySample } from '../verify/temporarySample.ts';

const statusesOf = (entries: ReadonlyMap<string, Entry>): string =>
  [...entries.values()]
    .sort((a, b) => Number(a.entry_id.slice(1)) - Number(b.entry_id.slice(1)))
    .map(({ processing_status: status }) => status.slice(0, 2))
    .join(' ');

const auditOf = async (root: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(root, 'logs', 'audit.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);

describe('requeue', () => {
  it('sets analysed and failed images back, and nothing else', async () => {
    const sample = await temporarySample({ images: 6, pending: 1, failed: [1] });
    const { code, lines } = await sample.run(requeue);
    expect([code, lines[0]]).toEqual([0, '5 of 5 images (4 processed, 1 failed) are set to pending']);
    const entries = await sample.entries();
    expect(statusesOf(entries)).toBe('pe pe pe pe pe pe');
    expect(entries.get('e1')).toMatchObject({ processing_error: false, processing_error_msg: null });
    expect(entries.get('e0')).toMatchObject({ attempt: 1, data_transmitted: false });
    expect((await sample.run(verify)).lines).toEqual([expect.stringMatching(/^all is well/)]);
  });

  it.each<[string, RequeueOptions, string]>([
    ['of a status', { status: 'failed' }, 'pr pe pr pe pr pr'],
    ['from a time on', { from: '2025-07-24T12:00:04' }, 'pr fa pr fa pe pe'],
    ['up to and with a second', { to: '2025-07-24T12:00:01' }, 'pe pe pr fa pr pr'],
    ['of a time with a zone', { from: '2025-07-24T14:00:02+02:00', to: '2025-07-24T12:00:02Z' }, 'pr fa pe fa pr pr'],
    ['every second', { every: 2 }, 'pe fa pe fa pe pr'],
    ['to be left out', { status: 'failed', skip: true }, 'pr sk pr sk pr pr'],
  ])('takes images %s', async (_what, options, expected) => {
    const sample = await temporarySample({ failed: [1, 3] });
    expect((await sample.run(requeue, options)).code).toBe(0);
    expect(statusesOf(await sample.entries())).toBe(expected);
  });

  it.each<RequeueOptions>([
    { from: 'yesterday' },
    { from: '2025-07-25', to: '2025-07-24' },
    { to: '2025-13-01T00:00Z' },
  ])('refuses %j', async options => {
    const sample = await temporarySample({ images: 1 });
    await expect(sample.run(requeue, options)).rejects.toMatchObject({ name: 'ExitError', code: 2 });
    expect(statusesOf(await sample.entries())).toBe('pr');
  });

  it.each(['xterm', 'dumb'])('on a terminal (TERM=%s) only says what it would do, and how', async term => {
    vi.stubEnv('TERM', term);
    onTestFinished(() => void vi.unstubAllEnvs());
    const sample = await temporarySample({ failed: [2] });
    const before = await readFile(sample.manifestFile);
    const shown = await sample.run(requeue, { from: '2025-07-24 12:00:02' }, { isTerminal: true });
    expect(shown.code).toBe(0);
    expect(shown.lines[0]).toBe('4 images (1 failed, 3 processed) would be set to pending');
    expect(shown.lines.at(-1)).toContain(`phorest --root ${sample.root} requeue --from '2025-07-24 12:00:02' --yes`);
    expect(await readFile(sample.manifestFile)).toEqual(before);
    expect(existsSync(join(sample.root, 'logs'))).toBe(false);
    await sample.run(requeue, { from: '2025-07-24 12:00:02', yes: true }, { isTerminal: true });
    expect(statusesOf(await sample.entries())).toBe('pr pr pe pe pe pe');
  });

  it('without a terminal holds back on --dry-run only, and can tell in JSON', async () => {
    const sample = await temporarySample({ failed: [2] });
    const { lines } = await sample.run(requeue, { dryRun: true, json: true });
    expect(lines.map(line => JSON.parse(line) as unknown)).toEqual([
      {
        selected: 6,
        changed: 0,
        by_status: { processed: 5, failed: 1 },
        in_work: 0,
        without_image: 0,
        dry_run: true,
      },
    ]);
    expect(statusesOf(await sample.entries())).toBe('pr pr fa pr pr pr');
  });

  it('notes who did what', async () => {
    const sample = await temporarySample({ failed: [2] });
    await sample.run(requeue, { status: 'failed' });
    await sample.run(requeue, { status: 'processed', every: 5, skip: true });
    expect(await auditOf(sample.root)).toEqual([
      {
        time: expect.stringMatching(/Z$/),
        user: expect.any(String),
        host: ownIdentity.host,
        pid: process.pid,
        command: 'requeue',
        selection: { status: 'failed' },
        set_to: 'pending',
        selected: 1,
        changed: 1,
      },
      expect.objectContaining({ selection: { status: 'processed', every: 5 }, set_to: 'skip', changed: 1 }),
    ]);
  });

  it('brings archived images back, in their order, and they are analysed once more', async () => {
    const sample = await temporarySample({ images: 12, liveEntries: 4 });
    const archived = await sample.manifest();
    expect(archived.size).toBeLessThan(12);
    await archived.close({ compact: false });
    const { lines } = await sample.run(requeue, { from: '2025-07-24T12:00:01', to: '2025-07-24T12:00:10' });
    expect(lines[0]).toBe('10 of 10 images (10 processed) are set to pending');
    expect(statusesOf(await sample.entries())).toBe(`pr${' pe'.repeat(10)} pr`);

    const manifest = await sample.manifest();
    expect(manifest.waiting('processor')).toBe(10);
    await sample.analyse(manifest, 10);
    await sample.report(manifest);
    await manifest.close({ compact: true });
    expect((await sample.entries()).get('e1')).toMatchObject({ attempt: 2, processing_status: 'processed' });
    const checked = await sample.run(verify, { json: true });
    expect(JSON.parse(checked.lines.at(-1)!)).toMatchObject({
      entries: 12,
      results: 22,
      earlier_results: 10,
      findings: 0,
    });
  });

  it('leaves alone what is in flight, also of one that nobody can ask', async () => {
    const sample = await temporarySample({ images: 4, pending: 3 });
    const manifest = await sample.manifest();
    await manifest.claim('processor', 1);
    const elsewhere = await sample.manifest(5_000, { own: { ...ownIdentity, host: 'other', boot_id: 'other' } });
    await elsewhere.claim('processor', 1);
    const dead = await sample.manifest(5_000, { own: { ...ownIdentity, pid_start: 1 } });
    await dead.claim('processor', 1);
    const { lines } = await sample.run(requeue, { status: 'processing' });
    expect(lines.slice(0, 2)).toEqual([
      '1 of 1 image (1 processing) is set to pending',
      '2 are in work just now and left alone',
    ]);
    expect(statusesOf(await sample.entries())).toBe('pr pr pr pe');
    for (const one of [manifest, elsewhere, dead]) await one.close({ compact: false });
  });

  it('reaches a manifest that is open elsewhere, whose claims go on', async () => {
    const sample = await temporarySample({ images: 4 });
    const manifest = await sample.manifest();
    await sample.run(requeue, { every: 2 });
    await manifest.catchUp();
    const claimed = await manifest.claim('processor', 10);
    expect(claimed.map(({ entry_id: id, attempt }) => [id, attempt])).toEqual([
      ['e0', 2],
      ['e2', 2],
    ]);
    await manifest.close({ compact: false });
  });

  it('keeps the result of an image that is no longer there', async () => {
    const sample = await temporarySample({ images: 3 });
    await rm(sample.image(1));
    const { lines } = await sample.run(requeue);
    expect(lines.slice(0, 2)).toEqual([
      '2 of 2 images (2 processed) are set to pending',
      '1 have no image any more and are left alone',
    ]);
    expect(statusesOf(await sample.entries())).toBe('pe pr pe');
  });

  it('says where it looked when there is no experiment, and makes nothing there', async () => {
    const sample = await temporarySample({ images: 1 });
    await rm(join(sample.root, 'data'), { recursive: true });
    await expect(sample.run(requeue)).rejects.toThrow(sample.manifestFile);
    expect(existsSync(join(sample.root, 'data'))).toBe(false);
  });

  it('brings entries back that went to the archive since they were chosen', async () => {
    const sample = await temporarySample({ images: 6 });
    const ids = new Set(['e0', 'e1', 'e5']);
    const before = await sample.manifest(2);
    await before.offer([sample.entry(8)]);
    await before.close({ compact: true });
    const options: ManifestOptions = {
      file: sample.manifestFile,
      files: nodeFiles,
      exclusive: fileLock(sample.manifestFile),
      clock: systemClock,
      own: ownIdentity,
      liveness: livenessOf,
      liveEntries: 100,
      isSettled,
      writer: 'w',
      note: () => undefined,
    };
    const manifest = await Manifest.open(options);
    expect([manifest.get('e0'), manifest.get('e1')]).toEqual([undefined, undefined]);
    expect(await requeueGroups([{ segment: null, ids }], 'pending', manifest, options)).toBe(3);
    await manifest.close({ compact: true });
    expect(statusesOf(await sample.entries())).toBe('pe pe pr pr pr pe pe');
  });
});
