import { utimesSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tiffBytes } from '../image/tiffBytes.ts';
import { conservation } from './conservation.ts';
import { experimentToml, writeConfig, writeOldManifest, writeRois } from './experiment.ts';
import { type Ended, phorest, phorestDone, temporaryRoot } from './phorest.ts';

const size = { width: 200, height: 100 };

/** Gray noise, the same each time. */
const pixels = (channels: 1 | 3): Buffer =>
  Buffer.from(Array.from({ length: size.width * size.height * channels }, (_, i) => 20 + ((i * 7919) % 41)));

const png = (channels: 1 | 3): Promise<Buffer> =>
  sharp(pixels(channels), { raw: { ...size, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();

/** A sound TIFF, but for its height and rows per strip: a hundred times what it holds. */
function lyingTiff(): Buffer {
  const bytes = Buffer.from(tiffBytes({ ...size, bits: 16 }));
  const directory = bytes.readUInt32LE(4);
  for (let at = directory + 2; at < bytes.length - 4; at += 12) {
    const tag = bytes.readUInt16LE(at);
    if (tag === 257 || tag === 278) bytes.writeUInt32LE(size.height * 100, at + 8);
  }
  return bytes;
}

const nameOf = (second: number, rest = '.png'): string =>
  `image_20250812_1345${String(second).padStart(2, '0')}_000000_cam0${rest}`;

interface Sample {
  name: string | Buffer;
  bytes: Uint8Array | string;
  /** What the one message must say; null for an image that must be processed. */
  says: RegExp | null;
}

async function samples(): Promise<Sample[]> {
  const good = await png(1);
  const one = await sharp(Buffer.of(5), { raw: { width: 1, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  return [
    { name: nameOf(0), bytes: good, says: null },
    { name: nameOf(1), bytes: good.subarray(0, good.length / 2), says: /not a readable image/ },
    { name: nameOf(2), bytes: '', says: /empty/ },
    { name: nameOf(3), bytes: 'this is text, not a picture\n'.repeat(20), says: /a file of text, and no image/ },
    { name: nameOf(4), bytes: await png(3), says: null },
    { name: nameOf(5), bytes: one, says: /ROI.*outside/ },
    { name: nameOf(6, ' with spaces.png'), bytes: good, says: null },
    { name: nameOf(7, `'single' "double".png`), bytes: good, says: null },
    { name: nameOf(8, '$(touch pwned)`touch pwned`;touch pwned.png'), bytes: good, says: null },
    { name: nameOf(9, '\nnew\u001b[31mline.png'), bytes: good, says: null },
    { name: nameOf(10, '\nnewline cut off.png'), bytes: good.subarray(0, 60), says: /not a readable image/ },
    { name: nameOf(11, '.tif'), bytes: lyingTiff(), says: /not a readable image/ },
    { name: nameOf(12, '.tif'), bytes: tiffBytes({ ...size, bits: 32, float: true }), says: /float/ },
    { name: nameOf(13, '.tif'), bytes: tiffBytes({ ...size, bits: 16, pages: 2 }), says: /2 pages/ },
    { name: nameOf(14, '.tif'), bytes: tiffBytes({ ...size, bits: 16 }), says: null },
  ];
}

/** So old that nobody can still be writing it: no test waits for it to rest. */
async function writeOld(folder: string, name: string | Buffer, bytes: Uint8Array | string): Promise<void> {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  await writeFile(path, bytes);
  const old = Date.now() / 1000 - 3600;
  await utimes(path, old, old);
}

const roiManifest = { ROI_a: { label: 'a', flip: false, coords: [10, 10], size: [20, 100] }, image_angle: 0 };

async function contentOf(folder: string): Promise<unknown[]> {
  const names = await readdir(folder, { encoding: 'buffer' });
  const contents = names.map(async name => {
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    return [name.toString('latin1'), (await stat(path)).mtimeMs, (await readFile(path)).toString('base64')];
  });
  return (await Promise.all(contents)).sort();
}

const allNames = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).map(({ name }) => name);

const totalsOf = ({ stdout }: Ended): Record<string, number> => JSON.parse(stdout.trimEnd());

it('alone in a folder: the replay ends, names neither table nor plot, and says where the reasons are', async () => {
  const folder = await temporaryRoot();
  const images = join(folder, 'images');
  await mkdir(images);
  await writeFile(join(folder, 'rois.json'), JSON.stringify(roiManifest));
  await writeOld(images, nameOf(0), 'this is text, not a picture');
  await writeOld(images, nameOf(1, '.tif'), tiffBytes({ ...size, bits: 16, pages: 2 }));
  const words = ['replay', images, '--rois', join(folder, 'rois.json'), '--out', join(folder, 'out')];
  const { code, stdout } = await phorestDone(words, { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 images in .* 2 failed\nresults .*\nno image could be analysed; the results say why\n$/);
});

it('of every kind in one folder: each bad image fails with one clear message, all others are processed', async () => {
  const folder = await temporaryRoot();
  const images = join(folder, 'images');
  await mkdir(images);
  await writeFile(join(folder, 'rois.json'), JSON.stringify(roiManifest));
  const all = await samples();
  for (const { name, bytes } of all) await writeOld(images, name, bytes);
  const odd = Buffer.concat([Buffer.from(nameOf(15, '_')), Buffer.of(0xff, 0xfe), Buffer.from('.png')]);
  await writeOld(images, odd, await png(1));
  const before = await contentOf(images);

  const words = ['replay', images, '--rois', join(folder, 'rois.json'), '--method', 'max_intensity', '--out'];
  const [told, counted] = await Promise.all([
    phorestDone([...words, join(folder, 'told')], { cwd: folder }),
    phorestDone([...words, join(folder, 'counted'), '--json', '--strict'], { cwd: folder }),
  ]);
  expect([told.code, told.stderr, counted.code, counted.stderr]).toEqual([0, '', 1, '']);
  expect(await contentOf(images)).toEqual(before);
  expect(await allNames(folder)).not.toContainEqual(expect.stringMatching(/^pwned/));

  const bad = all.filter(({ says }) => says !== null);
  expect(totalsOf(counted)).toMatchObject({
    frames: all.length + 1,
    failed: bad.length + 1,
    rois: 7,
    rows_fitted: 140,
  });
  for (const root of ['told', 'counted']) {
    const { problems, entries } = await conservation({ root: join(folder, root), acknowledged: [] });
    expect(problems).toEqual([]);
    expect(entries).toHaveLength(all.length + 1);
    for (const { name, says } of all) {
      const [entry, ...more] = entries.filter(({ camera_data: camera }) => camera!.filename === name);
      expect(more).toEqual([]);
      expect([name, entry?.processing_status]).toEqual([name, says ? 'failed' : 'processed']);
      if (says) expect(entry!.processing_error_msg).toMatch(says);
      if (says) expect(entry!.processing_error_msg).toContain(name);
      else expect(entry!.processing_error_msg).toBeNull();
    }
    const [undecodable] = entries.filter(({ camera_data: camera }) => camera!.filename.includes('\ufffd'));
    expect(undecodable).toMatchObject({ processing_status: 'failed' });
    expect(undecodable!.processing_error_msg).toContain(nameOf(15, '_\ufffd\ufffd.png'));
  }

  const lines = told.stdout.trimEnd().split('\n');
  expect(lines.filter(line => /\p{Cc}/u.test(line))).toEqual([]);
  // Every line is ours from its beginning: no name has broken one in two.
  expect(lines.filter(line => !/^(20\d\d-|info: |warning: |\d+ images in |results |table |plot )/.test(line))).toEqual(
    [],
  );
  const failures = lines.filter(line => line.includes('  warning  processor'));
  expect(failures).toHaveLength(bad.length + 1);
  for (const { name } of bad) {
    const shown = String(name).replaceAll('\n', ' ');
    expect(failures.filter(line => line.includes(shown))).toHaveLength(1);
  }
  expect(lines.filter(line => line.startsWith('warning: ') && line.includes('not UTF-8'))).toHaveLength(1);
});

it('that is young is given a second to become whole before it fails', async () => {
  const folder = await temporaryRoot();
  const images = join(folder, 'images');
  await mkdir(images);
  await writeFile(join(folder, 'rois.json'), JSON.stringify(roiManifest));
  await writeOld(images, nameOf(1), (await png(1)).subarray(0, 100));
  const words = ['replay', images, '--rois', join(folder, 'rois.json'), '--out', join(folder, 'out')];
  const program = phorest([...words, '--log-format', 'json']);
  // Young whenever the program comes to look at it, however slow the machine is to start.
  const touching = setInterval(() => utimesSync(join(images, nameOf(1)), Date.now() / 1000, Date.now() / 1000), 100);
  const running = await program.untilEvent(
    'running processor',
    ({ stage, state }) => stage === 'processor' && state === 'running',
  );
  clearInterval(touching);
  const failed = await program.untilEvent('failure', ({ kind }) => kind === 'failed');
  expect(Number(failed.at) - Number(running.at)).toBeGreaterThan(990);
  const { code, stderr } = await program.ended;
  expect([code, stderr]).toEqual([0, '']);
});

describe('an ROI manifest', () => {
  const roi = roiManifest.ROI_a;
  const { flip: _flip, ...flipless } = roi;

  async function replayWith(text: string | null, more: readonly string[] = []): Promise<Ended & { folder: string }> {
    const folder = await temporaryRoot();
    await mkdir(join(folder, 'images'));
    for (const second of [0, 1, 2]) await writeOld(join(folder, 'images'), nameOf(second), await png(1));
    if (text !== null) await writeFile(join(folder, 'rois.json'), text);
    const words = ['replay', join(folder, 'images'), '--rois', join(folder, 'rois.json'), ...more];
    return { ...(await phorestDone([...words, '--out', join(folder, 'out')])), folder };
  }

  const inOneLine = (text: string): string => {
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    return text;
  };

  it('that is broken or missing ends a replay with one message, before anything is made', async () => {
    const cases: [string | null, RegExp][] = [
      [null, /is not there/],
      ['{ "ROI_a": {', /not valid JSON/],
      [JSON.stringify({ ROI_a: roi }), /image_angle: missing/],
      [JSON.stringify({ ROI_a: flipless, image_angle: 0 }), /ROI_a: "flip" is missing/],
    ];
    const told = cases.map(async ([text, message]) => {
      const { code, stdout, stderr, folder } = await replayWith(text);
      expect([code, inOneLine(stderr)]).toEqual([2, expect.stringMatching(message)]);
      expect(stderr).toContain(join(folder, 'rois.json'));
      expect(
        stdout
          .trimEnd()
          .split('\n')
          .filter(line => !line.startsWith('info: ')),
      ).toEqual([]);
      expect((await readdir(folder)).sort()).toEqual(text === null ? ['images'] : ['images', 'rois.json']);
    });
    await Promise.all(told);
  });

  it('for images of another size ends it with one message and no failures, and the mended one goes on', async () => {
    const wide = JSON.stringify({ ...roiManifest, ROI_wide: { ...roi, label: 'wide', size: [20, 300] } });
    const { code, stdout, stderr, folder } = await replayWith(wide, ['--json', '--method', 'max_intensity']);
    expect([code, stdout, inOneLine(stderr)]).toEqual([2, '', expect.stringMatching(/ROI_manifest\.json|rois\.json/)]);
    expect(stderr).toMatch(/wide.*200×100.*another size/);
    const root = join(folder, 'out');
    const left = await conservation({ root, acknowledged: [], settled: false });
    expect(left.problems).toEqual([]);
    expect(left.entries.filter(entry => entry.processing_status !== 'pending')).toEqual([]);

    await writeFile(join(folder, 'rois.json'), JSON.stringify(roiManifest));
    const words = ['replay', join(folder, 'images'), '--rois', join(folder, 'rois.json'), '--json', '--out', root];
    const mended = await phorestDone(words);
    expect([mended.code, mended.stderr]).toEqual([0, '']);
    expect(totalsOf(mended)).toMatchObject({ frames: 3, failed: 0, rois: 3 });
    expect((await conservation({ root, acknowledged: [] })).problems).toEqual([]);
  });
});

describe('an old manifest of the Python system', () => {
  it('is worked on, whatever its images are called; a name that leads out of its folder is not read', async () => {
    const folder = await temporaryRoot();
    const root = join(folder, 'experiment');
    const data = join(root, 'data');
    await writeConfig(root, experimentToml({ camera: false }));
    const plain = ['a b.png', "it's.png", '$(touch pwned).png', 'new\nline.png', 'ümlaut.png', '-rf.png'];
    const hostile = ['../../secret.png', join(folder, 'secret.png'), '..', '/etc/passwd', ''];
    await writeOldManifest(root, [...plain, ...hostile], data);
    await writeRois(root, 1, [20, 100]);
    // What lies outside is as good as the others: had it been read it would have been processed.
    const good = await png(1);
    for (const path of [...plain.map(name => join(data, name)), join(folder, 'secret.png')])
      await writeFile(path, good);
    const program = phorest(['run', '--root', root, '--log-format', 'json'], { cwd: folder });
    const failed = (): number => program.events.filter(({ kind }) => kind === 'failed').length;
    await program.until('all failures', () => failed() === hostile.length);
    await program.untilDone('communicator', plain.length);
    expect((await program.stop()).code).toBe(0);
    expect(await allNames(folder)).not.toContain('pwned');
    const { problems, entries } = await conservation({ root, acknowledged: program.doneBy('processor') });
    expect(problems).toEqual([]);
    expect(entries.map(entry => entry.processing_status)).toEqual([
      ...plain.map(() => 'processed'),
      ...hostile.map(() => 'failed'),
    ]);
    for (const [i, entry] of entries.slice(plain.length).entries()) {
      expect(entry.processing_error_msg).toContain(JSON.stringify(hostile[i]));
      expect(entry.processing_error_msg).toMatch(/not a plain file name/);
    }
    expect(await readFile(join(folder, 'secret.png'))).toEqual(good);
  });
});
