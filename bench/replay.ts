import { spawn } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeFrame } from '../src/image/decodeFrame.ts';
import { encodePng } from '../src/image/encodeImage.ts';
import type { Pixels } from '../src/model/frame.ts';
import { renderFrame } from '../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../src/streams/cameras/simulated/simulatedCamera.ts';
import { type SimulatorPreset, simulatorOptions } from '../src/streams/cameras/simulated/simulatorOptions.ts';
import type { BenchRow } from './benchRow.ts';

const replayProgram = fileURLToPath(new URL('./replayProgram.ts', import.meta.url));
/** As `bin/phorest.js` has it. */
const compileCache = fileURLToPath(new URL('../node_modules/.cache/phorest', import.meta.url));

/** What `replayProgram.ts` prints. */
interface ReplayTotals {
  frames: number;
  failed: number;
  /** Frames a second, once the engine has compiled what it needs. */
  rate: number;
  /** From the start of the process to its end. */
  wholeRate: number;
  peakBytes: number;
}

/** Images of one kind, as users have them. */
interface Kind {
  name: string;
  preset: SimulatorPreset;
  frames: number;
  /** Drawn; the others are links to these. */
  distinct: number;
  ending: 'tif' | 'png';
}

const kinds: readonly Kind[] = [
  { name: 'small', preset: 'microscope', frames: 144, distinct: 6, ending: 'tif' },
  { name: 'large', preset: 'large', frames: 6, distinct: 1, ending: 'png' },
];

/**
 * `replay.small`: images a second of `phorest replay` on 1920 × 1460 TIFF of 16 bits with 80 ROIs, while it runs (the first third
 * is left out: the engine is still compiling), against decoding the same files by sharp and nothing else, as many at a time as
 * there are cores. `replay.small.own`: against decoding them by our own reader, one after another, since it blocks its thread.
 * `replay.small.whole`: from the start of the program to its end, last plot included. `replay.large`: the same for 9152 × 6944 PNG
 * of 8 bits with 644 ROIs. `memory.peak` and `memory.peak.large`: the largest resident memory of these replays, against one
 * decoded frame.
 */
export async function replayBench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const kind of kinds) rows.push(...(await measure(kind)));
  return rows;
}

async function measure({ name, ...kind }: Kind): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-bench-'));
  try {
    const rois = join(folder, 'ROI_manifest.json');
    const files = await makeImages(join(folder, 'images'), rois, kind);
    let frameBytes = 0;
    const own = await rateOf(files, async file => {
      frameBytes = (await decodeFrame(file)).data.byteLength;
    });
    const before = await rateOf(files, decodeBySharp);
    const totals = await replay(join(folder, 'images'), rois, join(folder, 'out'));
    if (totals.frames !== files.length || totals.failed !== 0) {
      throw new Error(`the replay of ${files.length} images gave ${JSON.stringify(totals)}`);
    }
    // Before and after: the machine's speed changes from second to second.
    const bySharp = 2 / (1 / before + 1 / (await rateOf(files, decodeBySharp)));
    const row = (suffix: string, rate: number, reader: string, decoding: number): BenchRow => ({
      name: `replay.${name}${suffix}`,
      value: rate,
      unit: 'frames/s',
      against: `decoding the same files alone, by ${reader}`,
      ratio: rate / decoding,
    });
    return [
      row('', totals.rate, 'sharp, on all cores', bySharp),
      row('.own', totals.rate, 'our own reader, on one core', own),
      row('.whole', totals.wholeRate, 'sharp, on all cores', bySharp),
      {
        name: name === 'small' ? 'memory.peak' : `memory.peak.${name}`,
        value: totals.peakBytes / 2 ** 20,
        unit: 'MiB',
        against: 'one decoded frame',
        ratio: totals.peakBytes / frameBytes,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, maxRetries: 10, retryDelay: 50 });
  }
}

async function makeImages(
  folder: string,
  roiManifest: string,
  { preset, frames, distinct, ending }: Omit<Kind, 'name'>,
): Promise<string[]> {
  await mkdir(folder);
  const scene = createScene(simulatorOptions(preset));
  await writeFile(roiManifest, simulatorRoiManifest(scene.layout));
  const files: string[] = [];
  for (let i = 0; i < frames; i++) {
    const minute = String(Math.floor(i / 60)).padStart(2, '0');
    const second = String(i % 60).padStart(2, '0');
    const file = join(folder, `image_20250812_13${minute}${second}_000000_cam0.${ending}`);
    if (i < distinct) {
      const { pixels } = renderFrame(scene, i * 60_000);
      await writeFile(file, await (ending === 'png' ? encodePng(pixels) : microscopeTiff(pixels)));
    } else await link(files[i % distinct] as string, file);
    files.push(file);
  }
  return files;
}

/** As Micro-Manager writes them. */
function microscopeTiff({ width, height, data }: Pixels): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .tiff({ compression: 'deflate', predictor: 'horizontal' })
    .toBuffer();
}

/** Files a second, as many at a time as there are cores, if `decode` leaves this thread. */
async function rateOf(files: readonly string[], decode: (file: string) => Promise<void>): Promise<number> {
  let next = 0;
  const decodeOneAfterAnother = async (): Promise<void> => {
    while (next < files.length) await decode(files[next++] as string);
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: availableParallelism() }, decodeOneAfterAnother));
  return files.length / ((performance.now() - begun) / 1000);
}

async function decodeBySharp(file: string): Promise<void> {
  const image = sharp(file);
  const isDeep = (await image.metadata()).depth === 'ushort';
  await (isDeep ? image.toColourspace('grey16').raw({ depth: 'ushort' }) : image.toColourspace('b-w').raw()).toBuffer();
}

function replay(folder: string, rois: string, out: string): Promise<ReplayTotals> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [replayProgram, folder, rois, out], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
    let printed = '';
    child.stdout.on('data', (data: Buffer) => (printed += data));
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(JSON.parse(printed) as ReplayTotals);
      else reject(new Error(`the replay ended with ${code}`));
    });
  });
}
