import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { systemClock } from '../../src/model/clock.ts';
import type { Entry } from '../../src/model/entry.ts';
import { isSettled } from '../world/sampleManifest.ts';
import { timeOf } from '../world/timeOf.ts';

const program = fileURLToPath(new URL('./hammerProgram.ts', import.meta.url));

export interface Hammering {
  kills: number;
  acknowledged: number;
  /** Longest time from a process's start, once it is loaded, to its first acknowledged change, but for the waits for a core, ms. */
  slowestStartMs: number;
}

/** The processes that live now, and this one. */
const living = new Set([process.pid]);
const now = timeOf(() => living);

/** What all the processes were told counts. */
class Told {
  readonly added = new Set<string>();
  readonly claimed = new Set<string>();
  readonly processed = new Map<string, string>();
  readonly transmitted = new Set<string>();
  readonly errors: string[] = [];
  lines = 0;

  take(line: string): void {
    this.lines++;
    const [verb, id, ...rest] = line.split(' ');
    const detail = rest.join(' ');
    if (verb === 'added') this.added.add(id);
    else if (verb === 'transmitted') this.transmitted.add(id);
    else if (verb === 'processed') {
      if (this.processed.has(id)) this.errors.push(`${id} has two counting outcomes`);
      this.processed.set(id, detail);
    } else if (verb === 'claimed') {
      const attempt = `${id} ${detail}`;
      if (this.claimed.has(attempt)) this.errors.push(`attempt ${attempt} was claimed twice`);
      this.claimed.add(attempt);
    } else this.errors.push(line);
  }
}

/** Two processes on one manifest, killed (`kill -9`) at random moments of their work and started again, `kills` times in all. */
export async function hammer(kills: number): Promise<Hammering> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-hammer-'));
  const told = new Told();
  let left = kills;
  let slowestStartMs = 0;
  const writer = async (lane: string): Promise<void> => {
    for (let life = 0; left > 0; life++) {
      left--;
      slowestStartMs = Math.max(slowestStartMs, await liveAndDie(folder, `${lane}${life}`, told));
    }
  };
  try {
    await Promise.all([writer('a'), writer('b')]);
    expect(told.errors).toEqual([]);
    await mustHold(folder, told);
    return { kills, acknowledged: told.lines, slowestStartMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One life; resolves with the time to the first acknowledged change. */
async function liveAndDie(folder: string, name: string, told: Told): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [program, folder, name], { stdio: ['ignore', 'pipe', 'pipe'] });
  living.add(child.pid!);
  const exit = once(child, 'exit');
  let complaint = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  let loadedAt = Number.NaN;
  let startMs = Number.NaN;
  // Anywhere in a life: soon after its start, or after some compactions.
  let until = 1 + Math.floor(Math.random() ** 2 * 100);
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'loaded') {
      loadedAt = now();
      continue;
    }
    if (Number.isNaN(startMs)) startMs = now() - loadedAt;
    told.take(line);
    if (--until === 0) child.kill('SIGKILL');
  }
  const [code, signal] = await exit;
  living.delete(child.pid!);
  expect(signal, `${name} ended by itself with ${code}: ${complaint}`).toBe('SIGKILL');
  return startMs;
}

async function mustHold(folder: string, told: Told): Promise<void> {
  const file = join(folder, 'metadata_manifest.json');
  const manifest = await Manifest.open({
    file,
    files: nodeFiles,
    isSettled,
    note: () => undefined,
    exclusive: fileLock(file),
    liveEntries: 30,
    writer: 'judge',
    clock: systemClock,
    own: ownIdentity,
    liveness: livenessOf,
  });
  const found = new Map<string, Entry>();
  for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
  for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
  for (const id of told.added) expect(found.has(id), `${id} is lost`).toBe(true);
  for (const [id, outcome] of told.processed) expect(found.get(id)?.outcome, id).toBe(outcome);
  for (const id of told.transmitted) expect(found.get(id)?.data_transmitted, id).toBe(true);
  for (const stage of ['processor', 'communicator'] as const) {
    await manifest.release(manifest.orphans(stage), stage);
    const waiting = await manifest.claim(stage, 10_000);
    const outcome = stage === 'processor' ? { processing_status: 'processed' as const } : { data_transmitted: true };
    expect(await manifest.settle(waiting, stage, outcome)).toBe(waiting.length);
  }
  for (const entry of manifest.entries()) expect(isSettled(entry), `${entry.entry_id} is stuck`).toBe(true);
  await manifest.close({ compact: true });
}
