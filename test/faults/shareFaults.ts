import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { promisify } from 'node:util';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { type EventLine, Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import { type Fault, type FaultContext, Unavailable } from './fault.ts';
import { type Watched, withoutMissing } from './missedFrames.ts';

const execute = promisify(execFile);

const intervalMs = 500;
/** A share misbehaves for so long after it was noticed, ms: the share of a frame that waited for it would be late. */
const noticedMs = 3_000;
/** Images that stay on this machine; fewer than are taken while the share is away, so that nothing may be removed then. */
const keep = 6;
const diskBytes = 16 << 20;

/** What a share fault works on. */
interface Scene {
  share: string;
  program: Program;
  context: FaultContext;
  /** Images that the syncer says to have copied. */
  copied: () => number;
  /** Resolves when the syncer has told of trouble with this code, later than event number `from`. */
  alarm: (code: string, from: number) => Promise<unknown>;
}

interface ShareFault {
  name: string;
  /** Images that stay here; what a share loses on purpose must still be here. */
  keep?: number;
  prepare?: (share: string) => Promise<() => Promise<unknown>>;
  /** Lets it happen, and mends it. */
  misbehave: (scene: Scene) => Promise<void>;
}

/**
 * A share that misbehaves while a camera goes on at its pace: no frame is missed, nothing that is not copied is removed, and
 * afterwards everything is copied.
 */
function shareFault(fault: ShareFault): Fault {
  const { name } = fault;
  return {
    name,
    weight: 1,
    wanted: [1, 20],
    round: context => withoutMissing(name, context.tally, () => misbehaveOnce(fault, context)),
  };
}

async function misbehaveOnce(
  { name, keep: kept = keep, prepare, misbehave }: ShareFault,
  context: FaultContext,
): Promise<Watched> {
  const root = await context.folder();
  const share = join(await context.folder(), 'share');
  const storage: StorageOptions = { share, keep: kept, deadlineSeconds: 1 };
  const undo = await prepare?.(share);
  try {
    await writeConfig(root, experimentToml({ intervalSeconds: intervalMs / 1000, storage }));
    const program = new Program(runWords(root), { cwd: root });
    const copied = (): number => program.doneBy('syncer').length;
    const isAlarm = (code: string) => (event: EventLine) =>
      event.kind === 'alarm' && event.stage === 'syncer' && event.key === code;
    const alarm = (code: string, from: number): Promise<unknown> =>
      program.untilEvent(`alarm ${code} of the syncer`, isAlarm(code), from);
    await program.until('first copies', () => copied() >= 3);
    const from = { event: program.events.length, taken: program.doneBy('collector').length };
    await misbehave({ share, program, context, copied, alarm });
    context.tally.count(name);
    const before = copied();
    await program.until('copies afterwards', () => copied() > before);
    const events = program.events.slice(from.event);
    const taken = new Set(program.doneBy('collector').slice(from.taken));
    const { entries } = await endOfRun(root, program.doneBy('collector'), [program], context, { storage });
    return { entries: entries.filter(({ entry_id: id }) => taken.has(id)), events, intervalMs };
  } finally {
    await undo?.();
  }
}

/** Takes a share away, to be brought back. */
const away = (share: string): string => `${share}.away`;

export const shareVanishes = shareFault({
  name: 'share_vanishes',
  misbehave: async ({ share, program, context, alarm }) => {
    const from = program.events.length;
    await rename(share, away(share));
    await alarm('ESHARENOTMOUNTED', from);
    await pass(noticedMs);
    await rename(away(share), share).catch((error: Error) =>
      context.tally.problem(`something was written where the share had been: ${error.message}`),
    );
  },
});

export const shareUnmounted = shareFault({
  name: 'share_unmounted',
  misbehave: async ({ share, program, context, alarm }) => {
    const from = program.events.length;
    await rename(share, away(share));
    await mkdir(share);
    await alarm('ESHARENOTMOUNTED', from);
    await pass(noticedMs);
    const written = await readdir(share);
    if (written.length > 0) context.tally.problem(`into the empty mount point were written: ${written.join(', ')}`);
    await rm(share, { recursive: true });
    await rename(away(share), share);
  },
});

export const shareStale = shareFault({
  name: 'share_stale',
  keep: 0,
  misbehave: async ({ share, program, copied }) => {
    const old = `${share}.old`;
    await cp(share, old, { recursive: true, preserveTimestamps: true });
    const then = copied();
    await program.until('copies that the old share lacks', () => copied() >= then + 4);
    await rename(share, away(share));
    await rename(old, share);
    const from = program.events.length;
    const isTold = (event: EventLine): boolean => event.kind === 'note' && /share had lost/.test(String(event.message));
    await program.untilEvent('note that the share had lost images', isTold, from);
    await rm(away(share), { recursive: true });
  },
});

export const shareHangs = shareFault({
  name: 'share_hangs',
  misbehave: async ({ program, alarm }) => {
    const from = program.events.length;
    const stopped = new Set<number>();
    const stopAll = async (): Promise<void> => {
      for (const pid of await shareChildren(program.pid)) {
        if (stopped.has(pid)) continue;
        stopped.add(pid);
        process.kill(pid, 'SIGSTOP');
      }
    };
    // One after the other, as they are started anew.
    const until = async (isOver: () => boolean): Promise<void> => {
      while (!isOver()) {
        await stopAll();
        await pass(20);
      }
    };
    let isNoticed = false;
    const noticed = alarm('ESHAREHUNG', from).finally(() => {
      isNoticed = true;
    });
    await Promise.all([noticed, until(() => isNoticed)]);
    const end = performance.now() + noticedMs;
    await until(() => performance.now() > end);
    for (const pid of stopped) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch (error) {
        // It was given up, and ended.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  },
});

export const fullShare = shareFault({
  name: 'enospc_share',
  prepare: async share => {
    await mkdir(share);
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', share]).catch((error: Error) => {
      throw new Unavailable(`a disk of memory can't be mounted: ${error.message.trim()}`);
    });
    return () => execute('umount', ['-l', share]);
  },
  misbehave: async ({ share, program, context, alarm }) => {
    const from = program.events.length;
    const filler = join(share, 'filler.bin');
    const { bavail, bsize } = await statfs(share);
    const leave = Math.floor(context.random() * (256 << 10));
    await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error;
    });
    await alarm('ENOSPC', from);
    await pass(noticedMs);
    await rm(filler);
  },
});

/** Processes of a program that touch its share. */
async function shareChildren(parent: number): Promise<number[]> {
  const children: number[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const owner = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (owner !== parent) continue;
    const words = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (words.includes('shareChild')) children.push(Number(name));
  }
  return children;
}
