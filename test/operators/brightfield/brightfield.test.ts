import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../src/config/parseConfig.ts';
import { resolvePaths } from '../../../src/config/resolvePaths.ts';
import { encodeImage, type ImageFormat } from '../../../src/image/encodeImage.ts';
import { imageFolder, localFolder } from '../../../src/image/findImage.ts';
import { followLastImage } from '../../../src/manifest/lastImage.ts';
import type { Entry } from '../../../src/model/entry.ts';
import { isBrightfield } from '../../../src/model/entry.ts';
import { brightfield } from '../../../src/operators/brightfield/brightfield.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { runStage } from '../../../src/operators/stage/runStage.ts';
import { CollectorFixture, capturedFrame, collectSettings } from '../../world/collectorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { brightfieldFolder, dataFolder, PipelineWorld } from '../../world/pipelineWorld.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';
import { StageRun } from '../../world/stageRun.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

/** Brightfield at work, and running. */
async function start(settings: Partial<CollectSettings> = {}, prepare: (fixture: CollectorFixture) => void = () => {}) {
  const world = await PipelineWorld.open();
  const fixture = new CollectorFixture(world, 'triggered');
  prepare(fixture);
  const run = new StageRun<CollectSettings>({ ...collectSettings, everyNth: 1, ...settings });
  run.start(fixture.stage(run.tools, brightfield));
  await run.until(() => run.told.includes('running'));
  let offered = 0;
  /** The collector records so many frames. */
  const collect = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await world.manifest.offer([sampleEntry(`main ${offered++}`)]);
    await run.rest();
  };
  const own = (): Entry[] => [...world.manifest.entries()].filter(entry => isBrightfield(entry.camera_data));
  return { world, fixture, run, collect, own };
}

describe('brightfield', () => {
  it('takes a frame beside each frame of the collector, into a folder of its own, which nothing analyses', async () => {
    const { world, run, collect, own } = await start();
    expect(own()).toEqual([]);
    await collect(1);
    await run.until(() => run.count('done') === 1);
    const [entry] = own();
    expect(entry).toMatchObject({ processing_status: 'skip', camera_data: { type: 'brightfield', original: false } });
    const { filename, filepath } = entry!.camera_data!;
    expect(filename).toMatch(/^brightfield_\d{8}_\d{6}_\d{6}_cam0\.png$/);
    expect(filepath).toMatch(/^\/root\/brightfield\/\d{8}$/);
    expect(world.files.content(`${filepath}/${filename}`)).not.toBe(null);
    await world.manifest.requeue([entry!], 'pending', { restore: false });
    const claimed = await world.manifest.claim('processor', 10, { place: { segment: 0, length: 0 } });
    expect(claimed.map(({ entry_id: id }) => id)).toEqual(['main 0']);
    expect(world.manifest.waiting('processor')).toBe(0);
    expect(followLastImage(world.manifest)()?.filename).toBe('image_main 0.png');
    run.unsubscribe();
  });

  it('takes one frame for every third of the collector, and only while the collector takes frames', async () => {
    const { run, collect } = await start({ everyNth: 3 });
    await vi.advanceTimersByTimeAsync(60_000);
    await collect(2);
    expect(run.count('claimed')).toBe(0);
    await collect(1);
    await run.until(() => run.count('done') === 1);
    await collect(3);
    await run.until(() => run.count('done') === 2);
    expect(run.count('discarded')).toBe(0);
    run.unsubscribe();
  });

  it('tells of frames of the collector that went by while its camera exposed, and takes one for them', async () => {
    let finish = (): void => undefined;
    const { run, collect } = await start({}, fixture => {
      fixture.onNext = async number => {
        if (number === 0) await new Promise<void>(resolve => (finish = resolve));
        return capturedFrame();
      };
    });
    await collect(4);
    finish();
    await run.until(() => run.count('done') === 2);
    expect(run.events.filter(({ kind }) => kind === 'discarded')).toMatchObject([{ count: 2 }]);
    run.unsubscribe();
  });

  it('is alarmed by its own camera, and takes frames again once that answers', async () => {
    const { fixture, run, collect } = await start({}, given => {
      given.onNext = () => Promise.reject(new Error('no answer'));
    });
    await collect(1);
    await run.until(() => run.count('alarm') === 1);
    expect(run.events.filter(({ kind }) => kind === 'alarm')).toMatchObject([{ stage: 'brightfield' }]);
    fixture.onNext = async () => capturedFrame();
    await run.until(() => run.count('done') === 1, 500);
    run.unsubscribe();
  });

  it('takes its camera from [Brightfield], and the rest from [Camera]; is off without frames to be beside', async () => {
    const settings = (toml: string): CollectSettings => {
      const { config } = parseConfig(toml, 'c.toml');
      const paths = resolvePaths(config, { cwd: '/', configFile: 'c.toml', exists: () => false });
      return brightfield.settings(config, { paths, configFile: null, replay: null });
    };
    const on = [
      '[Services]\nenable_camera = true\nenable_brightfield = true',
      '[Brightfield]\ncamera_id = 7\ncamera_exposure = 0.25\nevery_nth_frame = 10',
      '[Camera]\ncamera_exposure = 3\ncamera_transform = "ROTATE_180"\n',
    ].join('\n');
    expect(settings(on)).toMatchObject({
      enabled: true,
      everyNth: 10,
      transform: 'ROTATE_180',
      source: { type: 'simulated', cameraId: 7, camera: { camera_id: 7, camera_exposure: 0.25 } },
    });
    expect(settings(`${on}camera_type = "file_importer"`).enabled).toBe(false);
    expect(settings(on.replace('enable_camera = true', 'enable_camera = false')).enabled).toBe(false);
  });

  it.each(['.png', '.tif', '.tif.zst'])(
    'an image (%s) that a crash has left without an entry is taken in as a brightfield frame',
    async extension => {
      const name = `${brightfieldFolder}/20250724/brightfield_20250724_144500_000001_cam1${extension}`;
      const files = new FaultyFiles();
      const format = { '.png': 'PNG', '.tif': 'TIFF', '.tif.zst': 'TIFF_ZSTD' }[extension] as ImageFormat;
      const sample = await encodeImage({ width: 2, height: 1, depth: 8, data: Uint8Array.of(1, 2) }, format);
      files.put(name, sample);
      files.put(`${dataFolder}/other.txt`, '');
      const world = await PipelineWorld.open(files);
      const run = new StageRun<CollectSettings>({ ...collectSettings, everyNth: 1 });
      const fixture = new CollectorFixture(world, 'triggered');
      run.start(runStage(brightfield, { ...fixture.deps, tools: run.tools, runStarted: Date.UTC(2025, 0) }, run.tools));
      await run.until(() => run.count('done') === 1);
      expect([...world.manifest.entries()]).toMatchObject([
        {
          processing_status: 'skip',
          compression_attempted: extension.endsWith('.zst'),
          camera_data: { type: 'brightfield', camera_index: 1, filepath: dirname(name) },
        },
      ]);
      run.unsubscribe();
    },
  );

  it('its images are looked for in brightfield_dir, also in an experiment that was moved', () => {
    const moved = { type: 'brightfield', filepath: '/old/brightfield/20250724' } as const;
    const folder = imageFolder(moved, dataFolder, brightfieldFolder);
    expect(localFolder(moved, folder)).toBe(`${brightfieldFolder}/20250724`);
  });
});
