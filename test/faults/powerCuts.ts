import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Fault, FaultContext } from './fault.ts';
import { GuestMachine, guestTools, vfatImage } from './guestMachine.ts';

const diskBytes = 300 * 2 ** 20;
const bootMs = 120_000;
const checkMs = 300_000;

const config = `[Camera]
camera_type = "simulated"
[Services]
enable_camera = true
enable_image_compression = true
enable_file_backup = true
enable_remote_sync = true
[Timing]
collector_interval_seconds = 0.7
compress_interval_seconds = 3
file_backup_interval_seconds = 10
sync_interval_seconds = 2
[Buffer]
live_entries = 20
[Paths]
root_dir = "/run/disk/experiment"
remote_root_dir = "/run/disk/share"
`;

/**
 * The real program on a real vfat, in a machine of its own whose power is cut: every other time vfat's own fsck runs before the next start.
 * What was told as collected is there and not empty, the pipeline starts by itself, `verify --deep` finds nothing then, and the kernel
 * found no damage (it makes the whole disk read-only then).
 */
export const powerCuts: Fault = {
  name: 'power_cuts',
  weight: 2,
  wanted: [2, 60],
  round: cutOnce,
};

async function cutOnce(context: FaultContext): Promise<void> {
  const { random, tally } = context;
  const tools = await guestTools();
  const folder = await context.folder();
  const image = join(folder, 'disk.img');
  await vfatImage(tools, image, diskBytes);
  const file = join(folder, 'config.toml');
  await writeFile(file, config);
  const fsck = (tally.counts.power_cuts ?? 0) % 2 === 1;
  const where = `after a power cut on vfat${fsck ? ', with fsck' : ''}`;
  const boot = (task: 'run' | 'check'): GuestMachine =>
    new GuestMachine({ tools, image, config: file, task, fsck: fsck && task === 'check' });

  const running = boot('run');
  try {
    await running.until('a first result', line => line.includes('"kind":"done"'), bootMs);
    await wait(10_000 + random() * 25_000);
  } finally {
    await running.cut();
  }
  const acknowledged = new Set(running.lines.filter(isCollected).flatMap(line => stemsIn(line)));

  const checking = boot('check');
  try {
    await checking.until('the end of the check', line => line.startsWith('@@ end'), checkMs);
  } finally {
    await checking.cut();
  }
  const told = (word: string): string[] =>
    checking.lines.filter(line => line.startsWith(`@@ ${word} `)).map(line => line.slice(word.length + 4).trim());
  const images = told('image').map(line => line.split(' ') as [size: string, name: string]);
  const there = new Set(images.filter(([size]) => size !== '0').flatMap(([, name]) => stemsIn(name)));
  for (const [size, name] of images) if (size === '0') tally.problem(`${name} is empty ${where}`);
  for (const stem of acknowledged) if (!there.has(stem)) tally.problem(`${stem} is gone ${where}`);
  const again = told('again')[0];
  // 124: it ran until it was stopped.
  if (again !== '0' && again !== '124') tally.problem(`the pipeline did not start ${where}: exit code ${again}`);
  if (told('after')[0] !== '0')
    tally.problem(`verify --deep ends with ${told('after')[0]} ${where}: ${checking.lines.slice(-12).join(' | ')}`);
  for (const complaint of told('driver')) tally.problem(`the kernel found the disk damaged ${where}: ${complaint}`);
  if (acknowledged.size === 0) throw new Error('no image was collected before the power was cut');
  tally.count('power_cuts');
}

const isCollected = (line: string): boolean => line.includes('"kind":"done"') && line.includes('"stage":"collector"');

/** Names of images without what compression adds. */
const stemsIn = (text: string): string[] => text.match(/image_[0-9_]+_cam\w+/g) ?? [];
