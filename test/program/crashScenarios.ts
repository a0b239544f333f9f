import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Conservation, conservation } from './conservation.ts';
import { type CrashLoopResult, crashLoop, seededRandom, untilSettled } from './crashLoop.ts';
import { experimentToml, picture, writeConfig, writeRois } from './experiment.ts';
import { temporaryRoot } from './phorest.ts';

/**
 * A pipeline must be at work again so long after its start, ms. Five seconds are promised; a machine whose cores other
 * tests take needs longer. A lock that nobody would break before it is stale shows all the same.
 */
const aliveAgainMs = 10_000;

/** What a scenario came to, for the log of a long run. */
export interface CrashReport {
  kills: number;
  entries: number;
  spareLines: number;
  outOfOrder: number;
  imagesWithoutEntry: number;
  temporaryFiles: readonly string[];
  slowestStartMs: number;
  moments: Record<string, number>;
}

/** The simulated camera at a short interval, killed over and over; one process, or the stages apart and the processor twice. */
export async function killedCamera(kills: number, seed: number, processes: 'one' | 'three'): Promise<CrashReport> {
  const root = await temporaryRoot();
  await writeConfig(root, experimentToml({ intervalSeconds: 0.05 }));
  const run = ['--root', root, 'run', '--log-format', 'json'];
  const slots =
    processes === 'one'
      ? [run]
      : [[...run, '--stages', 'collector,communicator'], ...Array(2).fill([...run, '--stages', 'processor'])];
  const loop = await crashLoop({ root, slots, kills, random: seededRandom(seed) });
  await writeConfig(root, experimentToml({ camera: false }));
  await loop.programs[0]!.untilEvent('collector off', event => event.stage === 'collector' && event.state === 'off');
  await untilSettled(root);
  for (const program of loop.programs) {
    await program.untilEvent('running stage', event => event.state === 'running');
    expect((await program.stop()).code).toBe(0);
  }
  return report(kills, loop, await conservation({ root, acknowledged: loop.acknowledged }));
}

/** The replay of a folder, killed over and over, and started again with the same command. */
export async function killedReplay(kills: number, seed: number, images: number): Promise<CrashReport> {
  const root = await temporaryRoot();
  const folder = join(root, 'images');
  await mkdir(folder);
  await writeRois(root, 3, [20, 100]);
  const frame = await picture(200, 100);
  const names = Array.from({ length: images }, (_, i) => {
    const time = new Date(Date.UTC(2025, 6, 24, 12, 0, i)).toISOString();
    return `image_${time.slice(0, 10).replaceAll('-', '')}_${time.slice(11, 19).replaceAll(':', '')}_000000_cam0.png`;
  });
  for (const name of names) await writeFile(join(folder, name), frame);
  const out = join(root, 'out');
  const rois = join(root, 'generated_files', 'ROI_manifest.json');
  const words = ['replay', folder, '--rois', rois, '--method', 'gaussian', '--out', out, '--log-format', 'json'];
  const loop = await crashLoop({ root, slots: [words], kills, random: seededRandom(seed) });
  expect((await loop.programs[0]!.ended).code).toBe(0);
  const checked = await conservation({ root: out, acknowledged: loop.acknowledged });
  expect(checked.entries.map(entry => entry.camera_data!.filename)).toEqual(names);
  expect(await readdir(folder)).toEqual(names);
  for (const name of names) expect(frame.equals(await readFile(join(folder, name)))).toBe(true);
  return report(kills, loop, checked);
}

function report(kills: number, loop: CrashLoopResult, checked: Conservation): CrashReport {
  expect(checked.problems).toEqual([]);
  const slowestStartMs = Math.max(...loop.firstDoneMs);
  expect(slowestStartMs).toBeLessThan(aliveAgainMs);
  return {
    kills,
    entries: checked.entries.length,
    spareLines: checked.spareLines,
    outOfOrder: checked.outOfOrder,
    imagesWithoutEntry: checked.imagesWithoutEntry.length,
    temporaryFiles: checked.temporaryFiles,
    slowestStartMs: Math.round(slowestStartMs),
    moments: loop.moments,
  };
}
