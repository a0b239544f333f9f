import { beforeEach, describe, expect, it } from 'vitest';
import { followLastImage } from '../../src/manifest/lastImage.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { openSample, sampleEntry } from '../world/sampleManifest.ts';

describe('the image that was collected last', () => {
  let files: FaultyFiles;
  let manifest: Manifest;
  beforeEach(async () => {
    files = new FaultyFiles();
    await files.makeFolder('/root/data');
    manifest = await openSample(files);
  });

  it('is none in an empty manifest, then the newest that was added, with its place and time', async () => {
    const last = followLastImage(manifest);
    expect(last()).toBeNull();
    await manifest.offer(['a', 'b'].map(id => sampleEntry(id)));
    const { camera_data: camera, timestamp_utc: taken } = sampleEntry('b');
    const { filename, filepath, original } = camera!;
    expect(last()).toEqual({ filename, filepath, original, taken });
    expect(followLastImage(manifest)()).toEqual(last());
  });

  it('passes over entries without an image, and over what happens to older ones', async () => {
    const last = followLastImage(manifest);
    await manifest.offer([sampleEntry('a'), sampleEntry('b')]);
    await manifest.offer([sampleEntry('c', { camera_data: null, collection_error: true })]);
    await manifest.claim('processor', 1, {});
    expect(last()?.filename).toBe(sampleEntry('b').camera_data!.filename);
  });

  it('is that of another process too, once its changes were read', async () => {
    const other = await openSample(files);
    const last = followLastImage(manifest);
    await other.offer([sampleEntry('a')]);
    await manifest.catchUp();
    expect(last()?.filename).toBe(sampleEntry('a').camera_data!.filename);
  });
});
