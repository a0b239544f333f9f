import { existsSync, readFileSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImportedFrame } from '../../../src/model/frame.ts';
import type { FolderNote } from '../../../src/streams/folder/folderNotes.ts';
import { type ImageFolderOptions, openImageFolder } from '../../../src/streams/folder/imageFolderSource.ts';
import { SourceError } from '../../../src/streams/folder/sourceError.ts';
import { tiffWithTime } from '../tiffWithTime.ts';

const reference = resolve(import.meta.dirname, '../../../shared/reference/legacy_gauss');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-legacy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function folderOf(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) await writeFile(join(folder, name), '');
  return folder;
}

interface Replayed {
  frames: ImportedFrame[];
  names: string[];
  notes: FolderNote[];
  warnings: string[];
  total: number | null;
  timeSource: string;
}

async function replay(folder: string, options: Omit<ImageFolderOptions, 'folder'> = {}): Promise<Replayed> {
  const notes: FolderNote[] = [];
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), monotonic: () => 0 };
  const source = await openImageFolder({ folder, ...options }, { clock, note: note => notes.push(note) });
  const frames: ImportedFrame[] = [];
  const { signal } = new AbortController();
  for (let frame = await source.next(signal); frame; frame = await source.next(signal))
    frames.push(frame as ImportedFrame);
  await source.close();
  return {
    frames,
    names: frames.map(({ filename }) => filename),
    notes,
    warnings: notes.flatMap(({ level, message }) => (level === 'warning' ? [message] : [])),
    total: source.total,
    timeSource: source.description.timeSource,
  };
}

async function refusal(folder: string, options: Omit<ImageFolderOptions, 'folder'> = {}): Promise<SourceError> {
  const error: unknown = await replay(folder, options).catch(reason => reason);
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

const frameKey = (frame: number, name: string, elapsed: number): string =>
  `  "FrameKey-${frame}-0-0": {\n    "FileName": "${name}",\n    "ElapsedTime-ms": ${elapsed}\n  }`;
const summary = '  "Summary": {\n    "StartTime": "2025-08-12 13:45:00 +0100"\n  }';

describe.skipIf(!existsSync(reference))('the reference folder (../shared/reference)', () => {
  it('has the times that the Python system gave it, and says that they are metadata', async () => {
    const original = JSON.parse(readFileSync(join(reference, 'original_gaussian/metadata_manifest.json'), 'utf8')) as {
      camera_data: { filename: string; timestamp_iso: string; camera_index: string };
    }[];
    const { frames, total } = await replay(join(reference, 'Pos0'));
    expect(
      frames.map(({ filename, taken, cameraIndex }) => ({
        filename,
        timestamp_iso: taken.local,
        camera_index: cameraIndex,
      })),
    ).toEqual(
      original.map(({ camera_data: { filename, timestamp_iso, camera_index } }) => ({
        filename,
        timestamp_iso,
        camera_index,
      })),
    );
    expect(frames[0].taken).toEqual({
      local: '2025-08-12T13:45:00.352591',
      utc: '2025-08-12T12:45:00.352591Z',
      source: 'metadata',
    });
    expect(frames[0].folder).toBe(join(reference, 'Pos0'));
    expect(frames[1].elapsedMs).toBeCloseTo(193.94, 3);
    expect(total).toBe(8);
  });

  it('is found from the folder of the run, which holds its one position', async () => {
    const { frames } = await replay(reference, { limit: 1 });
    expect(frames[0].folder).toBe(join(reference, 'Pos0'));
  });
});

describe('time from metadata.txt', () => {
  it('orders by time, not by name or by the order in the file', async () => {
    const folder = await folderOf('a.tif', 'b.TIFF', 'c.png');
    const keys = [frameKey(0, 'a.tif', 300), frameKey(1, 'c.png', 100.25), frameKey(2, 'b.TIFF', 200)];
    await writeFile(join(folder, 'metadata.txt'), `{\n${[summary, ...keys].join(',\n')}\n}\n`);
    const { frames, names, warnings } = await replay(folder);
    expect(names).toEqual(['c.png', 'b.TIFF', 'a.tif']);
    expect(frames.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 99.75, 199.75]);
    expect(warnings).toEqual([]);
  });

  it('of a run that was cut off serves for what it knows; the rest goes on at the cadence and says that its times are estimated', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `img_${i}.tif`);
    const folder = await folderOf(...names);
    const keys = names.slice(0, 4).map((name, i) => frameKey(i, name, 1000 * i));
    const whole = [summary, ...keys].join(',\n');
    // Cut within the last frame's elapsed time, which must not be taken for a shorter number.
    await writeFile(join(folder, 'metadata.txt'), `{\n${whole}`.slice(0, -7));
    const time = new Date('2020-01-01T00:00:00Z');
    await utimes(join(folder, 'img_3.tif'), time, time);
    const { frames, names: order, warnings } = await replay(folder);
    expect(order).toEqual(names);
    expect(frames.map(({ taken }) => taken.source)).toEqual([
      'metadata',
      'metadata',
      'metadata',
      'estimated',
      'estimated',
    ]);
    // The years between run and copy are no interval to wait for.
    expect(frames[3].taken.utc).toBe('2025-08-12T12:45:03.000000Z');
    expect(frames.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(warnings.join('\n')).toMatch(/ends in the middle/);
    expect(warnings.join('\n')).toMatch(/2 of 5 images have no time from metadata/);
    expect(warnings.join('\n')).toMatch(/2 times are estimated from the images around them \(the first: "img_3.tif"\)/);
  });

  it('that knows less than half of the images is not used, and that is said', async () => {
    const names = Array.from({ length: 5 }, (_, i) => `image_20250724_13451${i}_000000_cam0.png`);
    const folder = await folderOf(...names);
    await writeFile(join(folder, 'metadata.txt'), `{\n${summary},\n${frameKey(0, names[4], 0)}\n}`);
    const { timeSource, names: order, warnings } = await replay(folder);
    expect(timeSource).toBe('name');
    expect(order).toEqual(names);
    expect(warnings).toEqual([expect.stringMatching(/gives a time to 1 of 5 images: it is not used/)]);
  });

  it('can name no file outside its folder', async () => {
    const folder = await folderOf('a.tif');
    await writeFile(join(folder, 'metadata.txt'), `{\n${summary},\n${frameKey(0, '../../etc/a.tif', 5)}\n}`);
    const { frames } = await replay(folder);
    expect(frames).toMatchObject([{ folder, filename: 'a.tif' }]);
  });

  it('warns of image stacks, which can not be read', async () => {
    const folder = await folderOf('run_MMStack_Pos0.ome.tif');
    const keys = [0, 1, 2].map(i => frameKey(i, 'run_MMStack_Pos0.ome.tif', i));
    await writeFile(join(folder, 'metadata.txt'), `{\n${[summary, ...keys].join(',\n')}\n}`);
    expect((await replay(folder)).warnings).toEqual([expect.stringMatching(/holds 3 frames in one file/)]);
  });
});

describe('time from names', () => {
  it('serves for the data folder of the Python system, over its folders of days', async () => {
    const folder = await temporaryFolder();
    const days = {
      '20250725': ['image_20250725_000001_000000_cam0.png'],
      '20250724': ['image_20250724_134513_569672_cam0.png'],
    };
    for (const [day, names] of Object.entries(days)) {
      await mkdir(join(folder, day));
      for (const name of names) await writeFile(join(folder, day, name), '');
    }
    await writeFile(join(folder, 'metadata_manifest.json'), '[]');
    const { frames, notes, total } = await replay(folder);
    expect(frames.map(frame => [frame.folder, frame.taken.local, frame.taken.utc])).toEqual([
      [join(folder, '20250724'), '2025-07-24T13:45:13.569672', null],
      [join(folder, '20250725'), '2025-07-25T00:00:01.000000', null],
    ]);
    expect(frames[1].elapsedMs).toBeCloseTo(36_887_430.328, 3);
    expect(total).toBe(2);
    expect(notes[0].message).toMatch(/2 images in 2 folders of days, times from name/);
  });

  it('chooses frames: from and to, then every Nth, then at most a limit', async () => {
    const names = Array.from(
      { length: 60 },
      (_, i) => `image_20250724_13${String(i).padStart(2, '0')}00_000000_cam0.png`,
    );
    const folder = await folderOf(...names);
    const chosen = await replay(folder, { from: '2025-07-24T13:10', to: '2025-07-24T13:50', every: 10, limit: 4 });
    expect(chosen.names).toEqual([10, 20, 30, 40].map(i => names[i]));
    expect(chosen.total).toBe(4);
    expect(chosen.frames[0].elapsedMs).toBe(0);
    expect((await replay(folder, { to: '2025-07-24' })).total).toBe(60);
    expect((await replay(folder, { from: '2025-07-24 13:59:00' })).names).toEqual([names[59]]);
  });

  it.each([
    [{ every: 0 }, 'usage', /every: 0 is not a whole number/],
    [{ limit: 1.5 }, 'usage', /limit: 1.5/],
    [{ from: 'yesterday' }, 'usage', /from: "yesterday" is no date/],
    [{ to: '2025-02-30' }, 'usage', /to: "2025-02-30" is no date/],
    [{ from: '2025-07-24T13:00+01:00' }, 'usage', /without a zone/],
    [{ from: '2025-07-25', to: '2025-07-24' }, 'usage', /later than/],
    [{ from: '2026-01-01' }, 'empty_range', /run from 2025-07-24T13:45:13/],
  ] as const)('refuses %j', async (options, code, message) => {
    const folder = await folderOf('image_20250724_134513_569672_cam0.png');
    const error = await refusal(folder, options);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

describe('time from the files themselves', () => {
  it('EXIF serves when the images have it; names keep the order, and time that runs backwards is reported', async () => {
    const folder = await temporaryFolder();
    const times = ['2025:07:24 13:00:10', '2025:07:24 13:00:20', '2025:07:24 13:00:05', '2025:07:24 13:00:15'];
    for (const [i, time] of times.entries())
      await writeFile(join(folder, `f${i + 8}.tif`), tiffWithTime({ original: time }));
    const { frames, names, warnings, timeSource } = await replay(folder);
    expect(timeSource).toBe('exif');
    expect(names).toEqual(['f8.tif', 'f9.tif', 'f10.tif', 'f11.tif']);
    expect(frames.map(({ taken }) => taken.local.slice(11, 19))).toEqual([
      '13:00:10',
      '13:00:20',
      '13:00:05',
      '13:00:15',
    ]);
    // The clock was set back between two frames; the intervals before and after are kept.
    expect(frames.map(({ elapsedMs }) => elapsedMs)).toEqual([0, 10_000, 10_000, 20_000]);
    expect(warnings).toEqual([expect.stringMatching(/f10\.tif: taken 15\.000 s before the image ahead of it by name/)]);
  });

  it('an image without EXIF has a time between its neighbours, not that of a file copied years later', async () => {
    const folder = await temporaryFolder();
    for (const second of [0, 10, 20, 40, 50])
      await writeFile(
        join(folder, `f${second + 100}.tif`),
        tiffWithTime({ original: `2019:07:24 13:00:${second || '00'}` }),
      );
    for (const name of ['f130.tif', 'f160.tif']) await writeFile(join(folder, name), '');
    const { frames, warnings } = await replay(folder);
    expect(frames.map(({ taken }) => taken.local.slice(14, 19))).toEqual(
      [0, 10, 20, 30, 40, 50].map(s => `00:${s || '00'}`).concat('01:00'),
    );
    expect(frames.map(({ taken }) => taken.source === 'estimated')).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(warnings[0]).toMatch(/7 images, times from exif: 2 of 5 images looked at have no time from EXIF/);
    expect(warnings[1]).toMatch(/f130\.tif: no time from exif; its time is estimated from the images around it/);
  });

  it('the modification time is the last resort; ranges are applied as the times are read', async () => {
    const folder = await folderOf('b10.png', 'b9.png', 'b8.png', 'b11.png');
    for (const [i, name] of ['b8.png', 'b9.png', 'b10.png', 'b11.png'].entries()) {
      const time = new Date(2025, 6, 24, 13, i);
      await utimes(join(folder, name), time, time);
    }
    const all = await replay(folder);
    expect(all.names).toEqual(['b8.png', 'b9.png', 'b10.png', 'b11.png']);
    expect(all.frames[1].taken).toEqual({
      local: '2025-07-24T13:01:00.000000',
      utc: `${new Date(2025, 6, 24, 13, 1).toISOString().slice(0, 19)}.000000Z`,
      source: 'mtime',
    });
    expect(all.total).toBe(4);
    const some = await replay(folder, { from: '2025-07-24T13:01', every: 2 });
    expect(some.names).toEqual(['b9.png', 'b11.png']);
    expect(some.total).toBeNull();
    expect((await replay(folder, { from: '2026-01-01' })).warnings).toEqual([
      expect.stringMatching(/no image was taken/),
    ]);
  });

  it('an image that vanishes while it waits is delivered, so that it becomes a failed entry', async () => {
    const folder = await folderOf(...Array.from({ length: 40 }, (_, i) => `x${i}.png`));
    // A fast disk may give all files one time, which is said too.
    for (let i = 0; i < 40; i++) await utimes(join(folder, `x${i}.png`), 1.75e9 + i, 1.75e9 + i);
    const notes: FolderNote[] = [];
    const clock = { now: () => 0, monotonic: () => 0 };
    const source = await openImageFolder({ folder }, { clock, note: note => notes.push(note) });
    const { signal } = new AbortController();
    await source.next(signal);
    await unlink(join(folder, 'x38.png'));
    await unlink(join(folder, 'x39.png'));
    const names: string[] = [];
    for (let frame = await source.next(signal); frame; frame = await source.next(signal))
      names.push((frame as ImportedFrame).filename);
    expect(names).toHaveLength(39);
    expect(notes.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual([
      expect.stringMatching(/x38\.png: its time can't be read \(ENOENT\); it is delivered/),
      '2 images in all whose time could not be read',
    ]);
  });

  it('next gives up with the signal, and can be asked again', async () => {
    const folder = await folderOf('a.png', 'b.png');
    const source = await openImageFolder({ folder }, { clock: { now: () => 0, monotonic: () => 0 }, note: () => {} });
    const reason = new Error('enough');
    await expect(source.next(AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const pending = source.next(abort.signal);
    abort.abort(reason);
    await expect(pending).rejects.toBe(reason);
    expect(await source.next(new AbortController().signal)).toMatchObject({ filename: 'a.png' });
    await source.close();
  });
});

describe('what is an image, and what is not', () => {
  it('takes regular files by their extension, counts the rest, and touches nothing', async () => {
    const folder = await folderOf(
      'a.PNG',
      'b.jpeg',
      'c.JPG',
      '.hidden.png',
      'd.png.tmp',
      'e.txt',
      'f.png.gz',
      'a.PNG.zst',
      'g.bmp',
    );
    await mkdir(join(folder, 'h.png'));
    await symlink('/etc/hostname', join(folder, 'i.png'));
    await mkdir(join(folder, '20250101'));
    const before = await stat(folder);
    const { names, notes } = await replay(folder);
    expect(names).toEqual(['a.PNG', 'b.jpeg', 'c.JPG', 'f.png.gz']);
    const text = notes.map(({ message }) => message).join('\n');
    expect(text).toMatch(/4 files there that are not taken as images \(2 hidden or unfinished\)/);
    expect(text).toMatch(/1 compressed images are there uncompressed too/);
    expect(text).toMatch(/2 links, folders or devices/);
    expect(text).toMatch(/20250101 are not looked into/);
    expect((await stat(folder)).mtimeMs).toBe(before.mtimeMs);
  });

  it('delivers names with line breaks, quotes and dots as they are, and those that are not UTF-8 with a warning', async () => {
    const odd = ['a"b.png', 'line\nbreak.png', '...png', '$(touch x).png', "c'd.png"].filter(name => name !== '...png');
    const folder = await folderOf(...odd);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/z`), Buffer.from([0xff, 0xfe]), Buffer.from('.png')]), '');
    const { names, warnings } = await replay(folder);
    expect(new Set(names)).toEqual(new Set([...odd, 'z\ufffd\ufffd.png']));
    expect(warnings.join('\n')).toMatch(/1 name is not UTF-8/);
    expect(warnings.join('\n')).toMatch(/z.*its time can't be read \(ENOENT\)/);
    expect(await readdir(folder)).toHaveLength(5);
  });
});

describe('folders that can not be replayed', () => {
  it('names what is wrong: missing, a file, without images, several positions', async () => {
    const folder = await folderOf('x.csv', 'y.bmp.zst');
    expect(await refusal(join(folder, 'nowhere'))).toMatchObject({
      code: 'not_found',
      message: `${join(folder, 'nowhere')}: no such folder`,
    });
    expect((await refusal(join(folder, 'x.csv'))).code).toBe('not_a_folder');
    const empty = await refusal(folder);
    expect(empty.code).toBe('no_images');
    expect(empty.message).toMatch(/found 2 other file/);
    for (const position of ['Pos0', 'Pos1']) {
      await mkdir(join(folder, position));
      await appendFile(join(folder, position, 'img_0.tif'), '');
    }
    const several = await refusal(folder);
    expect(several.code).toBe('several_positions');
    expect(several.message).toMatch(/"Pos0", "Pos1"/);
  });

  it('takes the images of an experiment that is named itself, wherever they are in it, and not its plots', async () => {
    const root = await folderOf();
    for (const path of ['results/plot.png', 'report.png', 'pictures/20250724/image_20250724_134513_569672_cam0.png']) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await appendFile(join(root, path), '');
    }
    await appendFile(join(root, 'pictures', 'metadata_manifest.json'), '[]');
    const { description } = await openImageFolder(
      { folder: root },
      { clock: { now: () => 0, monotonic: () => 0 }, note: () => undefined },
    );
    expect(description).toMatchObject({ folder: join(root, 'pictures'), images: 1 });
  });

  it('names the images first where an experiment has no manifest any more', async () => {
    const root = await folderOf();
    for (const path of ['results/plot.png', 'data/20250724/image_20250724_134513_569672_cam0.png']) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await appendFile(join(root, path), '');
    }
    expect((await refusal(root)).message).toMatch(/its folders "data", "results" have; .* as ".*\/data"/);
  });

  it('takes the position beside copies of old results, and never a plot of results for a frame', async () => {
    const root = await folderOf();
    for (const path of ['Pos0/img_0.tif', 'old/processed_data_plot.png', 'old/metadata_manifest.json']) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await appendFile(join(root, path), '');
    }
    const note = (): void => undefined;
    const { description } = await openImageFolder(
      { folder: root },
      { clock: { now: () => 0, monotonic: () => 0 }, note },
    );
    expect(description).toMatchObject({ folder: root, images: 1 });
    expect((await refusal(join(root, 'old'))).message).toMatch(/no PNG, JPEG or TIFF image here/);
  });

  it('names the folder two steps down that has images, in quotes, since it may be called "in"', async () => {
    const root = await folderOf();
    await mkdir(join(root, 'in/Pos0'), { recursive: true });
    await appendFile(join(root, 'in/Pos0/img_0.tif'), '');
    expect((await refusal(root)).message).toMatch(/its folder "in\/Pos0" has; replay that one, ".*\/in\/Pos0"/);
  });

  it.skipIf(process.getuid?.() === 0)('says when it may not be read (as an ordinary user)', async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0);
    expect((await refusal(folder)).code).toBe('no_permission');
    await chmod(folder, 0o700);
  });
});

describe('the frames of a folder by their numbers', () => {
  const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), monotonic: () => 0 };
  const { signal } = new AbortController();
  const opened = (folder: string, options: Omit<ImageFolderOptions, 'folder'> = {}) =>
    openImageFolder({ folder, ...options }, { clock, note: () => undefined });

  it('are gone through forth and back, with the recorded time up to each; a limit counts none twice', async () => {
    const names = ['13-45-00', '13-45-05', '13-46-00', '13-50-00'].map(time => `frame_2025-08-12_${time}.png`);
    const source = await opened(await folderOf(...names), { limit: 4 });
    const { recording } = source;
    expect([recording?.count, recording?.lengthMs]).toEqual([4, 300_000]);
    expect(recording?.timeOf(3)).toBe(Date.UTC(2025, 7, 12, 13, 46));
    const next = async () => {
      const frame = (await source.next(signal)) as ImportedFrame | null;
      return frame && [names.indexOf(frame.filename) + 1, frame.elapsedMs];
    };
    expect(await next()).toEqual([1, 0]);
    recording?.seek(4);
    expect(await next()).toEqual([4, 300_000]);
    recording?.seek(2);
    expect(await next()).toEqual([2, 5000]);
    expect(await next()).toEqual([3, 60_000]);
    expect(await next()).toEqual([4, 300_000]);
    expect(await next()).toBeNull();
    await source.close();
  });

  it('have their times only as they are read, where these are those of the files, before and after a seek', async () => {
    const folder = await folderOf('a.png', 'b.png', 'c.png');
    for (const [i, name] of ['a.png', 'b.png', 'c.png'].entries())
      await utimes(join(folder, name), new Date(), new Date(Date.UTC(2025, 7, 12, 13, i)));
    const source = await opened(folder);
    const { recording } = source;
    expect([recording?.count, recording?.lengthMs, recording?.timeOf(1)]).toEqual([3, null, null]);
    recording?.seek(3);
    expect(await source.next(signal)).toMatchObject({
      filename: 'c.png',
      taken: { utc: '2025-08-12T13:02:00.000000Z' },
    });
    recording?.seek(1);
    expect(await source.next(signal)).toMatchObject({
      filename: 'a.png',
      taken: { utc: '2025-08-12T13:00:00.000000Z' },
    });
    await source.close();
  });

  it('are not known where only reading tells which of them are wanted', async () => {
    const folder = await folderOf('a.png', 'b.png');
    for (const [i, name] of ['a.png', 'b.png'].entries())
      await utimes(join(folder, name), new Date(), new Date(Date.UTC(2025, 7, 12, 13, i)));
    const source = await opened(folder, { from: '2025-08-12' });
    expect(source.recording).toBeUndefined();
    await source.close();
  });
});
