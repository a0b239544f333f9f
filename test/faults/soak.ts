import { spawn } from 'node:child_process';
import { link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { picture, writeRois } from '../program/experiment.ts';
import { inspectRoot } from '../program/inspectRoot.ts';
import { launcher } from '../program/program.ts';
import type { Fault } from './fault.ts';

/** Frames between two looks at the process. */
const framesALook = 25;
/** A difference of the tenths that is a leak, once a run is long enough to tell. */
const mostGrowth = 1.1;
const framesToTell = 3_000;

/** One look at the process after so many frames. */
interface Look {
  frames: number;
  /** Since the start, ms. */
  at: number;
  residentMb: number;
  openFiles: number;
}

/**
 * Small frames through all stages as fast as they go: memory, open files and time a frame in the last tenth against the
 * first tenth that is warm (the second of all).
 */
export const soak: Fault = {
  name: 'soak_frames',
  weight: 4,
  wanted: [3_000, 100_000],
  round: async ({ folder: newFolder, tally, wanted, say }) => {
    const folder = await newFolder();
    const images = join(folder, 'images');
    await mkdir(images);
    await writeRois(folder, 3, [10, 50]);
    const one = join(folder, 'one.png');
    await writeFile(one, await picture(80, 60));
    const begin = Date.UTC(2025, 6, 24);
    for (let i = 0; i < wanted; i++) {
      const name = new Date(begin + i * 1000).toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '_');
      await link(one, join(images, `image_${name}_000000_cam0.png`));
    }
    const out = join(folder, 'out');
    const rois = join(folder, 'generated_files', 'ROI_manifest.json');
    const words = ['replay', images, '--rois', rois, '--method', 'gaussian', '--out', out, '--log-format', 'json'];
    const looks = await replay(words, folder);
    tally.count('soak_frames', looks.frames);
    if (looks.code !== 0) tally.problem(`the soak ended with ${looks.code}: ${looks.stderr}`);
    if (looks.frames !== wanted)
      tally.problem(`${wanted - looks.frames} of ${wanted} soaked frames were lost: not reported`);
    const findings = await inspectRoot(out);
    for (const { kind, file, message } of findings) tally.problem(`after the soak: ${kind} ${file} ${message}`);
    const figures = compare(looks.looks);
    tally.figures.soak = { frames: looks.frames, frames_per_second: looks.perSecond, ...figures };
    say(`soak: ${JSON.stringify(tally.figures.soak)}`);
    if (wanted < framesToTell || figures === null) return;
    for (const [what, ratio] of Object.entries(figures.last_to_first)) {
      if (ratio > mostGrowth) tally.problem(`the soak's ${what} grew to ${ratio} times that of its beginning`);
    }
  },
};

/** Runs a replay, and looks at its process as its frames are reported. */
async function replay(words: readonly string[], cwd: string) {
  const child = spawn(process.execPath, [launcher, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const begun = performance.now();
  const looks: Look[] = [];
  let frames = 0;
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  let firstAt = 0;
  let lastAt = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('"stage":"communicator"') || !line.includes('"kind":"done"')) continue;
    frames++;
    lastAt = performance.now();
    firstAt ||= lastAt;
    if (frames % framesALook !== 0) continue;
    const look = await lookAt(child.pid!, frames, performance.now() - begun);
    if (look) looks.push(look);
  }
  const code = await ended;
  const perSecond = Number(((frames - 1) / ((lastAt - firstAt) / 1000)).toFixed(1));
  return { code, stderr, frames, looks, perSecond };
}

const pageBytes = 4096;

/** Null where the system does not tell, or the process has just ended. */
async function lookAt(pid: number, frames: number, at: number): Promise<Look | null> {
  try {
    const statm = await readFile(`/proc/${pid}/statm`, 'utf8');
    const openFiles = (await readdir(`/proc/${pid}/fd`)).length;
    return { frames, at, residentMb: (Number(statm.split(' ')[1]) * pageBytes) / 2 ** 20, openFiles };
  } catch {
    return null;
  }
}

function compare(looks: readonly Look[]) {
  const tenth = Math.floor(looks.length / 10);
  if (tenth < 1) return null;
  const first = looks.slice(tenth, 2 * tenth + 1);
  const last = looks.slice(-tenth - 1);
  const mean = (part: readonly Look[], value: (look: Look) => number): number =>
    part.reduce((sum, look) => sum + value(look), 0) / part.length;
  const msAFrame = (part: readonly Look[]): number =>
    (part.at(-1)!.at - part[0]!.at) / (part.at(-1)!.frames - part[0]!.frames);
  const figures = (part: readonly Look[]) => ({
    resident_mb: round(mean(part, look => look.residentMb)),
    open_files: round(mean(part, look => look.openFiles)),
    ms_a_frame: round(msAFrame(part)),
  });
  const [before, after] = [figures(first), figures(last)];
  return {
    first_tenth: before,
    last_tenth: after,
    last_to_first: {
      resident_mb: round(after.resident_mb / before.resident_mb),
      open_files: round(after.open_files / before.open_files),
      ms_a_frame: round(after.ms_a_frame / before.ms_a_frame),
    },
  };
}

const round = (value: number): number => Number(value.toFixed(3));
