import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { journalPath, listJournals } from '../../src/manifest/journal.ts';
import { type Entry, isBrightfield } from '../../src/model/entry.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';
import { manifestFile } from '../world/sampleManifest.ts';
import { imageOf, MemoryExperiment } from './memoryExperiment.ts';

const archive = '/root/data/metadata_manifest_archive/';

/**
 * Twelve images: 0 to 9 analysed, 0 to 7 reported, the oldest archived, 10 and 11 wait. What it was compacted to stands in the snapshot,
 * the rest in the journals.
 */
async function sample({ liveEntries = 4 } = {}): Promise<MemoryExperiment> {
  const made = new MemoryExperiment(new FaultyFiles());
  made.files.put('/root/data/other.txt', '');
  const manifest = await made.open({ liveEntries });
  await made.capture(manifest, 0, 10);
  await made.analyse(manifest, 9);
  await made.report(manifest, 6);
  await manifest.compact();
  await made.report(manifest, 2);
  await made.analyse(manifest, 1);
  await made.capture(manifest, 10, 12);
  await manifest.close({ compact: false });
  return made;
}

const statusOf = ({ processing_status: status, data_transmitted: sent, attempt }: Entry): string =>
  `${status}${sent ? ', sent' : ''}, ${attempt}`;

/** What has to hold after a rebuild: every image once, every result counts, nothing is reported twice. */
const whole = [
  ...Array.from({ length: 8 }, () => 'processed, sent, 1'),
  'processed, 1',
  'processed, 1',
  'pending, 0',
  'pending, 0',
];

async function expectWhole(made: MemoryExperiment): Promise<void> {
  const entries = await made.entries();
  expect([...entries.values()].map(statusOf)).toEqual(whole);
  // It goes on: what waits is analysed and reported, each once.
  const manifest = await made.open();
  for (const stage of ['processor', 'communicator'] as const) await manifest.release(manifest.orphans(stage), stage);
  await made.analyse(manifest, 20);
  await made.report(manifest, 20);
  await manifest.close({ compact: true });
  expect(made.rows()).toEqual(Array.from({ length: 12 }, () => 1));
  expect([...(await made.entries()).values()].map(entry => entry.data_transmitted)).not.toContain(false);
}

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 200);
const zeros = (bytes: Buffer): Buffer => Buffer.alloc(bytes.length);
const binary = (bytes: Buffer): Buffer => gzipSync(bytes);
const holed = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, 900), Buffer.alloc(300), bytes.subarray(1200)]);

describe('a manifest that can not be read', () => {
  it.each<[string, (bytes: Buffer) => Buffer | string]>([
    ['empty', () => ''],
    ['zeros of its old length', zeros],
    ['cut off', cut],
    ['zeros in the middle', holed],
    ['garbage', () => 'not json at all\n{]'],
    ['no array', () => '{"entry_id": "e0"}'],
    ['binary', binary],
    ['of an array that a hand has broken', bytes => bytes.toString().replace('"rev"', '"rev')],
    ['a results file in its place', () => '{"entry_id":"e1","attempt":1,"manifest_entry_timestamp":"x"}\n'],
  ])(
    'is rebuilt when it is %s, kept, and told of; no image and no result is lost or counts twice',
    async (_what, damage) => {
      const made = await sample();
      const before = made.files.content(manifestFile)!;
      const damaged = Buffer.from(damage(before) as string);
      made.files.put(manifestFile, damaged);
      await (await made.open()).close({ compact: true });
      expect(made.told).toEqual([
        expect.stringMatching(
          /^\/root\/data\/metadata_manifest\.json was rebuilt, since .*: .+ entries that could be read, .* from results/,
        ),
      ]);
      const kept = made.files.paths().find(path => /metadata_manifest\.damaged-[0-9a-f]{8}\.json$/.test(path));
      expect(made.files.content(kept!)).toEqual(damaged);
      await expectWhole(made);
      expect(made.told).toHaveLength(1);
    },
  );

  it.each<[string, (made: MemoryExperiment, newest: string, older: string) => void]>([
    ['the newest journal is empty', ({ files }, newest) => files.put(newest, '')],
    ['the journal before it is empty', ({ files }, _newest, older) => files.put(older, '')],
    [
      'a line of the newest journal is changed',
      ({ files }, newest) =>
        files.put(newest, files.content(newest)!.toString().replace('"op":"settle"', '"op":"sottle"')),
    ],
    [
      'the middle of the newest journal is zeros',
      ({ files }, newest) => files.put(newest, holed(files.content(newest)!)),
    ],
    ['the newest journal is garbage', ({ files }, newest) => files.put(newest, gzipSync('x'.repeat(3000)))],
    [
      'snapshot and journals are gone',
      ({ files }, newest, older) => void [manifestFile, newest, older].map(path => files.drop(path)),
    ],
    ['the snapshot is gone', ({ files }) => files.drop(manifestFile)],
    [
      'snapshot and journals are empty',
      ({ files }, newest, older) => void [manifestFile, newest, older].map(path => files.put(path, '')),
    ],
  ])('or in part is rebuilt when %s', async (_what, damage) => {
    const made = await sample();
    const numbers = await listJournals(made.files, manifestFile);
    damage(made, journalPath(manifestFile, numbers.at(-1)!), journalPath(manifestFile, numbers.at(-1)! - 1));
    await (await made.open()).close({ compact: true });
    await expectWhole(made);
  });

  it.each<[string, (bytes: Buffer) => Buffer | string]>([
    ['empty', () => ''],
    ['cut off', bytes => bytes.subarray(0, 30)],
    ['another one’s content', () => gzipSync('{"entry_id":"x"}\n')],
  ])('but for a segment of its archive that is %s is rebuilt, and the segment kept', async (_what, damage) => {
    const made = await sample();
    const segment = made.files.paths().find(path => path.startsWith(archive))!;
    made.files.put(segment, damage(made.files.content(segment)!));
    await (await made.open()).close({ compact: true });
    expect(made.files.content(segment)).toBe(null);
    expect(made.files.paths().filter(path => path.startsWith(archive) && path.includes('.damaged-'))).toHaveLength(1);
    expect(made.told[0]).toContain('1 segment of the archive could not be read');
    await expectWhole(made);
  });

  it.each<[string, (text: string) => string | Buffer]>([
    ['emptied', () => ''],
    ['zeros', text => Buffer.alloc(text.length)],
    ['garbage', () => 'what is this\n'],
    ['damaged in its first line', text => text.replace('"segment"', '"segmnt"')],
  ])('finds the segments that were moved to the backup again, when the list of them was %s', async (_what, damage) => {
    const made = await sample();
    const manifest = await made.open();
    const names = await manifest.archive.movableSegments();
    for (const name of names) await manifest.archive.move(name, '/root/backup');
    await manifest.close({ compact: true });
    expect(names.length).toBeGreaterThan(1);
    const list = `${archive}moved.jsonl`;
    made.files.put(list, damage(made.files.content(list)!.toString()));
    await (await made.open()).close({ compact: true });
    expect(made.told).toEqual([expect.stringMatching(/moved\.jsonl was damaged and is made anew/)]);
    await expectWhole(made);
  });

  it('keeps what its journals say of images that stand in the snapshot no more: one set to skip stays so', async () => {
    const made = await sample();
    const manifest = await made.open({ liveEntries: 100 });
    await manifest.requeue([manifest.get('e11')!], 'skip', { restore: false });
    await manifest.close({ compact: false });
    made.files.put(manifestFile, '');
    await (await made.open()).close({ compact: true });
    expect((await made.entries()).get('image_20250724_120011_000000_cam0.png')?.processing_status).toBe('skip');
  });

  it('is rebuilt with an image that is gone as one that was removed, and with none for an empty one', async () => {
    const made = await sample({ liveEntries: 100 });
    const numbers = await listJournals(made.files, manifestFile);
    for (const number of numbers) made.files.put(journalPath(manifestFile, number), '');
    made.files.put(manifestFile, '');
    made.files.drop(imageOf(4));
    made.files.put(imageOf(10), '');
    await (await made.open()).close({ compact: true });
    expect(made.told[0]).toContain(
      '10 from results (1 of them without an image here) and 1 from images; 1 empty images',
    );
    const entries = [...(await made.entries()).values()];
    expect(entries).toHaveLength(11);
    expect(entries[4]).toMatchObject({ entry_id: 'e4', image_local: false, processing_status: 'processed' });
  });

  it('is rebuilt with brightfield frames as such, which nothing analyses', async () => {
    const made = await sample({ liveEntries: 100 });
    for (const number of await listJournals(made.files, manifestFile))
      made.files.put(journalPath(manifestFile, number), '');
    made.files.put(manifestFile, '');
    const folder = '/root/brightfield/20250724';
    made.files.put(`${folder}/brightfield_20250724_120100_000000_cam1.tif.zst`, 'image');
    await (await made.open()).close({ compact: true });
    const found = [...(await made.entries()).values()].filter(entry => isBrightfield(entry.camera_data));
    expect(found).toMatchObject([
      { processing_status: 'skip', compression_attempted: true, camera_data: { filepath: folder, camera_index: 1 } },
    ]);
  });

  it('is rebuilt after a crash at any step of the rebuild, kill or power cut', async () => {
    const made = await sample();
    made.files.put(manifestFile, zeros(made.files.content(manifestFile)!));
    const segment = made.files.paths().find(path => path.startsWith(archive))!;
    made.files.put(segment, '');
    const crashes = await atEveryCrash({
      start: made.files.afterCrash('kill'),
      context: () => null,
      work: async files => {
        await new MemoryExperiment(files).open();
      },
      check: async files => {
        const after = new MemoryExperiment(files);
        await (await after.open()).close({ compact: true });
        await expectWhole(after);
        expect(files.paths().filter(path => path.includes('.damaged-')).length).toBeGreaterThanOrEqual(2);
      },
      prefixes: 3,
    });
    expect(crashes).toBeGreaterThan(100);
  });
});

describe('an entry that somebody has deleted from the manifest', () => {
  const name = (i: number): string => imageOf(i).split('/').at(-1)!;

  async function withoutEntries(gone: readonly number[]): Promise<MemoryExperiment> {
    const made = await sample({ liveEntries: 100 });
    await (await made.open()).close({ compact: true });
    const entries = JSON.parse(made.files.content(manifestFile)!.toString()) as Entry[];
    made.files.put(
      manifestFile,
      JSON.stringify(entries.filter(entry => !gone.some(i => entry.camera_data!.filename === name(i)))),
    );
    return made;
  }

  it('is taken back from its result line as it was; an image without a result gets a new one', async () => {
    const made = await withoutEntries([3, 7]);
    const manifest = await made.open({ liveEntries: 100 });
    const taken = await manifest.addOrphans([3, 7].map(imageOf));
    expect(taken.map(entry => entry.entry_id)).toEqual(['e3', 'e7']);
    expect(taken.map(statusOf)).toEqual(['processed, sent, 1', 'processed, sent, 1']);
    const log = await made.log();
    expect(await log.read(taken[0]!.result!)).toMatchObject({ entry_id: 'e3', attempt: 1 });
    await manifest.close({ compact: true });
    await expectWhole(made);
    made.files.put(imageOf(20), 'image 20');
    const later = await made.open();
    expect((await later.addOrphans([imageOf(20)])).map(statusOf)).toEqual(['pending, 0']);
    await later.close({ compact: true });
  });

  it('is taken back once for an image that has two results, and a result of another image is left alone', async () => {
    const made = await withoutEntries([3]);
    const path = '/root/results/processing_results.jsonl';
    const text = made.files.content(path)!.toString();
    const line = text.split('\n').find(one => one.includes('"e3"'))!;
    made.files.put(path, `${text}${line.replace('"e3"', '"other"')}\n`);
    const manifest = await made.open({ liveEntries: 100 });
    expect((await manifest.addOrphans([imageOf(3)])).map(entry => entry.entry_id)).toEqual(['e3']);
    await manifest.close({ compact: true });
    await expectWhole(made);
    made.files.put(manifestFile, '');
    await (await made.open()).close({ compact: true });
    expect((await made.entries()).size).toBe(12);
  });

  it('is taken back where its image was removed, when its result is named', async () => {
    const made = await withoutEntries([3]);
    made.files.drop(imageOf(3));
    const manifest = await made.open({ liveEntries: 100 });
    const [taken] = await manifest.addOrphans([], new Set(['e3']));
    expect(taken).toMatchObject({ entry_id: 'e3', image_local: false, data_transmitted: true });
    await manifest.close({ compact: true });
  });
});
