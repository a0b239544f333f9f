import { describe, expect, it } from 'vitest';
import { ImageStore } from '../../src/operators/collector/imageStore.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { dataFolder } from '../world/pipelineWorld.ts';

const day = `${dataFolder}/20250724`;
const frame = (second: number) => ({
  taken: { local: `2025-07-24T13:00:${String(second).padStart(2, '0')}.000000`, utc: null, source: 'camera' as const },
  cameraIndex: 0,
});

/** A day's folder that holds something, on a disk where names can't be made as `isFull` says. */
function prepare(isFull: (path: string) => boolean): { files: FaultyFiles; store: ImageStore } {
  const files = new FaultyFiles();
  files.put(`${day}/of another program.txt`, '');
  files.plan = ({ kind, path }) =>
    (kind === 'create' || kind === 'rename') && isFull(path) ? { error: 'ENOSPC' } : null;
  return { files, store: new ImageStore(dataFolder, files) };
}

describe('images of a day whose folder takes no more names', () => {
  it('go into a further folder of that day, and the full one is not tried again', async () => {
    const { files, store } = prepare(path => path.startsWith(`${day}/`));
    expect((await store.write(frame(1), Uint8Array.of(1))).filepath).toBe(`${day}_2`);
    files.steps.length = 0;
    expect((await store.write(frame(2), Uint8Array.of(2))).filepath).toBe(`${day}_2`);
    expect(files.steps.filter(({ path }) => path.startsWith(`${day}/`))).toEqual([]);
    // Names are still unique among all folders of the day.
    expect((await store.write(frame(2), Uint8Array.of(3))).filename).toBe('image_20250724_130002_000001_cam0.png');
    expect(files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
  });

  it('also when it is only the last step that finds it full', async () => {
    const { files, store } = prepare(path => path.startsWith(`${day}/`) && path.endsWith('.png'));
    expect((await store.write(frame(1), Uint8Array.of(1))).filepath).toBe(`${day}_2`);
    expect(files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
  });

  it('go on into a third when the second is full too', async () => {
    const full = new Set([`${day}/`, `${day}_2/`]);
    const { files, store } = prepare(path => [...full].some(folder => path.startsWith(folder)));
    full.delete(`${day}_2/`);
    await store.write(frame(1), Uint8Array.of(1));
    full.add(`${day}_2/`);
    expect((await store.write(frame(2), Uint8Array.of(2))).filepath).toBe(`${day}_3`);
    expect(files.content(`${day}_3/image_20250724_130002_000000_cam0.png`)).toEqual(Buffer.of(2));
  });

  it('are refused when it is the disk that is full, and then go where they belong', async () => {
    let isFull = true;
    const { files, store } = prepare(() => isFull);
    for (let i = 0; i < 3; i++) {
      await expect(store.write(frame(1), Uint8Array.of(1))).rejects.toMatchObject({
        code: 'ENOSPC',
        path: expect.stringContaining(`${day}/`),
      });
    }
    expect(await files.list(dataFolder)).not.toContain('20250724_3');
    isFull = false;
    expect((await store.write(frame(1), Uint8Array.of(1))).filepath).toBe(day);
  });

  it('are not tried elsewhere after any other error', async () => {
    const { files, store } = prepare(() => false);
    files.plan = ({ kind }) => (kind === 'create' ? { error: 'EROFS' } : null);
    await expect(store.write(frame(1), Uint8Array.of(1))).rejects.toMatchObject({ code: 'EROFS' });
    expect(await files.list(dataFolder)).not.toContain('20250724_2');
  });
});
