import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CompressSettings } from '../../../src/operators/compressor/compressor.ts';
import { CompressorWorld, compressSettings, day, hardImage, nameOf, softImage } from '../../world/compressorWorld.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { StageRun } from '../../world/stageRun.ts';
import { failure, gate } from '../../world/stageWorld.ts';

const runs: StageRun<CompressSettings>[] = [];
beforeEach(useStillTime);
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.unsubscribe();
    await run.putAway();
  }
  vi.useRealTimers();
});

function begin(world: CompressorWorld, settings: Partial<CompressSettings> = {}): StageRun<CompressSettings> {
  const run = new StageRun<CompressSettings>({ ...compressSettings, ...settings });
  runs.push(run);
  return run.start(world.stage(run.tools));
}

const details = (run: StageRun<CompressSettings>) =>
  run.events.flatMap(event => (event.kind === 'done' ? [event.detail] : []));

describe('compress', () => {
  it.each([
    ['gzip', 'gz'],
    ['zstd', 'zst'],
  ] as const)('with %s lets a copy take the place of an image that was analysed', async (method, suffix) => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A', 'B');
    const run = begin(world, { method });
    await run.until(() => run.count('done') === 2);
    expect(world.images()).toEqual([`image_A.tif.${suffix}`, `image_B.tif.${suffix}`]);
    expect(world.get('A')).toMatchObject({
      camera_data: { filename: `image_A.tif.${suffix}`, filepath: day, original: false },
      processing_status: 'processed',
      compression_attempted: true,
      claims: {},
    });
    expect('compression_error' in world.get('A')).toBe(false);
    expect(world.bytes('A')).toEqual(softImage('A'));
    expect(details(run)[0]).toMatchObject({ image: `image_A.tif.${suffix}`, bytes_before: softImage('A').length });
    expect(world.notes).toEqual([]);
  });

  it('takes failed and skipped images too, and none that is pending, an original, or attempted already', async () => {
    const world = await CompressorWorld.on();
    await world.offer({ A: softImage('A') }, { processing_status: 'failed' });
    await world.offer({ B: softImage('B') }, { processing_status: 'skip' });
    await world.offer({ C: softImage('C') }, { processing_status: 'pending' });
    await world.offer({ D: softImage('D') }, { compression_attempted: true });
    const camera = { ...world.get('A').camera_data!, filename: nameOf('E'), original: true };
    await world.offer({ E: softImage('E') }, { camera_data: camera });
    const run = begin(world);
    await run.until(() => run.count('done') === 2);
    await run.rest();
    expect(world.images()).toEqual(['image_A.tif.gz', 'image_B.tif.gz', 'image_C.tif', 'image_D.tif', 'image_E.tif']);
    expect(world.get('A').processing_status).toBe('failed');
  });

  it('works in rounds: nothing between them, all that waits in each, one after the other', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A', 'B', 'C');
    const run = begin(world);
    await run.until(() => run.count('done') === 3);
    expect(world.maxOpen).toBe(1);
    await world.offerSoft('D', 'E');
    await run.rest();
    await vi.advanceTimersByTimeAsync(compressSettings.intervalMs - 1);
    await run.rest();
    expect([world.claimed(), world.finished()]).toEqual([[], ['A', 'B', 'C']]);
    await vi.advanceTimersByTimeAsync(1);
    await run.until(() => run.count('done') === 5);
  });

  it('does nothing when it is not enabled', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const run = begin(world, { enabled: false });
    await run.rest();
    expect([run.told, world.images()]).toEqual([['off'], ['image_A.tif']]);
  });

  describe('an image that does not shrink', () => {
    it('stays as it is, and its copy is gone', async () => {
      const world = await CompressorWorld.on();
      const bytes = hardImage();
      await world.offer({ A: bytes });
      const run = begin(world);
      await run.until(() => run.count('done') === 1);
      expect(world.images()).toEqual(['image_A.tif']);
      expect(world.get('A')).toMatchObject({ compression_attempted: true, camera_data: { filename: 'image_A.tif' } });
      expect(world.bytes('A')).toEqual(bytes);
      expect(details(run)).toEqual([{ image: 'image_A.tif', kept: expect.stringMatching(/^it would have \d/) }]);
    });

    it('is said once for its kind, which is then tried only now and then; others are tried', async () => {
      const world = await CompressorWorld.on();
      const ids = Array.from({ length: 110 }, (_, i) => `H${i}`);
      await world.offer(Object.fromEntries(ids.map(id => [id, hardImage()])));
      let tries = 0;
      world.onWork = async () => tries++;
      const run = begin(world);
      await run.until(() => run.count('done') === 110);
      expect(tries).toBe(4);
      expect(world.notes).toEqual([expect.stringMatching(/^images \.tif stay as they are/)]);
      await world.offer({ S: softImage('S') }, { camera_data: { ...world.get('H0').camera_data!, filename: 'S.bmp' } });
      world.files.put(`${day}/S.bmp`, softImage('S'));
      await run.until(() => run.count('done') === 111, compressSettings.intervalMs);
      expect(world.filename('S')).toBe('S.bmp.gz');
    });

    it('is tried again, as all of its kind, with other settings', async () => {
      const world = await CompressorWorld.on();
      await world.offer(Object.fromEntries(['A', 'B', 'C', 'D'].map(id => [id, hardImage()])));
      const run = begin(world);
      await run.until(() => run.count('done') === 4);
      await world.offerSoft('E', 'F');
      await run.until(() => run.count('done') === 6, compressSettings.intervalMs);
      expect(world.filename('F')).toBe('image_F.tif');
      await world.offerSoft('G');
      run.settings$.next({ ...compressSettings, level: 9 });
      await run.until(() => run.count('done') === 7, 10);
      expect(world.filename('G')).toBe('image_G.tif.gz');
    });
  });

  describe('a name that is taken', () => {
    it('by a copy that holds the same is used, by whichever codec', async () => {
      const world = await CompressorWorld.on();
      const first = begin(world, { method: 'zstd' });
      await world.offerSoft('A');
      await first.until(() => first.count('done') === 1, compressSettings.intervalMs);
      first.unsubscribe();
      const copy = world.files.content(`${day}/image_A.tif.zst`)!;
      const other = await CompressorWorld.on();
      await other.offerSoft('A');
      other.files.put(`${day}/image_A.tif.zst`, copy);
      const run = begin(other);
      await run.until(() => run.count('done') === 1);
      expect(other.images()).toEqual(['image_A.tif.zst']);
      expect(other.maxOpen).toBe(0);
      expect([other.filename('A'), other.bytes('A')]).toEqual(['image_A.tif.zst', softImage('A')]);
    });

    it.each([
      ['another file', Buffer.from('something else')],
      ['nothing', Buffer.alloc(0)],
    ])('by %s is never written to, and the image stays as it is', async (_what, content) => {
      const world = await CompressorWorld.on();
      await world.offerSoft('A', 'B');
      world.files.put(`${day}/image_A.tif.gz`, content);
      const run = begin(world);
      await run.until(() => run.count('done') + run.count('failed') === 2);
      expect(world.files.content(`${day}/image_A.tif.gz`)).toEqual(content);
      expect(world.get('A')).toMatchObject({
        compression_attempted: true,
        compression_error: expect.stringContaining('holds something else'),
        camera_data: { filename: 'image_A.tif' },
      });
      expect([world.bytes('A'), world.filename('B')]).toEqual([softImage('A'), 'image_B.tif.gz']);
    });
  });

  describe('an image of its own fault', () => {
    it.each<[string, string, (world: CompressorWorld) => void]>([
      ['is not there', 'not there', world => void world.files.remove(`${day}/image_A.tif`)],
      ['may not be read', 'EACCES', world => failReading(world, 'EACCES')],
      [
        'lies outside the data folder',
        'not there',
        world => elsewhere(world, { filepath: '/etc', filename: 'passwd' }),
      ],
      ['has no plain name', 'not a plain file name', world => elsewhere(world, { filename: '../../etc/passwd' })],
    ])('that %s fails: the entry says why, and its analysis stands', async (_what, reason, spoil) => {
      const world = await CompressorWorld.on();
      world.files.put('/etc/passwd', softImage('root'));
      await world.offerSoft('A', 'B');
      spoil(world);
      const run = begin(world);
      await run.until(() => run.count('failed') + run.count('done') === 2);
      expect(world.get('A')).toMatchObject({
        processing_status: 'processed',
        processing_error: false,
        compression_attempted: true,
        compression_error: expect.stringContaining(reason),
        claims: {},
      });
      expect([world.filename('B'), run.count('alarm')]).toEqual(['image_B.tif.gz', 0]);
      expect(world.files.content('/etc/passwd')).toEqual(softImage('root'));
      expect(world.files.paths().filter(path => path.endsWith('.tmp'))).toEqual([]);
    });

    it('whose place on the disk fails three times is passed over; until then the disk may be to blame', async () => {
      const world = await CompressorWorld.on();
      await world.offerSoft('A', 'B');
      failReading(world, 'EIO');
      const run = begin(world);
      await run.until(() => run.count('failed') + run.count('done') === 2, 500);
      expect(run.events.flatMap(event => (event.kind === 'alarm' ? [event.key] : []))).toEqual(['EIO', 'EIO']);
      expect(world.get('A').compression_error).toMatch(/^it could not be read 3 times: EIO/);
      expect([world.filename('B'), run.status('compressor').alarms]).toEqual(['image_B.tif.gz', []]);
    });

    it('that was written to meanwhile stays as it is', async () => {
      const world = await CompressorWorld.on();
      await world.offerSoft('A');
      const path = `${day}/image_A.tif`;
      world.onWork = async () => world.files.put(path, softImage('other'));
      const run = begin(world);
      await run.until(() => run.count('failed') === 1);
      expect(world.get('A').compression_error).toContain('was changed while it was compressed');
      expect([world.images(), world.bytes('A')]).toEqual([['image_A.tif'], softImage('other')]);
    });

    it('that only the share has by now is left there', async () => {
      const world = await CompressorWorld.on();
      await world.offerSoft('A');
      elsewhere(world, { filepath: '/mnt/share/data' });
      world.files.put('/mnt/share/data/image_A.tif', softImage('A'));
      await world.files.remove(`${day}/image_A.tif`);
      await world.manifest.settle(await world.manifest.claim('compressor', 1), 'compressor', { image_synced: true });
      const touched: string[] = [];
      const stat = world.files.stat.bind(world.files);
      world.files.stat = path => {
        touched.push(path);
        return stat(path);
      };
      const run = begin(world);
      await run.until(() => run.count('done') === 1);
      expect(details(run)[0]).toMatchObject({ kept: 'it is on the share only' });
      expect(touched.filter(path => path.startsWith('/mnt'))).toEqual([]);
    });
  });

  it('waits on a full disk, with nothing left of the copy, and goes on by itself', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    world.files.plan = ({ kind, path }) => (kind === 'write' && path.endsWith('.tmp') ? { short: 10 } : null);
    const run = begin(world);
    await run.until(() => run.count('alarm') === 2, 500);
    expect(run.status('compressor')).toMatchObject({ alarms: ['ENOSPC'], failed: 0, in_flight: 0 });
    expect([world.images(), world.claimed()]).toEqual([['image_A.tif'], []]);
    world.files.plan = () => null;
    await run.until(() => run.count('done') === 1, 500);
    expect([world.images(), run.status('compressor').alarms]).toEqual([['image_A.tif.gz'], []]);
  });

  it('never trusts what it wrote: a copy that reads back otherwise is an alarm, and the original stays', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const rename = world.files.rename.bind(world.files);
    const renamed: string[] = [];
    world.files.rename = async (from, to) => {
      renamed.push(to);
      return rename(from, to);
    };
    let spoilt = 0;
    world.onRead = async path => {
      if (!path.endsWith('.tmp') || spoilt++ > 0) return;
      const content = Buffer.from(world.files.content(path)!);
      content.writeUInt8(content.readUInt8(20) ^ 0xff, 20);
      world.files.put(path, content);
    };
    const run = begin(world);
    await run.until(() => run.count('alarm') === 1);
    expect([world.images(), renamed.filter(path => path.startsWith(day))]).toEqual([['image_A.tif'], []]);
    await run.until(() => run.count('done') === 1, 500);
    expect(world.bytes('A')).toEqual(softImage('A'));
  });

  it('keeps both when the claim was lost meanwhile', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const door = gate();
    world.onWork = () => door.pass();
    const run = begin(world);
    await run.until(() => world.claimed().length === 1);
    await world.manifest.release([world.get('A')], 'compressor', { compression_attempted: true });
    door.open();
    await run.until(() => run.count('discarded') === 1);
    expect(world.images()).toEqual(['image_A.tif', 'image_A.tif.gz']);
    expect(world.bytes('A')).toEqual(softImage('A'));
  });

  it('is alarmed when an original can not be removed, and removes it when the disk is well', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    world.onRemove = async path => {
      if (path.endsWith('.tif')) throw failure('EROFS');
    };
    const run = begin(world);
    await run.until(() => run.count('alarm') === 2, 500);
    expect(world.images()).toEqual(['image_A.tif', 'image_A.tif.gz']);
    world.onRemove = async () => undefined;
    await run.until(() => run.status('compressor').alarms.length === 0, 500);
    expect([world.images(), world.bytes('A')]).toEqual([['image_A.tif.gz'], softImage('A')]);
  });

  it('says when an original may not be removed, and goes on', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A', 'B');
    world.onRemove = async path => {
      if (path.endsWith('A.tif')) throw failure('EACCES');
    };
    const run = begin(world);
    await run.until(() => run.count('done') === 2);
    expect(world.images()).toEqual(['image_A.tif', 'image_A.tif.gz', 'image_B.tif.gz']);
    expect(world.notes).toEqual([expect.stringMatching(/image_A\.tif was compressed and can't be removed/)]);
  });

  it('has an image in flight for itself: nobody analyses it or sets it back meanwhile, and then under its new name', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const door = gate();
    world.onWork = () => door.pass();
    const run = begin(world);
    await run.until(() => world.claimed().length === 1);
    expect(await world.manifest.requeue([world.get('A')], 'pending', { restore: false })).toEqual([]);
    expect(world.manifest.waiting('processor')).toBe(0);
    door.open();
    await run.until(() => run.count('done') === 1);
    expect(await world.manifest.requeue([world.get('A')], 'pending', { restore: false })).toHaveLength(1);
    const [entry] = await world.manifest.claim('processor', 1);
    expect(entry!.camera_data!.filename).toBe('image_A.tif.gz');
    // It is not compressed once more.
    await world.manifest.settle([entry!], 'processor', { processing_status: 'processed' });
    expect(world.manifest.waiting('compressor')).toBe(0);
  });

  it('shares the work with another process: each image once, and whole', async () => {
    const one = await CompressorWorld.on();
    await one.offerSoft(...'ABCDEFGH');
    const other = await CompressorWorld.on(one.files.twin(), { pid: 2 });
    const runs = [begin(one), begin(other)];
    await runs[0]!.until(() => runs[0]!.count('done') + runs[1]!.count('done') === 8);
    await one.manifest.catchUp();
    expect(runs.map(run => run.count('done') > 0)).toEqual([true, true]);
    expect(one.images()).toEqual([...'ABCDEFGH'].map(id => `image_${id}.tif.gz`));
    for (const id of 'ABCDEFGH') expect(one.bytes(id)).toEqual(softImage(id));
  });

  it('cut short in the midst of an image leaves the original alone', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const door = gate();
    let reading = false;
    world.onRead = async path => {
      if (path !== `${day}/image_A.tif`) return;
      reading = true;
      await door.pass();
    };
    const run = begin(world);
    await run.until(() => reading);
    expect(world.images()).toHaveLength(2);
    run.unsubscribe();
    door.open();
    await run.putAway();
    expect([world.images(), world.claimed(), world.finished()]).toEqual([['image_A.tif'], [], []]);
  });

  it('is well with images that are readable throughout, for those who know an old name or a new one', async () => {
    const world = await CompressorWorld.on();
    await world.offerSoft('A');
    const before = world.get('A');
    const run = begin(world);
    await run.until(() => run.count('done') === 1);
    expect(await world.find(before)).toBe(`${day}/image_A.tif.gz`);
    expect(await world.find(world.get('A'))).toBe(`${day}/image_A.tif.gz`);
    // Somebody unpacks it by hand.
    world.files.put(`${day}/image_A.tif`, softImage('A'));
    await world.files.remove(`${day}/image_A.tif.gz`);
    expect(await world.find(world.get('A'))).toBe(`${day}/image_A.tif`);
  });

  describe('after a crash', () => {
    it('removes an original only when its copy holds the same, and no other entry names it', async () => {
      const files = new FaultyFiles();
      const world = await CompressorWorld.on(files);
      await world.offerSoft('A', 'B', 'C', 'D');
      const run = begin(world);
      await run.until(() => run.count('done') === 4);
      run.unsubscribe();
      await run.putAway();
      files.put(`${day}/image_A.tif`, softImage('A'));
      files.put(`${day}/image_B.tif`, softImage('X'));
      files.put(`${day}/image_C.tif`, softImage('C'));
      await world.manifest.offer([
        { ...world.get('C'), entry_id: 'E', camera_data: { ...world.get('C').camera_data!, filename: 'image_C.tif' } },
      ]);
      files.put(`${day}/image_D.tif`, softImage('D'));
      files.put(`${day}/image_D.tif.gz`, 'damaged');
      const next = await CompressorWorld.on(files, { pid: 2, dead: [1] });
      const again = begin(next);
      await again.until(() => again.told.includes('running'));
      await again.rest();
      expect(next.images().filter(name => name.endsWith('.tif'))).toEqual([
        'image_B.tif',
        'image_C.tif',
        'image_D.tif',
      ]);
      expect(next.notes).toEqual([
        expect.stringMatching(/image_B\.tif and .*image_B\.tif\.gz are both kept: they should hold the same/),
        expect.stringMatching(/image_D\.tif and .*image_D\.tif\.gz are both kept/),
      ]);
    });

    it('removes temporary files of processes that are gone, and no others', async () => {
      // It may be shared with another machine.
      const files = new FaultyFiles('unknown');
      const world = await CompressorWorld.on(files);
      await world.offerSoft('A', 'B');
      await world.manifest.claim('compressor', 1);
      const now = Date.now();
      files.put(`${day}/image_A.tif.gz.1-0123abcd.tmp`, 'half');
      files.put(`${day}/image_B.tif.zst.7-0123abcd.tmp`, 'half');
      files.put(`${day}/image_B.tif.gz.8-0123abcd.tmp`, 'young');
      files.put(`${day}/notes.1-0123abcd.tmp`, 'not ours');
      const stat = files.stat.bind(files);
      files.stat = async path => {
        const found = await stat(path);
        return (
          found && { ...found, mtimeMs: path.includes('.8-') || path.includes('A.tif.gz') ? now - 1000 : now - 100_000 }
        );
      };
      const next = await CompressorWorld.on(files, { pid: 2, dead: [1] });
      const run = begin(next);
      await run.until(() => run.count('done') === 2);
      expect(next.images()).toEqual([
        'image_A.tif.gz',
        'image_B.tif.gz',
        'image_B.tif.gz.8-0123abcd.tmp',
        'notes.1-0123abcd.tmp',
      ]);
    });
  });
});

function failReading(world: CompressorWorld, code: string): void {
  world.onRead = async path => {
    if (path === `${day}/image_A.tif`) throw failure(code);
  };
}

/** As an edited manifest has it. */
function elsewhere(world: CompressorWorld, camera: { filepath?: string; filename?: string }): void {
  const entry = world.get('A');
  Object.assign(entry, { camera_data: { ...entry.camera_data!, ...camera } });
}
