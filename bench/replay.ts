import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeFrame } from '../src/analysis/decodeFrame.ts';
import { renderFrame } from '../src/streams/simulator/renderFrame.ts';
import { createScene } from '../src/streams/simulator/scene.ts';
import { simulatorOptions } from '../src/streams/simulator/simulatorOptions.ts';
import { simulatorRoiManifest } from '../src/streams/simulator/simulatorRoiManifest.ts';
import type { BenchRow } from './benchRow.ts';

const distinctFrames = 6;
const frames = 48;
const replayProgram = fileURLToPath(new URL('./replayProgram.ts', import.meta.url));

/** What `replayProgram.ts` prints. */
interface ReplayTotals {
  frames: number;
  failed: number;
  seconds: number;
  peakBytes: number;
}

/**
 * `replay.small`: images a second of `phorest replay` on 1920 × 1460 TIFF of 16 bits with 80 ROIs, from its start to its
 * end, last plot included, against decoding the same files and nothing else, as many at a time as there are cores.
 * `memory.peak`: the largest resident memory of that replay, against one decoded frame.
 */
export async function replayBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-bench-'));
  try {
    const rois = join(folder, 'ROI_manifest.json');
    const files = await makeImages(join(folder, 'images'), rois);
    const { rate: decoding, frameBytes } = await decodeAll(files);
    const totals = await replay(join(folder, 'images'), rois, join(folder, 'out'));
    if (totals.frames !== frames || totals.failed !== 0) throw new Error(`the replay gave ${JSON.stringify(totals)}`);
    const rate = totals.frames / totals.seconds;
    return [
      {
        name: 'replay.small',
        value: rate,
        unit: 'frames/s',
        against: 'decoding the same files alone',
        ratio: rate / decoding,
      },
      {
        name: 'memory.peak',
        value: totals.peakBytes / 2 ** 20,
        unit: 'MiB',
        against: 'one decoded frame',
        ratio: totals.peakBytes / frameBytes,
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeImages(folder: string, roiManifest: string): Promise<string[]> {
  await mkdir(folder);
  const scene = createScene(simulatorOptions('microscope'));
  await writeFile(roiManifest, simulatorRoiManifest(scene.layout));
  const files: string[] = [];
  for (let i = 0; i < frames; i++) {
    const file = join(folder, `image_20250812_1345${String(i).padStart(2, '0')}_000000_cam0.tif`);
    if (i < distinctFrames) {
      const { width, height, data } = renderFrame(scene, i * 60_000).pixels;
      await sharp(data, { raw: { width, height, channels: 1 } })
        .toColourspace('grey16')
        .tiff({ compression: 'deflate', predictor: 'horizontal' })
        .toFile(file);
    } else await copyFile(files[i % distinctFrames] as string, file);
    files.push(file);
  }
  return files;
}

async function decodeAll(files: readonly string[]): Promise<{ rate: number; frameBytes: number }> {
  let frameBytes = 0;
  let next = 0;
  const decodeOneAfterAnother = async (): Promise<void> => {
    while (next < files.length) frameBytes = (await decodeFrame(files[next++] as string)).data.byteLength;
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: availableParallelism() }, decodeOneAfterAnother));
  return { rate: files.length / ((performance.now() - begun) / 1000), frameBytes };
}

function replay(folder: string, rois: string, out: string): Promise<ReplayTotals> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [replayProgram, folder, rois, out], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.on('data', (data: Buffer) => (printed += data));
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(JSON.parse(printed) as ReplayTotals);
      else reject(new Error(`the replay ended with ${code}`));
    });
  });
}
