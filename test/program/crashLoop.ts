import { existsSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { nodeFiles } from '../../src/files/files.ts';
import { archiveFolder, readArchive } from '../../src/manifest/archive.ts';
import type { Entry } from '../../src/model/entry.ts';
import { liveEntries } from './conservation.ts';
import type { StorageOptions } from './experiment.ts';
import { Program } from './program.ts';

export interface CrashLoopOptions {
  root: string;
  /** Command lines of the programs that run side by side; each kill hits one of them, which is then started again. */
  slots: readonly (readonly string[])[];
  kills: number;
  /** From 0 to 1. */
  random: () => number;
  /** Lines that a program may print before it is killed, at most. */
  maxLines?: number;
}

export interface CrashLoopResult {
  /** Still running, or ended by themselves. */
  programs: Program[];
  /** Ids of all entries that any of them said to have recorded. */
  acknowledged: Set<string>;
  /** Kills by the last thing that the program had said. */
  moments: Record<string, number>;
  /** Time from each start to the first image that was done, where it lived so long, ms. */
  firstDoneMs: number[];
}

/** More than any run has. */
const maxSpare = 1e9;
/** Exit code of what was killed. */
const killed = 137;
/** After them, ms until the kill, at most. */
const maxPauseMs = 25;

/**
 * Kills running programs with SIGKILL, each time at another moment: after so many lines and a pause drawn at random, so
 * that it hits start-up, recovery and every step of the work.
 */
export async function crashLoop({
  root,
  slots,
  kills,
  random,
  maxLines = 24,
}: CrashLoopOptions): Promise<CrashLoopResult> {
  const acknowledged = new Set<string>();
  const moments: Record<string, number> = {};
  const firstDoneMs: number[] = [];
  const start = (words: readonly string[]): Program => new Program(words, { cwd: root });
  const programs = slots.map(start);

  const take = (program: Program): void => {
    for (const id of program.doneBy('collector')) acknowledged.add(id);
    const first = program.firstDoneAt;
    if (first !== null) firstDoneMs.push(first - program.started);
  };

  for (let kill = 0; kill < kills; kill++) {
    const slot = Math.floor(random() * slots.length);
    const victim = programs[slot]!;
    const lines = victim.lines.length + Math.floor(random() * maxLines);
    await Promise.race([victim.until(`line ${lines}`, () => victim.lines.length >= lines), victim.ended]);
    await pass(random() * maxPauseMs);
    victim.signal('SIGKILL');
    const { code, stderr } = await victim.ended;
    if (code !== 0 && code !== killed) throw new Error(`phorest ended by itself with ${code}: ${stderr}`);
    const last = victim.events.at(-1);
    const moment = last ? `${last.stage ?? ''} ${String(last.state ?? last.kind)}`.trim() : 'start';
    moments[moment] = (moments[moment] ?? 0) + 1;
    take(victim);
    programs[slot] = start(slots[slot]!);
  }
  return {
    programs,
    get acknowledged() {
      for (const program of programs) for (const id of program.doneBy('collector')) acknowledged.add(id);
      return acknowledged;
    },
    moments,
    get firstDoneMs() {
      return [
        ...firstDoneMs,
        ...programs.flatMap(({ firstDoneAt, started }) => (firstDoneAt === null ? [] : [firstDoneAt - started])),
      ];
    },
  };
}

/**
 * Resolves when no entry waits or is in flight any more; looks whenever the manifest's files change. Rejects when none was
 * finished for so long, ms.
 */
export function untilSettled(root: string, storage?: StorageOptions, patienceMs = 60_000): Promise<void> {
  const data = join(root, 'data');
  const file = join(data, 'metadata_manifest.json');
  const archive = archiveFolder(file);
  return new Promise((resolve, reject) => {
    let looking = false;
    let again = false;
    let waiting = '';
    let left = Number.POSITIVE_INFINITY;
    const end = (act: () => void): void => {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
      act();
    };
    const look = async (): Promise<void> => {
      again = true;
      if (looking) return;
      looking = true;
      while (again) {
        again = false;
        try {
          const before = await stat(file);
          const live = await liveEntries(file);
          // What was copied of archived entries stands in the archive's folder, once there is one.
          if (watchers.length === 1 && existsSync(archive)) watchers.push(watch(archive, () => void look()));
          let open = live.filter(entry => !isSettled(entry, storage !== undefined));
          let spare = 0;
          if (storage && open.length === 0) {
            const all = await allEntries(file, live);
            open = all.filter(entry => !isSettled(entry, true));
            if (storage.keep > 0) spare = Math.max(0, all.filter(hasImage).length - storage.keep);
          }
          // A compaction in between may have taken a journal away: then it is no state that ever was.
          if ((await stat(file)).ino !== before.ino) again = true;
          else if (open.length + spare === 0) end(resolve);
          waiting = `${open.length} entries, ${spare} images too many; ${JSON.stringify(open[0], null, 1)}`;
          // Images too many are counted only when no live entry is left to wait for.
          const rest = open.length > 0 ? maxSpare + open.length : spare;
          if (rest < left) timer.refresh();
          left = Math.min(left, rest);
        } catch {
          // Being replaced just now: what replaces it is another change.
        }
      }
      looking = false;
    };
    const watchers = [watch(data, () => void look())];
    const timer = setTimeout(() => end(() => reject(new Error(`not settled in time: ${waiting}`))), patienceMs);
    void look();
  });
}

function isSettled(entry: Entry, isStored: boolean): boolean {
  const { processing_status: status, data_transmitted: told, claims, camera_data: camera, image_local: local } = entry;
  const isAnalysed = status === 'failed' || (status === 'processed' && told);
  const isKept = !isStored || camera === null || local === false || (entry.compression_attempted && entry.image_synced);
  return Object.keys(claims).length === 0 && isAnalysed && isKept;
}

/** The live entries, and the archived ones: some of these may still wait for their copy on the share. */
async function allEntries(file: string, live: readonly Entry[]): Promise<Entry[]> {
  const known = new Map<string, Entry>();
  for await (const entry of readArchive(nodeFiles, file)) known.set(entry.entry_id, entry);
  for (const entry of live) known.set(entry.entry_id, entry);
  return [...known.values()];
}

/** Whether its image is on this machine. One that a kill has left without an entry is nobody's to remove. */
const hasImage = ({ camera_data: camera, image_local: local }: Entry): boolean => camera !== null && local !== false;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
