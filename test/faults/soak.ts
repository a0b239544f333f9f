import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isSettled } from '../../src/manifest/isSettled.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import { untouchedEntry } from '../../src/manifest/untouchedEntry.ts';
import type { WorkRules } from '../../src/manifest/workRules.ts';
import type { Entry } from '../../src/model/entry.ts';
import { untilSettled } from '../program/crashLoop.ts';
import { experimentToml, rawPicture, type StorageOptions, writeConfig, writeRois } from '../program/experiment.ts';
import { launcher } from '../program/program.ts';
import { SampleRoot } from '../verify/sampleRoot.ts';
import { checkRoot, patienceMs, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Frames between two looks at the process. */
const framesALook = 25;
/**
 * The last tenth against the first, at most. In a long run a tenth is ten thousand frames, and a difference of 10 % is growth. In a
 * short one the worker threads' heaps are still finding their size, and another program on the machine makes one tenth dearer than
 * another: there only what would never fit in a long run counts. Frames that kept 20 kB each would be seen.
 */
const maxGrowth = {
  long: { resident_mb: 1.1, open_files: 1.1, cpu_ms_a_frame: 1.1 },
  short: { resident_mb: 1.25, open_files: 1.25, cpu_ms_a_frame: 1.6 },
};
const framesToTell = 3_000;
const longFrames = 50_000;
/** Frames on their way at a time, and offered in one go. */
const window = 240;
const batch = 40;
const keep = 100;

/** One look at the process after so many frames. */
interface Look {
  frames: number;
  /** Since the start, ms. */
  at: number;
  /** Processor time of the process until now, ms. */
  cpuMs: number;
  /** What stayed in memory after the last collection of garbage. */
  residentMb: number;
  openFiles: number;
}

/**
 * Small frames through all stages as fast as they go: analysed, reported, compressed, copied to a share, removed here, their entries
 * moved to the backup. Memory, open files and time a frame in the last tenth against the first tenth that is warm (the second of
 * all). A frame counts when its copy stands on the share. This process stands in for the camera: it offers more whenever there is
 * room.
 */
export const soak: Fault = {
  name: 'soak_frames',
  weight: 4,
  wanted: [3_000, 100_000],
  round: async context => {
    const { tally, wanted, say } = context;
    const root = await context.folder();
    const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep };
    await writeConfig(root, experimentToml({ camera: false, method: 'gaussian', storage }));
    await writeRois(root, 3, [10, 50]);
    await mkdir(join(root, 'data'));
    const rules: WorkRules = { compression: true, sync: true };
    const manifest = await SampleRoot.at(root).manifest(1_000_000, {
      isSettled: (entry: Entry) => isSettled(entry, rules),
      rules: () => rules,
    });
    const ids: string[] = [];
    const run = await soaked(root, storage, feeder(root, manifest, wanted, ids)).finally(() =>
      manifest.close({ compact: false }),
    );
    tally.count('soak_frames', run.frames);
    if (run.code !== 0) tally.problem(`the soak ended with ${run.code}: ${run.stderr}`);
    if (run.frames !== wanted)
      tally.problem(`${wanted - run.frames} of ${wanted} soaked frames were not copied: stuck`);
    await checkRoot(root, ids, tally, storage);
    const figures = compare(run.looks);
    tally.figures.soak = { frames: run.frames, frames_per_second: run.perSecond, ...figures };
    say(`soak: ${JSON.stringify(tally.figures.soak)}`);
    if (wanted < framesToTell || figures === null) return;
    const most = wanted < longFrames ? maxGrowth.short : maxGrowth.long;
    for (const what of ['resident_mb', 'open_files', 'cpu_ms_a_frame'] as const) {
      const ratio = figures.last_to_first[what];
      if (ratio > most[what]) tally.problem(`the soak's ${what} grew to ${ratio} times that of its beginning`);
    }
  },
};

/** Offers the next frames; resolves with how many were offered in all. */
type Feed = () => Promise<number>;

function feeder(root: string, manifest: Manifest, wanted: number, ids: string[]): Feed {
  const day = join(root, 'data', '20250724');
  const begin = Date.UTC(2025, 6, 24);
  const image = rawPicture(80, 60);
  const made = mkdir(day, { recursive: true });
  return async () => {
    await made;
    const entries: Entry[] = [];
    for (let i = ids.length; i < wanted && entries.length < batch; i++) {
      const time = new Date(begin + i * 1000).toISOString().slice(0, 19);
      const filename = `image_${time.replaceAll(/[-:]/g, '').replace('T', '_')}_000000_cam0.tiff`;
      await writeFile(join(day, filename), await image);
      entries.push({
        ...untouchedEntry,
        entry_id: `soaked-${String(i).padStart(7, '0')}`,
        entry_timestamp_iso: time,
        camera_data: {
          type: 'image',
          filename,
          filepath: day,
          timestamp_iso: `${time}.000000`,
          camera_index: 0,
          error_flag: false,
          error_message: null,
          original: false,
        },
        timestamp_utc: `${time}Z`,
        timestamp_source: 'camera',
      });
    }
    if (entries.length > 0) await manifest.offer(entries);
    ids.push(...entries.map(entry => entry.entry_id));
    return ids.length;
  };
}

/** Runs a pipeline until all that is offered is copied and settled, and looks at its process meanwhile. */
async function soaked(root: string, storage: StorageOptions, feed: Feed) {
  const memoryFile = join(root, 'resident_bytes');
  const child = spawn(process.execPath, [launcher, ...runWords(root)], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: `--import=${collectedMemory}`, PHOREST_TEST_MEMORY: memoryFile },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const begun = performance.now();
  const looks: Look[] = [];
  let frames = 0;
  let offered = 0;
  let isLast = false;
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  let firstAt = 0;
  let lastAt = 0;
  const more = async (): Promise<void> => {
    while (!isLast && offered < frames + window) {
      const before = offered;
      offered = await feed();
      isLast = offered === before;
    }
  };
  await more();
  let finishing: Promise<unknown> = Promise.resolve();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('"stage":"syncer"') || !line.includes('"kind":"done"') || !line.includes('"soaked-')) continue;
    frames++;
    lastAt = performance.now();
    firstAt ||= lastAt;
    if (frames % framesALook === 0) {
      const look = await lookAt(child.pid!, memoryFile, frames, performance.now() - begun);
      if (look) looks.push(look);
    }
    if (offered < frames + window - batch) await more();
    if (isLast && frames === offered) {
      finishing = untilSettled(root, storage, patienceMs)
        .catch((error: Error) => {
          stderr += error.message;
        })
        .finally(() => child.kill('SIGINT'));
    }
  }
  await finishing;
  const code = await ended;
  const perSecond = Number(((frames - 1) / ((lastAt - firstAt) / 1000)).toFixed(1));
  return { code, stderr, frames, looks, perSecond };
}

const collectedMemory = new URL('./collectedMemory.ts', import.meta.url).href;
/** Processor time is told in ticks of so many ms. */
const tickMs = 10;

/** Null where the system does not tell, or the process has only begun or just ended. */
async function lookAt(pid: number, memoryFile: string, frames: number, at: number): Promise<Look | null> {
  try {
    const residentMb = Number(await readFile(memoryFile, 'utf8')) / 2 ** 20;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
    const openFiles = (await readdir(`/proc/${pid}/fd`)).length;
    return residentMb > 0 ? { frames, at, cpuMs, residentMb, openFiles } : null;
  } catch {
    return null;
  }
}

function compare(looks: readonly Look[]) {
  const tenth = Math.floor(looks.length / 10);
  if (tenth < 1) return null;
  const first = looks.slice(tenth, 2 * tenth + 1);
  const last = looks.slice(-tenth - 1);
  /** What is always there lifts the low values too; what comes and goes does not. */
  const lowQuarter = (part: readonly Look[], value: (look: Look) => number): number =>
    part.map(value).sort((a, b) => a - b)[Math.floor(part.length / 4)]!;
  const aFrame = (part: readonly Look[], value: (look: Look) => number): number =>
    (value(part.at(-1)!) - value(part[0]!)) / (part.at(-1)!.frames - part[0]!.frames);
  const figures = (part: readonly Look[]) => ({
    resident_mb: round(lowQuarter(part, look => look.residentMb)),
    open_files: round(lowQuarter(part, look => look.openFiles)),
    ms_a_frame: round(aFrame(part, look => look.at)),
    cpu_ms_a_frame: round(aFrame(part, look => look.cpuMs)),
  });
  const [before, after] = [figures(first), figures(last)];
  const tenths = Array.from({ length: 10 }, (_, i) => looks.slice(i * tenth, (i + 1) * tenth));
  return {
    resident_mb_by_tenth: tenths.map(part => Math.round(lowQuarter(part, look => look.residentMb))),
    first_tenth: before,
    last_tenth: after,
    last_to_first: {
      resident_mb: round(after.resident_mb / before.resident_mb),
      open_files: round(after.open_files / before.open_files),
      ms_a_frame: round(after.ms_a_frame / before.ms_a_frame),
      cpu_ms_a_frame: round(after.cpu_ms_a_frame / before.cpu_ms_a_frame),
    },
  };
}

const round = (value: number): number => Number(value.toFixed(3));
