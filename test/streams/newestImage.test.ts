import { beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { NewestImage } from '../../src/streams/console/newestImage.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

const id = (n: number): string => `e${String(n).padStart(4, '0')}`;

describe('the newest image of a manifest', () => {
  let files: FaultyFiles;
  let manifest: Manifest;
  let newest: NewestImage;
  beforeEach(async () => {
    files = new FaultyFiles();
    await files.makeFolder('/root/data');
    manifest = await openSample(files);
    newest = new NewestImage(files, manifestFile);
  });
  const offer = (from: number, to = from): Promise<void> =>
    manifest.offer(Array.from({ length: to - from + 1 }, (_, i) => sampleEntry(id(from + i))));
  const seen = async (): Promise<string | undefined> => (await newest.look())?.id;
  const seenAnew = async (): Promise<string | undefined> => (await new NewestImage(files, manifestFile).look())?.id;

  it('is none in an empty manifest, and where there is no manifest', async () => {
    expect(await newest.look()).toBeNull();
    expect(await new NewestImage(new FaultyFiles(), manifestFile).look()).toBeNull();
  });

  it('is the last that was added, with its place and time', async () => {
    await offer(1, 3);
    expect(await newest.look()).toMatchObject({
      id: id(3),
      camera: { filename: `image_${id(3)}.png`, filepath: '/root/data/20250724' },
      at: Date.UTC(2025, 6, 24, 12, 45, 13) + 569.672,
    });
    await offer(4);
    expect(await seen()).toBe(id(4));
  });

  it('is followed over folds, also over those that nobody looked at', async () => {
    for (let n = 1; n <= 12; n++) {
      await offer(n);
      if (n % 2 === 0) expect(await seen()).toBe(id(n));
      await manifest.fold();
      if (n % 3 === 0) expect(await seen()).toBe(id(n));
      if (n === 9) for (let more = 0; more < 3; more++) await offer(9 + more / 10).then(() => manifest.fold());
      expect(await seenAnew()).toBe(await seen());
    }
    expect(await seen()).toBe(id(12));
  });

  it('is found behind any number of other changes, and in the snapshot when no journal tells', async () => {
    await offer(1, 300);
    await manifest.fold();
    for (let round = 0; round < 3; round++) {
      const claimed = await manifest.claim('processor', 50);
      await manifest.release(claimed, 'processor');
      await manifest.fold();
    }
    expect(await seenAnew()).toBe(id(300));
  });

  it('passes over entries without an image', async () => {
    await offer(1);
    const camera = sampleEntry('x').camera_data!;
    await manifest.offer([
      sampleEntry('bad', { camera_data: { ...camera, error_flag: true } }),
      sampleEntry('none', { camera_data: null }),
    ]);
    expect(await seen()).toBe(id(1));
    await manifest.fold();
    await manifest.close({ fold: true });
    expect(await seenAnew()).toBe(id(1));
  });

  it('moves when its file does, if that change counts', async () => {
    await offer(1);
    await newest.look();
    const [claimed] = await manifest.claim('processor', 1);
    const camera = { ...sampleEntry('x').camera_data!, filename: 'moved.png' };
    await manifest.settle([claimed as Entry], 'processor', { processing_status: 'processed', camera_data: camera });
    expect((await newest.look())?.camera.filename).toBe('moved.png');
    await manifest.fold();
    expect((await new NewestImage(files, manifestFile).look())?.camera.filename).toBe('moved.png');
  });

  it.each([
    ['indented, as the Python system writes it', (entries: Entry[]) => JSON.stringify(entries, null, 4)],
    ['all on one line', (entries: Entry[]) => JSON.stringify(entries)],
  ])('is found in a snapshot of another form: %s', async (_, write) => {
    const foreign = new FaultyFiles();
    const entries = Array.from({ length: 200 }, (__, n) => sampleEntry(id(n)));
    foreign.put(manifestFile, write([...entries, sampleEntry('none', { camera_data: null })]));
    expect((await new NewestImage(foreign, manifestFile).look())?.id).toBe(id(199));
  });

  it('passes over a torn line', async () => {
    await offer(1);
    const path = files.paths().find(name => name.includes('.journal.')) as string;
    const whole = files.content(path) as Buffer;
    files.put(
      path,
      Buffer.concat([whole, Buffer.from('\n{"len":500,"crc":"00000000","record":{"id":"e9","rev":1,"op":"add"\n')]),
    );
    expect(await seen()).toBe(id(1));
  });

  it('begins anew when the manifest does', async () => {
    await offer(1, 5);
    expect(await seen()).toBe(id(5));
    for (const path of files.paths()) await files.remove(path);
    expect(await newest.look()).toBeNull();
    manifest = await openSample(files);
    await offer(7);
    expect(await seen()).toBe(id(7));
  });
});
