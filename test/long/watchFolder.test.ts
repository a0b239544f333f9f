import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { conservation } from '../program/conservation.ts';
import { crashLoop, seededRandom, untilSettled } from '../program/crashLoop.ts';
import { picture, writeConfig, writeRois } from '../program/experiment.ts';
import { temporaryRoot } from '../program/phorest.ts';
import { type EventLine, Program } from '../program/program.ts';
import { watchedFolder } from '../world/watchedFolder.ts';

const nameOf = (number: number): string => `img_${String(number).padStart(5, '0')}.png`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

it.each([
  ['chokidar, then the folder’s own events', {}],
  ['listing alone, as on a share', { distant: true }],
])(
  '2,000 images that another process saves slowly, by rename and in bursts: each once, whole, in order, by %s',
  async (_, way) => {
    const { root, open, take, writer, notes } = await watchedFolder();
    const mountInfo = () => `1 0 0:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:2 / ${root} rw - cifs //server/share rw`;
    const distant = { mountInfo, lookEveryMs: 500 };
    const source = await open({ settle_seconds: 1, patience_seconds: 60, ...('distant' in way && { deps: distant }) });
    // Pauses that are longer than an image must rest.
    await writer(numbers(2_000), nameOf, '1200', '4', '2');
    const taken = await take(source, 2_000);
    expect(taken).toEqual(numbers(2_000).map(number => [nameOf(number), number]));
    expect(source.arrivals!.has()).toBe(false);
    expect(notes).toEqual([]);
  },
);

it('2,000 images while the real program is killed again and again: each is an entry once, was read whole, and is as it was saved', async () => {
  const root = await temporaryRoot();
  const folder = join(root, 'incoming');
  const saved = join(root, 'of the writer');
  await mkdir(folder);
  await mkdir(saved);
  const frame = await picture(200, 100);
  for (const number of numbers(2_000)) await writeFile(join(saved, nameOf(number)), frame);
  await writeRois(root, 3, [20, 100]);
  await writeConfig(
    root,
    '[Services]\nenable_camera = true\n[Camera]\ncamera_type = "watch_folder"\n[Watch_Folder]\nsettle_seconds = 0.3\n[Data_Analysis]\nworkers = 1\n[Retries]\ncollector_retry_delay_seconds = 1\n[Buffer]\nlive_entries = 200\n',
  );
  await writeFile(join(folder, 'before.png'), frame);
  const words = ['--root', root, 'run', '--log-format', 'json'];
  const first = new Program(words, { cwd: root });
  await first.untilEvent('what was there before', ({ message }) => String(message).includes('there before'));
  expect((await first.stop()).code).toBe(0);

  const script = join(import.meta.dirname, '../world/imageWriter.mjs');
  const writing = spawn(process.execPath, [script, saved, folder, '100', '4', '25', 'stamp'], { stdio: 'inherit' });
  onTestFinished(() => void writing.kill('SIGKILL'));
  const written = new Promise(resolve => writing.once('exit', resolve));
  const loop = await crashLoop({ root, slots: [words], kills: 12, random: seededRandom(1), maxLines: 200 });
  expect(await written).toBe(0);
  const isLast = ({ stage, detail }: EventLine): boolean =>
    stage === 'collector' && (detail as { image?: string } | undefined)?.image === nameOf(2_000);
  await loop.programs[0]!.untilEvent('the last image', isLast);
  await untilSettled(root);
  expect((await loop.programs[0]!.stop()).code).toBe(0);

  const { problems, entries } = await conservation({ root, acknowledged: loop.acknowledged });
  expect(problems).toEqual([]);
  const names = entries.map(({ camera_data: camera }) => camera!.filename);
  expect([...names].sort()).toEqual(numbers(2_000).map(nameOf));
  expect(entries.map(({ processing_status: status }) => status)).toEqual(names.map(() => 'processed'));
  expect(entries.every(({ camera_data: camera }) => camera!.original && camera!.filepath === folder)).toBe(true);
  expect(await readdir(folder)).toHaveLength(2_001);
  for (const name of names) expect(frame.equals(await readFile(join(folder, name)))).toBe(true);
});
