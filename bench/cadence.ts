import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Entry } from '../src/model/entry.ts';
import type { BenchRow } from './benchRow.ts';

const program = fileURLToPath(new URL('./cadenceProgram.ts', import.meta.url));
const frames = 1000;
const intervalMs = 100;
/** Of the interval, that the camera needs for a frame. */
const exposedShare = 0.9;
/** A timer may end so much before its time. */
const earlyMs = 2;
/** Left out: the engine compiles. */
const warmUp = 200;

/**
 * How regular the frames are of a camera that needs 0.9 of the interval, over 1,000 frames, while the program analyses each one and copies it
 * to a share (a local folder).
 *
 * - `cadence.drift`: how much later the last 100 frames were triggered than the first 100, against the schedule.
 * - `cadence.jitter`: how late the latest of a hundred frames was triggered (99th percentile), against the schedule; `cadence.jitter.typical`: the median.
 * - `cadence.missed`: intervals without a frame, of a thousand.
 */
export async function cadenceBench(): Promise<BenchRow[]> {
  const root = await mkdtemp(join(tmpdir(), 'phorest-bench-'));
  try {
    const lateness = latenessOf(await run(root));
    const sorted = lateness.late.toSorted((a, b) => a - b);
    const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;
    const row = (name: string, value: number): BenchRow => ({
      name: `cadence.${name}`,
      value,
      unit: 'ms',
      against: `the interval, ${intervalMs} ms`,
      ratio: value / intervalMs,
    });
    return [
      row('drift', mean(lateness.late.slice(-100)) - mean(lateness.late.slice(0, 100))),
      row('jitter', quantile(0.99)),
      row('jitter.typical', quantile(0.5)),
      {
        name: 'cadence.missed',
        value: lateness.missed,
        unit: 'frames',
        against: 'all',
        ratio: lateness.missed / frames,
      },
    ];
  } finally {
    await rm(root, { recursive: true, maxRetries: 10, retryDelay: 50 });
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Runs the program until it has taken all frames. @returns when each was triggered, ms since 1970 */
async function run(root: string): Promise<number[]> {
  const share = join(root, 'share');
  const config = join(root, 'config.toml');
  await mkdir(share);
  await writeFile(
    config,
    [
      `[Paths]\nroot_dir = "${join(root, 'lab')}"\nremote_root_dir = "${share}"`,
      '[Services]\nenable_camera = true\nenable_remote_sync = true',
      `[Timing]\ncollector_interval_seconds = ${intervalMs / 1000}`,
      '[Camera]\ncamera_type = "simulated"',
    ].join('\n'),
  );
  const child = spawn(process.execPath, [program, '--config', config, 'run', '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CADENCE_EXPOSE_MS: String(exposedShare * intervalMs) },
  });
  const ended = once(child, 'exit');
  let taken = 0;
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('"collector"') && line.includes('"kind":"done"') && ++taken === frames + warmUp)
      child.kill('SIGTERM');
  }
  await ended;
  const entries = JSON.parse(await readFile(join(root, 'lab', 'data', 'metadata_manifest.json'), 'utf8')) as Entry[];
  return entries.slice(warmUp, warmUp + frames).map(({ timestamp_utc: utc }) => preciseTime(utc as string));
}

/** ms since 1970, with the microseconds. */
const preciseTime = (utc: string): number => Date.parse(`${utc.slice(0, 23)}Z`) + Number(utc.slice(23, 26)) / 1000;

/** How late each frame was, and how many intervals had none. Frames that come in time show where the intervals begin. */
function latenessOf(times: readonly number[]): { late: number[]; missed: number } {
  const first = times[0] as number;
  const phase = (time: number): number => (((time - first) % intervalMs) + intervalMs) % intervalMs;
  const bins = new Float64Array(intervalMs);
  for (const time of times) bins[Math.floor(phase(time))]!++;
  const origin = first + bins.indexOf(Math.max(...bins)) - earlyMs;
  const numbers = times.map(time => Math.floor((time - origin) / intervalMs));
  const late = times.map((time, i) => Math.max(0, time - origin - earlyMs - (numbers[i] as number) * intervalMs));
  return { late, missed: (numbers.at(-1) as number) - (numbers[0] as number) + 1 - times.length };
}
