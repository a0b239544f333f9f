import { describe, expect, it } from 'vitest';
import { configHash } from '../../src/config/configHash.ts';
import { configToml } from '../../src/config/configToml.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { contentHash } from '../../src/files/contentHash.ts';
import type { Entry } from '../../src/model/entry.ts';
import { type FindFrameOptions, findFrame } from '../../src/provenance/findFrame.ts';
import { NoFrameError, openRecordedFrame } from '../../src/provenance/openFrame.ts';
import { originOf, sha256Of } from '../../src/provenance/resultOrigin.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { PipelineWorld } from '../world/pipelineWorld.ts';
import { manifestFile, sampleEntry } from '../world/sampleManifest.ts';

const config = defaultConfig();
const now = { ...config, Data_Analysis: { ...config.Data_Analysis, method: 'centre' as const } };
const roiText = JSON.stringify({ image_angle: 0, ROI_A: { label: 'A', flip: false, coords: [0, 0], size: [2, 8] } });
const paths = {
  data: '/root/data',
  brightfield: '/root/brightfield',
  results: '/root/results',
  backup: '/root/backup',
  roiManifest: '/root/ROI_manifest.json',
  remote: { root: '/share' } as never,
};
const reference = Buffer.from('a reference');
const referenceHash = contentHash(reference);

/** An experiment with one result and all that it was made from. */
async function experiment(set: Partial<Entry> = {}): Promise<{ world: PipelineWorld; entry: Entry }> {
  const world = await PipelineWorld.open();
  const { files } = world;
  files.put('/root/data/20250724/image_A.png', 'pixels');
  files.put(`/root/backup/config_20250724_130000_${configHash(config)}.toml`, configToml(config));
  files.put(`/root/backup/ROI_manifest_20250724_130000_${contentHash(roiText)}.json`, roiText);
  files.put(`/root/results/references/reference_${referenceHash}.bin`, reference);
  files.put('/root/results/references/reference_key.json', `{\n "hash": "${referenceHash}"\n}`);
  const line = {
    ...sampleResult({ id: 'A', labels: ['A'] }),
    config_hash: configHash(config),
    roi_manifest_hash: contentHash(roiText),
    reference: referenceHash,
    code_version: '0.1.0+abc',
  };
  const { image_analysis: analysis, ...head } = line;
  const result = await world.log.append(composeResultLine(head, Buffer.from(JSON.stringify(analysis))));
  await world.manifest.offer([sampleEntry('A', { processing_status: 'processed', result, ...set })]);
  return { world, entry: world.get('A') };
}

const origin = ({ world, entry }: Awaited<ReturnType<typeof experiment>>, share = world.files) =>
  originOf(entry, { paths, config: now, files: world.files, shareFiles: share });

describe('the way back from a result', () => {
  it('leads to its line, image, settings, ROIs, reference and code', async () => {
    const found = await origin(await experiment());
    expect(found).toMatchObject({
      lineFile: '/root/results/processing_results.jsonl',
      codeVersion: '0.1.0+abc',
      image: { path: '/root/data/20250724/image_A.png', where: 'local', copy: null },
      config: { hash: configHash(config), file: `/root/backup/config_20250724_130000_${configHash(config)}.toml` },
      rois: { hash: contentHash(roiText), manifest: { rois: [{ label: 'A' }] } },
      reference: {
        hash: referenceHash,
        file: `/root/results/references/reference_${referenceHash}.bin`,
        record: '/root/results/references/reference_key.json',
      },
      missing: [],
    });
    expect(found.config.config?.Data_Analysis.method).toBe(config.Data_Analysis.method);
  });

  it('finds the image in its compressed form', async () => {
    const of = await experiment();
    of.world.files.put('/root/data/20250724/image_A.png.zst', 'packed');
    await of.world.files.remove('/root/data/20250724/image_A.png');
    expect((await origin(of)).image).toMatchObject({
      path: '/root/data/20250724/image_A.png.zst',
      where: 'compressed',
    });
  });

  const copy = { path: 'data/20250724/image_A.png', size: 6, sha256: 'x' };

  it('leads to the share where only that has the image, and says in one sentence when the share is away', async () => {
    const of = await experiment({ image_local: false, image_synced: true, remote_copy: copy });
    await of.world.files.remove('/root/data/20250724/image_A.png');
    const away = await origin(of);
    expect(away.image).toMatchObject({ path: null, where: 'nowhere', copy });
    expect(away.missing).toEqual([
      'only the share has image_A.png (/share/data/20250724/image_A.png), and the share is away',
    ]);
    await expect(openRecordedFrame(away, { config, rois: null }, deps(of.world))).rejects.toThrow(NoFrameError);
    of.world.files.put('/share/data/20250724/image_A.png', 'pixels');
    expect((await origin(of)).image).toMatchObject({ path: '/share/data/20250724/image_A.png', where: 'share' });
  });

  it('says what is not there any more, and takes no other file for it', async () => {
    const of = await experiment();
    const { files } = of.world;
    for (const name of await files.list('/root/backup')) {
      await files.remove(`/root/backup/${name}`);
      // The same hash in its name, and other words.
      files.put(
        `/root/backup/${name}`,
        name.endsWith('.toml') ? '[Data_Analysis]\nmethod = "fano"\n' : roiText.replace('"A"', '"B"'),
      );
    }
    await files.remove(`/root/results/references/reference_${referenceHash}.bin`);
    const { missing, config: settings, rois, reference: found } = await origin(of);
    expect([settings.config, rois.manifest, found.file]).toEqual([null, null, null]);
    expect(missing.join()).toMatch(/configuration.*ROI manifest.*reference/);
  });

  it('reads a line of an earlier version, which says less', async () => {
    const world = await PipelineWorld.open();
    const { code_version: _code, reference: _reference, ...line } = sampleResult({ id: 'A', labels: ['A'] });
    const result = await world.log.append(Buffer.from(`${JSON.stringify(line)}\n`));
    await world.manifest.offer([sampleEntry('A', { processing_status: 'processed', result })]);
    expect(await origin({ world, entry: world.get('A') })).toMatchObject({
      codeVersion: null,
      reference: { hash: null },
    });
  });
});

const deps = (world: PipelineWorld) => ({ files: world.files, decode: () => Promise.reject(new Error('not read')) });

describe('the image that somebody means', () => {
  const taken = (id: string, time: string): Entry => {
    const entry = sampleEntry(id);
    return { ...entry, camera_data: { ...entry.camera_data!, timestamp_iso: time }, timestamp_utc: `${time}Z` };
  };
  async function options(): Promise<FindFrameOptions> {
    const world = await PipelineWorld.open();
    await world.manifest.offer([
      taken('A', '2025-07-24T13:45:13.569672'),
      taken('B', '2025-07-24T13:45:18.569672'),
      taken('C', '2025-07-24T13:46:00.000000'),
    ]);
    return { manifestFile, files: world.files, warn: () => undefined };
  }

  it.each([
    ['B', 'the id of its entry'],
    ['image_B.png', 'its name'],
    ['/elsewhere/image_B.png.zst', 'a path, compressed'],
    ['2025-07-24T13:45:18.569672', 'its time as the table has it'],
    ['2025-07-24 13:45:18', 'the second'],
    ['2025-07-24T13:45:18.569672Z', 'its time in UTC'],
  ])('is found by %s: %s', async wanted => {
    expect((await findFrame(wanted, await options())).entry_id).toBe('B');
  });

  it('is asked for more exactly where a time is that of several', async () => {
    await expect(findFrame('2025-07-24T13:45', await options())).rejects.toThrow(
      /2 images were taken at 2025-07-24T13:45: image_A\.png .*image_B\.png/,
    );
    await expect(findFrame('image_D.png', await options())).rejects.toThrow(
      'no image of the manifest is "image_D.png"',
    );
  });
});

it('sums up a file', async () => {
  const { world } = await experiment();
  expect(await sha256Of('/root/data/20250724/image_A.png', world.files)).toEqual({
    sha256: '6ec9c2b0eb14010746c8bce8939303b382344b296206612eb8a907a37b2b2f37',
    size: 6,
  });
});
