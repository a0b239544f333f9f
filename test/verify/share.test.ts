import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requeue } from '../../src/cli/requeue.ts';
import { verify } from '../../src/cli/verify.ts';
import type { VerifyOptions } from '../../src/cli/verifyExperiment.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { fileLock } from '../../src/files/fileLock.ts';
import { type Files, nodeFiles } from '../../src/files/files.ts';
import { livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';
import type { Entry } from '../../src/model/entry.ts';
import { withoutEntry } from '../../src/verify/imageNames.ts';
import { inspect } from '../../src/verify/inspect.ts';
import type { SampleRoot } from './sampleRoot.ts';
import { temporarySample } from './temporarySample.ts';

interface Copied {
  sample: SampleRoot;
  share: string;
  copy: (i: number) => string;
}

/** Four images, all analysed, reported and copied to a share; the first is not here any more. */
async function copiedSample(): Promise<Copied> {
  const sample = await temporarySample({ images: 4 });
  const share = join(sample.root, 'share');
  const folder = join(share, 'data', '20250724');
  await mkdir(folder, { recursive: true });
  await mkdir(join(sample.root, 'flags'), { recursive: true });
  await writeFile(join(share, '.phorest_share.json'), JSON.stringify({ share_id: 'm1' }));
  const known = { shares: { [share]: { share_id: 'm1', first_used: '2025-07-24T11:00:00Z' } } };
  await writeFile(join(sample.root, 'flags', 'share.json'), JSON.stringify(known));
  await writeFile(
    join(sample.root, 'configs', 'Phorest_config.toml'),
    `[Services]\nenable_remote_sync = true\n[Sync]\ndeadline_seconds = 5\n[Paths]\nremote_root_dir = "${share}"\n`,
  );
  const copy = (i: number): string => join(folder, basename(sample.image(i)));
  const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
  for (const [i, entry] of entries.entries()) {
    const bytes = await readFile(sample.image(i));
    await writeFile(copy(i), bytes);
    entry.image_synced = true;
    entry.remote_copy = {
      path: `data/20250724/${basename(copy(i))}`,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  }
  entries[0]!.image_local = false;
  entries[0]!.camera_data!.filepath = folder;
  await rm(sample.image(0));
  await writeFile(sample.manifestFile, JSON.stringify(entries));
  return { sample, share, copy };
}

async function look(sample: SampleRoot, options: VerifyOptions = {}) {
  const { code, lines } = await sample.run(verify, { ...options, json: true });
  const told = lines.map(line => JSON.parse(line) as Record<string, string>);
  return {
    code,
    kinds: told.filter(line => 'kind' in line).map(({ kind, entry_id: id }) => `${kind} ${id}`),
    notes: told.flatMap(({ note }) => note ?? []),
    totals: told.at(-1)!,
  };
}

const pathsOf = ({ root }: SampleRoot) => ({
  paths: resolvePaths(defaultConfig(), {
    cwd: root,
    configFile: join(root, 'configs', 'Phorest_config.toml'),
    exists: existsSync,
    root,
  }),
});

describe('verify, where images are copied to a share', () => {
  it('finds nothing where every copy stands, and writes nothing to the share', async () => {
    const { sample, share } = await copiedSample();
    const before = await readdir(share, { recursive: true });
    expect(await look(sample, { deep: true })).toMatchObject({ code: 0, kinds: [], notes: [], totals: { copies: 4 } });
    expect(await readdir(share, { recursive: true })).toEqual(before);
  });

  it.each(['', 'null', '\0\0\0', '[]'])(
    'notes that the record of the share is damaged (%j), and looks at all else',
    async text => {
      const { sample } = await copiedSample();
      await writeFile(join(sample.root, 'flags', 'share.json'), text);
      expect(await look(sample)).toMatchObject({ notes: [expect.stringMatching(/share\.json is damaged/)] });
    },
  );

  it('finds copies that are gone, cut off or altered, and an image that is nowhere any more', async () => {
    const { sample, copy } = await copiedSample();
    await rm(copy(0));
    await rm(copy(1));
    await truncate(copy(2), 10);
    const altered = await readFile(copy(3));
    altered[30]! ^= 1;
    await writeFile(copy(3), altered);
    const found = ['lost_image e0', 'missing_copy e1', 'wrong_copy e2'];
    expect(await look(sample)).toMatchObject({ code: 1, kinds: found });
    expect((await look(sample, { deep: true })).kinds.sort()).toEqual([...found, 'wrong_copy e3']);
  });

  it('names each entry whose remote_copy is not its own, and looks at all other copies', async () => {
    const { sample, copy } = await copiedSample();
    await rm(copy(3));
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
    const [, own] = entries;
    (own!.remote_copy as { path: string }).path = '../../priv/key.txt';
    entries[2]!.remote_copy = 'x';
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    expect(await look(sample)).toMatchObject({
      code: 1,
      kinds: ['unknown_copy e1', 'unknown_copy e2', 'missing_copy e3'],
      notes: [],
      totals: { copies: 2 },
    });
    delete entries[1]!.remote_copy;
    entries[2]!.remote_copy = entries[3]!.remote_copy;
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    expect((await look(sample)).kinds.slice(0, 2)).toEqual(['unknown_copy e1', 'unknown_copy e2']);
  });

  it.each([
    ['a copy had to be there', true, ['unsynced_removed e0'], []],
    ['sync was off then', false, [], []],
    ['nobody knows of that', undefined, [], [expect.stringContaining('1 image was removed here without a copy')]],
  ])(
    'judges an image that was removed here and has no copy by what its entry says: %s',
    async (_, said, kinds, notes) => {
      const { sample } = await copiedSample();
      const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
      Object.assign(entries[0]!, { image_synced: false, copy_required: said });
      await writeFile(sample.manifestFile, JSON.stringify(entries));
      expect(await look(sample)).toMatchObject({ code: kinds.length, kinds, notes });
    },
  );

  it('notes a share that is not there, or is another one, and finds nothing wrong with that', async () => {
    const { sample, share } = await copiedSample();
    await rename(share, `${share}.away`);
    expect(await look(sample)).toMatchObject({ code: 0, kinds: [], notes: [expect.stringContaining('is not there')] });
    expect(existsSync(share)).toBe(false);
    await mkdir(share);
    expect(await look(sample)).toMatchObject({ code: 0, notes: [expect.stringContaining('has no marker')] });
    expect(await readdir(share)).toEqual([]);
    await rm(join(sample.root, 'flags', 'share.json'));
    expect(await look(sample)).toMatchObject({ code: 0, notes: [expect.stringContaining('nothing was ever copied')] });
    expect(await readdir(share)).toEqual([]);
  });

  it('takes no image for an orphan that lies here again although it was removed', async () => {
    const { sample, copy } = await copiedSample();
    await copyFile(copy(0), sample.image(0));
    expect(await look(sample)).toMatchObject({ code: 0, kinds: [] });
  });

  it('is not set back by requeue when the ring buffer has removed its image, though its copy is in reach', async () => {
    const { sample } = await copiedSample();
    const dry = await sample.run(requeue, { dryRun: true, json: true });
    expect(JSON.parse(dry.lines[0]!)).toMatchObject({ selected: 3, without_image: 1 });
    const done = await sample.run(requeue, { json: true });
    expect(JSON.parse(done.lines[0]!)).toMatchObject({ selected: 3, changed: 3, without_image: 1 });
  });
});

describe('what moves while verify runs', () => {
  it.each([true, false])(
    'an image that the ring buffer removes is none that is missing, if its entry says so (%s)',
    async said => {
      const sample = await temporarySample({ images: 2 });
      const { paths } = pathsOf(sample);
      await mkdir(paths.status, { recursive: true });
      await writeFile(join(paths.status, 'p.json'), JSON.stringify(ownIdentity));
      let isRemoved = false;
      const files: Files = {
        ...nodeFiles,
        stat: async path => {
          if (path === sample.image(0) && !isRemoved) {
            isRemoved = true;
            await rm(path);
            const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
            if (said) entries[0]!.image_local = false;
            await writeFile(sample.manifestFile, JSON.stringify(entries));
          }
          return nodeFiles.stat(path);
        },
      };
      const found: string[] = [];
      await inspect({
        paths,
        files,
        liveness: livenessOf,
        isAlive: () => true,
        now: Date.now,
        hasTable: true,
        share: null,
        decode: null,
        onFinding: ({ kind, entry_id: id }) => found.push(`${kind} ${id}`),
        onNote: () => undefined,
      });
      expect([isRemoved, found]).toEqual([true, said ? [] : ['missing_image e0']]);
    },
  );

  it('an image that was settled and archived meanwhile is no orphan', async () => {
    const sample = await temporarySample({ images: 8, liveEntries: 3 });
    const { paths } = pathsOf(sample);
    expect((JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[]).length).toBeLessThan(8);
    const all = Array.from({ length: 9 }, (_, i) => sample.image(i));
    expect((await withoutEntry(all, { paths, files: nodeFiles })).left).toEqual([sample.image(8)]);
  });

  it('temporary files that were left in backup_dir are found and removed', async () => {
    const sample = await temporarySample({ images: 1 });
    const backup = join(sample.root, 'backup');
    await mkdir(backup);
    const left = join(backup, 'entries.json.gz.99999999-0123abcd.tmp');
    await writeFile(left, 'x');
    expect((await look(sample)).kinds).toEqual(['stray_temporary undefined']);
    expect((await sample.run(verify, { repair: true })).code).toBe(0);
    expect(existsSync(left)).toBe(false);
  });

  it('a repair waits for a requeue that is at it', async () => {
    const sample = await temporarySample({ images: 2 });
    await copyFile(sample.image(0), sample.image(5));
    const order: string[] = [];
    const { promise: held, resolve: free } = Promise.withResolvers<void>();
    const { promise: taken, resolve: take } = Promise.withResolvers<void>();
    const requeueing = fileLock(join(sample.root, 'data', 'requeue'))(async () => {
      take();
      await held;
      order.push('requeued');
    });
    await taken;
    const repairing = sample.run(verify, { repair: true }).then(({ code }) => order.push(`repaired ${code}`));
    // Only the look before the repair goes on meanwhile.
    await look(sample);
    free();
    await Promise.all([requeueing, repairing]);
    expect(order).toEqual(['requeued', 'repaired 0']);
  });
});
