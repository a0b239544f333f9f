import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BehaviorSubject, firstValueFrom, of, ReplaySubject, Subject, type Subscription } from 'rxjs';
import { filter } from 'rxjs/operators';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeFiles } from '../../../src/files/files.ts';
import { decodeFrame } from '../../../src/image/decodeFrame.ts';
import { type ReducedFrame, reduceFrame } from '../../../src/image/reducedFrame.ts';
import { followLastImage } from '../../../src/manifest/lastImage.ts';
import { Manifest } from '../../../src/manifest/manifest.ts';
import type { FramePicture, HeldFrame, PictureRequest } from '../../../src/model/framePicture.ts';
import { localIso, utcIso } from '../../../src/model/localTime.ts';
import type { RoiManifest } from '../../../src/model/roi.ts';
import type { ReadFrame } from '../../../src/streams/console/frameReader.ts';
import { type LastFrameDeps, lastFrame$ } from '../../../src/streams/console/lastFrame.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleEntry, sampleOptions } from '../../world/sampleManifest.ts';

const rois: RoiManifest = { rois: [{ label: 'a', flip: false, coords: [0, 0], size: [2, 2] }], imageAngle: 0 };
type Size = PictureRequest | null;
let subscription: Subscription | undefined;

afterEach(() => {
  subscription?.unsubscribe();
  vi.useRealTimers();
});

describe('lastFrame$ in virtual time', () => {
  let frame: ReducedFrame;
  beforeAll(async () => {
    const data = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
    frame = await reduceFrame({ width: 4, height: 2, depth: 8, data }, new AbortController().signal);
  });

  function begin(size: Size, decodeMs = 20) {
    vi.useFakeTimers({ now: 1_000_000 });
    const world = { image: 1 as number | null, looks: 0, reads: [] as string[], fails: false };
    const files = new FaultyFiles();
    const pictures: (FramePicture | null)[] = [];
    const errors: string[] = [];
    const size$ = new BehaviorSubject<Size>(size);
    const rois$ = new BehaviorSubject<RoiManifest | null>(null);
    const put = (n: number): void => {
      files.put(`/data/day/${n}.png`, `image ${n}`);
      world.image = n;
    };
    put(1);
    const deps: LastFrameDeps = {
      files,
      clock: { now: () => Date.now(), monotonic: () => Date.now() },
      loadReader: async () => (path, signal) =>
        new Promise<ReadFrame>((resolve, reject) => {
          world.reads.push(path);
          const givenUp = (): void => void world.reads.push('given up');
          signal.addEventListener('abort', givenUp);
          setTimeout(() => {
            signal.removeEventListener('abort', givenUp);
            if (world.fails) reject(new Error(`${path} is no image`));
            else resolve({ whole: frame, saturatedRois: null, detail: null });
          }, decodeMs);
        }),
    };
    const options = {
      lastImage: () => {
        world.looks++;
        const taken = utcIso(world.image ?? 0);
        const place = { filepath: '/data/day', filename: `${world.image}.png`, original: false };
        return world.image === null ? null : { ...place, taken };
      },
      dataFolder: '/data',
      rois$,
      loadDecoder: async () => async (path: string) => Promise.reject(new Error(`${path} is not decoded`)),
      onError: (error: Error) => errors.push(error.message),
    };
    subscription = lastFrame$(options, size$, deps).subscribe(picture => pictures.push(picture));
    return { world, put, files, pictures, errors, size$, rois$, shown: () => pictures.map(picture => picture?.file) };
  }

  it('reads nothing while nobody looks', async () => {
    const { world, size$, rois$, pictures } = begin(null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.looks).toBe(0);
    expect(rois$.observed).toBe(false);
    size$.next({ width: 4, height: 4 });
    await vi.advanceTimersByTimeAsync(100);
    expect(pictures).toHaveLength(1);
    size$.next(null);
    const { looks } = world;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.looks).toBe(looks);
    expect(vi.getTimerCount()).toBe(0);
    size$.next({ width: 4, height: 4 });
    await vi.advanceTimersByTimeAsync(100);
    expect(world.reads).toHaveLength(1);
    expect(pictures).toHaveLength(1);
  });

  it('shows the newest image, with a rest of a hundred times what reading took', async () => {
    const { world, put, shown } = begin({ width: 4, height: 4 });
    await vi.advanceTimersByTimeAsync(100);
    expect(shown()).toEqual(['/data/day/1.png']);
    for (let n = 2; n <= 100; n++) {
      put(n);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(world.reads.length).toBeGreaterThanOrEqual(4);
    expect(world.reads.length).toBeLessThanOrEqual(6);
    const last = shown().length;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(shown()).toHaveLength(last + 1);
    expect(shown().at(-1)).toBe('/data/day/100.png');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(shown()).toHaveLength(last + 1);
  });

  it('shows the newest image ten times as often on a page of its own, at once when that is opened', async () => {
    const { world, put, size$, shown } = begin({ width: 4, height: 4 }, 500);
    await vi.advanceTimersByTimeAsync(600);
    put(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(shown()).toEqual(['/data/day/1.png']);
    size$.next({ width: 4, height: 4, zoom: 1 });
    await vi.advanceTimersByTimeAsync(600);
    expect(shown().at(-1)).toBe('/data/day/2.png');
    for (let n = 3; n <= 60; n++) {
      put(n);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(world.reads.length).toBeGreaterThanOrEqual(10);
    expect(world.reads.length).toBeLessThanOrEqual(13);
  });

  it('draws another size, and other ROIs, from what it has read', async () => {
    const { world, size$, rois$, pictures } = begin({ width: 4, height: 4 }, 50_000);
    await vi.advanceTimersByTimeAsync(51_000);
    size$.next({ width: 2, height: 2 });
    size$.next({ width: 2, height: 2 });
    rois$.next(rois);
    expect(world.reads).toHaveLength(1);
    expect(pictures.map(picture => [picture?.width, picture?.height, picture?.rois])).toEqual([
      [4, 2, null],
      [2, 1, null],
      [2, 1, rois],
    ]);
    expect(pictures.at(-1)).toMatchObject({ at: 1, frameWidth: 4, frameHeight: 2, depth: 8, brightness: 3.5 });
  });

  it('shows the frame that is held, or those beside it, at once, and then the newest again', async () => {
    const { world, put, pictures, shown, size$ } = begin({ width: 4, height: 4 }, 500);
    for (let n = 2; n <= 5; n++) put(n);
    await vi.advanceTimersByTimeAsync(600);
    const hold = async (held: HeldFrame | null): Promise<FramePicture | null | undefined> => {
      size$.next({ width: 4, height: 4, held });
      await vi.advanceTimersByTimeAsync(600);
      return pictures.at(-1);
    };
    const file = '/data/day/5.png';
    expect(await hold({ file, back: 0 })).toMatchObject({ file, recent: { back: 0, before: 4, after: 0 } });
    expect(await hold({ file, back: 2 })).toMatchObject({ file: '/data/day/3.png', recent: { back: 2 } });
    expect(await hold({ file, back: 99 })).toMatchObject({ file: '/data/day/1.png', recent: { back: 4 } });
    put(6);
    // Frames that come meanwhile leave it as it is.
    await vi.advanceTimersByTimeAsync(60_000);
    expect(shown().at(-1)).toBe('/data/day/1.png');
    expect(await hold({ file, back: -9 })).toMatchObject({ file: '/data/day/6.png', recent: { back: -1, after: 1 } });
    const reads = world.reads.length;
    expect(await hold(null)).toMatchObject({ file: '/data/day/6.png', recent: null });
    expect(world.reads).toHaveLength(reads);
  });

  it('goes on with the day before, over images that are being compressed, and past brightfield frames', async () => {
    const { pictures, files, size$ } = begin({ width: 4, height: 4 });
    for (const name of [
      '20261121/image_20261121_235959_000001_cam0.png',
      '20261122/brightfield_20261122_000000_000000_cam0.png',
      '20261122/image_20261122_000001_000001_cam0.png',
      '20261122/image_20261122_000001_000001_cam0.png.gz',
      '20261122/image_20261122_000002_000001_cam0.png',
    ])
      files.put(`/data/${name}`, name);
    size$.next({
      width: 4,
      height: 4,
      held: { file: '/data/20261122/image_20261122_000002_000001_cam0.png', back: 2 },
    });
    await vi.advanceTimersByTimeAsync(200);
    expect(pictures.at(-1)).toMatchObject({
      file: '/data/20261121/image_20261121_235959_000001_cam0.png',
      recent: { back: 2, before: 2, after: 0 },
    });
    expect(localIso(pictures.at(-1)!.at)).toMatch(/^2026-11-21T23:59:59.000/);
  });

  it('is null while there is no image', async () => {
    const { world, put, pictures } = begin({ width: 4, height: 4 });
    world.image = null;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(pictures).toEqual([null]);
    put(2);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(pictures.at(-1)?.file).toBe('/data/day/2.png');
  });

  it('keeps the picture when the next can not be read, says so once, and reads that again when it is another', async () => {
    const { world, put, shown, errors } = begin({ width: 4, height: 4 });
    await vi.advanceTimersByTimeAsync(100);
    world.fails = true;
    put(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(world.reads).toHaveLength(2);
    put(3);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(world.reads).toHaveLength(3);
    expect(errors).toEqual(['/data/day/2.png is no image']);
    world.fails = false;
    put(3);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(shown()).toEqual(['/data/day/1.png', '/data/day/3.png']);
  });

  it('gives up the frame that is being read when nobody looks any more, and reads it again after its rest', async () => {
    const { world, size$, shown } = begin({ width: 4, height: 4 }, 500);
    await vi.advanceTimersByTimeAsync(100);
    size$.next(null);
    expect(world.reads).toEqual(['/data/day/1.png', 'given up']);
    for (let i = 0; i < 10; i++) {
      size$.next({ width: 4, height: 4 });
      await vi.advanceTimersByTimeAsync(20);
      size$.next(null);
    }
    size$.next({ width: 4, height: 4 });
    await vi.advanceTimersByTimeAsync(45_000);
    expect(world.reads).toHaveLength(2);
    expect(shown()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shown()).toEqual(['/data/day/1.png']);
  });
});

describe('lastFrame$ on real files', () => {
  let root: string;
  let data: string;
  let manifest: Manifest;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'phorest-frame-'));
    data = join(root, 'data');
    await mkdir(join(data, '20250724'), { recursive: true });
    manifest = await Manifest.open(sampleOptions(nodeFiles, { file: join(data, 'metadata_manifest.json') }));
  });
  afterEach(async () => {
    subscription?.unsubscribe();
    await manifest.close({ compact: false });
    await rm(root, { recursive: true, force: true });
  });

  const add = async (name: string, level: number, set: { folder?: string; filename?: string } = {}): Promise<void> => {
    const folder = set.folder ?? join(data, '20250724');
    const pixels = new Uint16Array(64 * 32).fill(level);
    pixels.fill(0, 0, 32 * 32);
    await sharp(pixels, { raw: { width: 64, height: 32, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toFile(join(folder, `${name}.png`));
    const camera = { ...sampleEntry(name).camera_data!, filepath: folder, filename: set.filename ?? `${name}.png` };
    await manifest.offer([sampleEntry(name, { camera_data: camera })]);
  };

  function watch(findImage?: () => Promise<string>) {
    const pictures$ = new ReplaySubject<FramePicture | null>();
    const errors$ = new ReplaySubject<string>();
    const size$ = new Subject<Size>();
    subscription = lastFrame$(
      {
        lastImage: followLastImage(manifest),
        dataFolder: data,
        rois$: of(rois),
        loadDecoder: async () => path => decodeFrame(path),
        onError: ({ message }) => errors$.next(message),
        ...(findImage && { findImage }),
      },
      size$,
    ).subscribe(pictures$);
    size$.next({ width: 16, height: 16 });
    return {
      picture: (name: string) => firstValueFrom(pictures$.pipe(filter(p => !!p?.file.endsWith(name)))),
      errors$,
    };
  }

  it('shows the newest image of the manifest, then the next', async () => {
    await add('one', 1000);
    const { picture } = watch();
    const shown = await picture('one.png');
    expect(shown).toMatchObject({
      file: join(data, '20250724', 'one.png'),
      frameWidth: 64,
      frameHeight: 32,
      depth: 16,
      brightness: 500,
      contrast: 1000,
      width: 16,
      height: 8,
      rois,
    });
    expect([shown?.grey[0], shown?.grey.at(-1)]).toEqual([0, 255]);
    await add('two', 3000);
    expect(await picture('two.png')).toMatchObject({ brightness: 1500 });
  });

  it('finds an image whose data folder was moved', async () => {
    await add('one', 1000);
    const camera = { ...sampleEntry('x').camera_data!, filepath: '/gone/data/20250724', filename: 'one.png' };
    await manifest.offer([sampleEntry('moved', { camera_data: camera })]);
    expect((await watch().picture('one.png'))?.file).toBe(join(data, '20250724', 'one.png'));
  });

  it.each(['../outside.png', '..', 'a/b.png'])('reads nothing by the name %s', async filename => {
    await writeFile(join(data, 'outside.png'), '');
    await add('one', 1000, { filename });
    expect(await firstValueFrom(watch().errors$)).toBe(
      `${JSON.stringify(filename)} is not a plain file name; correct camera_data.filename in the manifest`,
    );
  });

  it('reads nothing outside the data folder, unless it is told where', async () => {
    const outside = join(root, 'outside');
    await mkdir(outside);
    await add('one', 1000, { folder: outside });
    expect(await firstValueFrom(watch().errors$)).toBe(
      `${join(data, 'outside', 'one.png')} is not there, nor under ${data}`,
    );
    subscription?.unsubscribe();
    const { picture } = watch(async () => join(outside, 'one.png'));
    expect((await picture('one.png'))?.brightness).toBe(500);
  });

  it('shows a file that is whole only later', async () => {
    await add('one', 1000);
    const file = join(data, '20250724', 'one.png');
    await rename(file, `${file}.whole`);
    await writeFile(file, 'half');
    const { picture, errors$ } = watch();
    await firstValueFrom(errors$);
    await rename(`${file}.whole`, file);
    expect((await picture('one.png'))?.brightness).toBe(500);
  });
});
