import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { type EventLine, Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import { type Fault, Unavailable } from './fault.ts';

const execute = promisify(execFile);

const diskBytes = 24 << 20;
/** What is left free when the disk is filled, at most. */
const maxLeftBytes = 512 << 10;

/** A small disk of memory that runs full while the pipeline writes to it, and gets room again. */
function fullDisk(name: string, place: 'data' | 'results'): Fault {
  return {
    name,
    weight: 1,
    wanted: [2, 20],
    round: async context => {
      const { random, tally } = context;
      const root = await context.folder();
      const folder = join(root, place);
      await mkdir(folder);
      await execute('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder]).catch((error: Error) => {
        throw new Unavailable(`a disk of memory can't be mounted: ${error.message.trim()}`);
      });
      try {
        const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 20 };
        await writeConfig(root, experimentToml({ intervalSeconds: 0.2, storage }));
        const program = new Program(runWords(root), { cwd: root });
        await program.untilDone('communicator', 2);
        const filler = join(folder, 'filler.bin');
        await fill(folder, filler, Math.floor(random() * maxLeftBytes));
        // Whichever comes first: a write that fails, or the collector that leaves the rest to the others.
        const full = (event: EventLine): boolean =>
          event.kind === 'alarm' && (event.key === 'ENOSPC' || event.key === 'no_room');
        await program.untilEvent('alarm of a full disk', full);
        tally.count(name);
        await rm(filler);
        const before = program.events.length;
        await program.untilEvent(
          'image reported after there was room again',
          event => event.kind === 'done' && event.stage === 'communicator',
          before,
        );
        await endOfRun(root, program.doneBy('collector'), [program], context, { storage });
      } finally {
        await execute('umount', ['-l', folder]);
      }
    },
  };
}

/** Fills a disk but for so many bytes; the pipeline may be faster, and take them before. */
async function fill(folder: string, filler: string, leave: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave))).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error;
  });
}

export const fullDataDisk = fullDisk('enospc_data', 'data');
export const fullResultsDisk = fullDisk('enospc_results', 'results');
