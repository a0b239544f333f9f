import { writeFileSync } from 'node:fs';
import { mkdir, open as openFile, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NEVER, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Files, nodeFiles } from '../../../src/files/files.ts';
import type { ImportedFrame } from '../../../src/model/frame.ts';
import { numberedImage, watchedFolder } from '../../world/watchedFolder.ts';

const nameOf = (number: number): string => `img_${String(number).padStart(5, '0')}.png`;
const numbers = (count: number, first = 1): number[] => Array.from({ length: count }, (_, i) => first + i);
const asSaved = (given: readonly number[]): [string, number][] => given.map(number => [nameOf(number), number]);

describe('a watched folder', () => {
  it('gives the images that another process saves slowly, by rename and in bursts: each once, whole, in order', async () => {
    const { folder, open, take, writer, notes, signal } = await watchedFolder();
    const source = await open();
    await writer(numbers(120), nameOf);
    expect(await take(source, 120)).toEqual(asSaved(numbers(120)));
    expect(source.arrivals!.has()).toBe(false);
    expect(await readdir(folder)).toHaveLength(120);
    expect(notes).toEqual([]);
    const leaving = AbortSignal.any([signal, AbortSignal.abort(new Error('leaving'))]);
    await expect(source.next(leaving)).rejects.toThrow('leaving');
  });

  it('says of each image where it is, when it was taken and where that is from', async () => {
    const { folder, open, save, signal } = await watchedFolder();
    const source = await open();
    await save('img_1.png', 1);
    await utimes(join(folder, 'img_1.png'), 1_790_000_000.5, 1_790_000_000.5);
    await save('run_20260921_141320_250.png', 2);
    await utimes(join(folder, 'run_20260921_141320_250.png'), 1_790_000_001, 1_790_000_001);
    await save('img_2.png', 1);
    await utimes(join(folder, 'img_2.png'), 1_790_000_000.5, 1_790_000_000.5);
    const first = (await source.next(signal)) as ImportedFrame;
    expect(first).toMatchObject({
      kind: 'imported',
      folder,
      filename: 'img_1.png',
      taken: { utc: '2026-09-21T14:13:20.500000Z', source: 'mtime' },
    });
    // Of one tick of the clock: each has a time of its own.
    expect((await source.next(signal)) as ImportedFrame).toMatchObject({
      taken: { utc: '2026-09-21T14:13:20.500001Z', source: 'mtime' },
    });
    expect((await source.next(signal)) as ImportedFrame).toMatchObject({
      taken: { local: '2026-09-21T14:13:20.250000', source: 'name' },
    });
  });

  it('leaves out what was there before, unless it is asked for, and takes in what came while nobody watched', async () => {
    const { open, take, save, notes } = await watchedFolder();
    for (const number of numbers(3)) await save(nameOf(number), number);
    const first = await open();
    await save(nameOf(4), 4);
    expect(await take(first, 1)).toEqual(asSaved([4]));
    expect(notes).toEqual([expect.stringMatching(/^info: \/incoming: 3 images were there before and are left out/)]);
    await first.close();
    for (const number of [5, 6]) await save(nameOf(number), number);
    const second = await open();
    expect(await take(second, 2)).toEqual(asSaved([5, 6]));
    await second.close();
    const all = await open({ take_existing: true });
    expect(await take(all, 3)).toEqual(asSaved([1, 2, 3]));
    expect(all.arrivals!.has()).toBe(false);
  });

  it('waits for an image that is being written, and for nothing but that', async () => {
    const { folder, open, take, save } = await watchedFolder();
    const source = await open();
    const bytes = await numberedImage(1);
    const file = await openFile(join(folder, nameOf(1)), 'w');
    await file.write(bytes.subarray(0, 60));
    await save(nameOf(2), 2);
    const taking = take(source, 2);
    // Longer than an image must rest.
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(source.arrivals!.has()).toBe(false);
    await file.write(bytes.subarray(60));
    await file.close();
    expect(await taking).toEqual(asSaved([1, 2]));
  });

  it('takes in as it stands what never becomes whole, after its patience, and once more when it becomes whole at last', async () => {
    const { folder, open, take, save, notes } = await watchedFolder();
    const source = await open({ patience_seconds: 0.5 });
    const bytes = await numberedImage(2);
    await writeFile(join(folder, nameOf(1)), '');
    await writeFile(join(folder, nameOf(2)), bytes.subarray(0, 60));
    await save(nameOf(3), 3);
    const taken = await take(source, 3);
    expect(taken.map(([name]) => name).sort()).toEqual([1, 2, 3].map(nameOf));
    expect(Object.fromEntries(taken)).toMatchObject({
      [nameOf(1)]: expect.stringContaining('the file is empty'),
      [nameOf(2)]: expect.stringContaining('img_00002.png'),
      [nameOf(3)]: 3,
    });
    expect(notes[0]).toMatch(
      /^warning: \/incoming\/img_00001.png: has not become whole in 500 ms \(0 bytes\); it is taken in as it stands/,
    );
    await writeFile(join(folder, nameOf(2)), bytes);
    await utimes(join(folder, nameOf(2)), new Date(), new Date(Date.now() + 10_000));
    expect(await take(source, 1)).toEqual(asSaved([2]));
  });

  it('takes in anew an image that is replaced by another of its name, and the last of several in quick succession', async () => {
    const { folder, open, take, save, notes } = await watchedFolder();
    const source = await open();
    // Nobody has the time to see the first one.
    const quick = await Promise.all([1, 2].map(numberedImage));
    for (const image of quick) writeFileSync(join(folder, 'latest.png'), image);
    expect(await take(source, 1)).toEqual([['latest.png', 2]]);
    await save('next.tmp', 3);
    await utimes(join(folder, 'next.tmp'), new Date(), new Date(Date.now() + 10_000));
    await rename(join(folder, 'next.tmp'), join(folder, 'latest.png'));
    expect(await take(source, 1)).toEqual([['latest.png', 3]]);
    expect(notes).toEqual([expect.stringMatching(/^warning: .*latest\.png: was written anew after it was taken in/)]);
  });

  it('leaves alone what is no image, hidden, unfinished by its name, a link or a pipe', async () => {
    const { root, folder, open, take, save, notes } = await watchedFolder();
    await writeFile(join(root, 'secret.png'), await numberedImage(9));
    await mkdir(join(root, 'elsewhere'));
    await writeFile(join(root, 'elsewhere/img.png'), await numberedImage(9));
    const source = await open();
    for (const name of ['.img.png', '~img.png', 'img.tmp.png', 'img.png.tmp', 'img.part.tif', 'metadata.txt', 'a.bmp'])
      await save(name, 9);
    await symlink(join(root, 'secret.png'), join(folder, 'a_link.png'));
    await symlink(join(root, 'elsewhere'), join(folder, 'a_folder'));
    await mkdir(join(folder, '.Trash-1000'));
    await save('.Trash-1000/img.png', 9);
    await save(nameOf(1), 1);
    expect(await take(source, 1)).toEqual(asSaved([1]));
    expect(source.arrivals!.has()).toBe(false);
    expect(notes).toEqual([expect.stringMatching(/a_link\.png: a link that is named like an image is left alone/)]);
  });

  it('follows folders that come later, as Micro-Manager makes them, and looks into none where it shall not', async () => {
    const { folder, open, take, save } = await watchedFolder();
    const [deep, flat] = [await open(), await open({ subfolders: false })];
    await mkdir(join(folder, 'run_1/Pos0'), { recursive: true });
    await save('run_1/Pos0/img_1.png', 1);
    await save('run_1/Pos0/img_2.png', 2);
    expect(await take(deep, 2)).toEqual([
      ['run_1/Pos0/img_1.png', 1],
      ['run_1/Pos0/img_2.png', 2],
    ]);
    await mkdir(join(folder, 'run_2'));
    await save('run_2/img_1.png', 3);
    expect(await take(deep, 1)).toEqual([['run_2/img_1.png', 3]]);
    await save('last.png', 4);
    expect(await take(flat, 1)).toEqual([['last.png', 4]]);
  });

  it('goes on when one file can not be looked at, and tells of it once; a file without a time was taken now', async () => {
    const { folder, open, save, notes, signal } = await watchedFolder();
    const files: Files = {
      ...nodeFiles,
      stat: async path => {
        if (path.endsWith('bad.png')) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
        return nodeFiles.stat(path);
      },
    };
    const source = await open({ files });
    await save('bad.png', 1);
    await save('good.png', 2);
    await utimes(join(folder, 'good.png'), 0, 0);
    const frame = (await source.next(signal)) as ImportedFrame;
    expect(frame.filename).toBe('good.png');
    expect(Math.abs(Date.parse(frame.taken.utc!) - Date.now())).toBeLessThan(60_000);
    expect(notes).toEqual([
      expect.stringMatching(/bad\.png: can't be read \(EIO: i\/o error\): it is left out for now/),
    ]);
  });

  it('orders by time where that is asked for', async () => {
    const { folder, open, take, save } = await watchedFolder();
    const source = await open({ order: 'time', take_existing: true });
    for (const [i, name] of ['c.png', 'a.png', 'b.png'].entries()) {
      await save(name, i);
      await utimes(join(folder, name), 1_790_000_000 + i, 1_790_000_000 + i);
    }
    expect(await take(source, 3)).toEqual([
      ['c.png', 0],
      ['a.png', 1],
      ['b.png', 2],
    ]);
  });

  it('of two forms of one image, one of them compressed, takes one', async () => {
    const { folder, open, take, save } = await watchedFolder();
    const source = await open();
    await save(nameOf(1), 1);
    await save(`${nameOf(1)}.gz`, 1);
    for (const name of [nameOf(1), `${nameOf(1)}.gz`]) await utimes(join(folder, name), 1_790_000_000, 1_790_000_000);
    await save(nameOf(2), 2);
    expect((await take(source, 2)).map(([name]) => name)).toEqual([nameOf(1), nameOf(2)]);
  });
});

describe('a watched folder that can not be watched', () => {
  it.each([
    ['tells of nothing', () => NEVER],
    ['fails', () => throwError(() => new Error('ENOSPC: System limit for number of file watchers reached'))],
  ])('is looked at besides: its watcher %s', async (way, touches) => {
    const { open, take, save, notes } = await watchedFolder();
    const source = await open({ deps: { touches, lookEveryMs: 200 } });
    // A first look, so that the images come after it.
    source.arrivals!.subscribe(() => undefined);
    if (way === 'tells of nothing') await save(nameOf(1), 1);
    else {
      await new Promise(resolve => setImmediate(resolve));
      await save(nameOf(1), 1);
    }
    expect(await take(source, 1)).toEqual(asSaved([1]));
    expect(notes.filter(note => note.includes('it is looked at every 200 ms instead'))).toHaveLength(
      way === 'fails' ? 1 : 0,
    );
  });

  it('on a share is looked at by listing: no event is waited for', async () => {
    const { root, open, take, save } = await watchedFolder();
    const mountInfo = () => `1 0 0:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:2 / ${root} rw - cifs //server/share rw`;
    const touches = () => throwError(() => new Error('nobody shall watch'));
    const source = await open({ deps: { mountInfo, touches, lookEveryMs: 200 } });
    const taking = take(source, 2);
    await save(nameOf(1), 1);
    await save(nameOf(2), 2);
    expect(await taking).toEqual(asSaved([1, 2]));
  });

  it('of more than 2,000 images is followed by its own events', async () => {
    const { folder, open, take, save } = await watchedFolder();
    const bytes = await numberedImage(7);
    for (const number of numbers(2_001)) await writeFile(join(folder, nameOf(number)), bytes);
    const source = await open();
    const taking = take(source, 3);
    for (const number of [3_001, 3_002]) await save(nameOf(number), number);
    await mkdir(join(folder, 'later'));
    await save('later/img_1.png', 4);
    expect(await taking).toEqual([...asSaved([3_001, 3_002]), ['later/img_1.png', 4]]);
  });
});

describe('a watched folder that goes away', () => {
  it('is an error that names it, and goes on where it was when it is back', async () => {
    const { root, folder, open, take, save, signal } = await watchedFolder();
    const source = await open();
    await save(nameOf(1), 1);
    expect(await take(source, 1)).toEqual(asSaved([1]));
    const failing = source.next(signal);
    await rename(folder, join(root, 'away'));
    await expect(failing).rejects.toThrow(/incoming: no such folder; is its disk or share mounted\?/);
    expect(source.arrivals!.has()).toBe(true);
    await source.close();
    await expect(open({ deps: {} })).resolves.toBeDefined();
    await rm(folder, { recursive: true });
    await rename(join(root, 'away'), folder);
    await save(nameOf(2), 2);
    expect(await take(await open(), 1)).toEqual(asSaved([2]));
  });

  it('is an error while nothing is mounted where its disk was, although its mount point is there', async () => {
    const { root, folder, flags, open } = await watchedFolder();
    const system = '1 0 0:1 / / rw - ext4 /dev/sda1 rw';
    const mounted = `${system}\n2 1 0:2 / ${folder} rw - vfat /dev/sdb1 rw`;
    let mounts = mounted;
    const deps = { mountInfo: () => mounts };
    await (await open({ deps })).close();
    mounts = system;
    await expect(open({ deps })).rejects.toThrow(
      new RegExp(
        `nothing is mounted at ${folder}, where the disk or share of this folder was: plug it in or mount it.*remove ${flags}`,
      ),
    );
    mounts = mounted;
    await expect(open({ deps })).resolves.toBeDefined();
    expect(root).toBeTruthy();
  });

  it('is an error when it hangs, and one call hangs, however often it is opened', async () => {
    const { folder, open } = await watchedFolder();
    let calls = 0;
    const files: Files = {
      ...nodeFiles,
      stat: path => {
        if (!path.startsWith(folder)) return nodeFiles.stat(path);
        calls++;
        return new Promise(() => undefined);
      },
    };
    const { CallGate } = await import('../../../src/files/filesWithDeadline.ts');
    const gate = new CallGate(50);
    for (let i = 0; i < 3; i++) await expect(open({ files, deps: { gate } })).rejects.toThrow('does not answer within');
    expect(calls).toBe(1);
  });

  it('with a record that is damaged says which, and what to do', async () => {
    const { flags, open } = await watchedFolder();
    await (await open()).close();
    const [name] = await readdir(flags);
    expect(JSON.parse(await readFile(join(flags, name!), 'utf8'))).toMatchObject({ present: [] });
    await writeFile(join(flags, name!), '{"folder"');
    await expect(open()).rejects.toThrow(/watched_[0-9a-f]{12}\.json: it is no JSON.*remove it to begin anew/);
  });
});
