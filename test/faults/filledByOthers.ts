import { execFile } from 'node:child_process';
import { appendFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { command, endOfRun, runWords } from './endOfRun.ts';
import { type Fault, Unavailable } from './fault.ts';

const execute = promisify(execFile);

const diskBytes = 60 << 20;
const images = 40;
/** Images that stay once the ring buffer may remove the others. */
const keep = 10;

/**
 * Others fill the disk to the last byte on which the whole experiment is, with its log and what the process in the background prints: it
 * lives on, and the commands work. Killed, it starts again on the disk that is still full, and its ring buffer makes room.
 */
export const filledByOthers: Fault = {
  name: 'filled_by_others',
  weight: 1,
  wanted: [1, 10],
  round: async context => {
    const { tally } = context;
    const root = await context.folder();
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', root]).catch((error: Error) => {
      throw new Unavailable(`a disk of memory can't be mounted: ${error.message.trim()}`);
    });
    try {
      const filler = join(root, 'filler.bin');
      const must = async (what: string, ...words: readonly string[]): Promise<void> => {
        const { code, stdout, stderr } = await command(root, ...words);
        if (code !== 0) tally.problem(`${what}: "${words.join(' ')}" ended with ${code}: ${stdout}${stderr}`);
      };
      const toml = experimentToml({ intervalSeconds: 0.1 });
      await writeConfig(root, toml);
      // Written before it is full: nobody but the ring buffer makes room.
      const keepFew = join(root, 'configs', 'keep_few.toml');
      await writeFile(keepFew, `${toml}\n[Buffer]\nimage_buffer_size = ${keep}\n`);
      const first = new Program(runWords(root), { cwd: root });
      await first.untilDone('communicator', images);
      await first.stop();
      await must('a start', 'start');
      await fill(root, filler);
      for (const words of [['pause', 'compressor'], ['resume', 'compressor'], ['status'], ['verify']])
        await must('on a full disk', ...words);
      await fill(root, filler);
      await must('a process whose stderr is a file on a full disk', 'status');
      await must('on a full disk', 'stop', '--now');
      const again = new Program(['--config', keepFew, ...runWords(root)], { cwd: root });
      await again.untilEvent('removed image', ({ kind, stage }) => kind === 'done' && stage === 'ring_buffer');
      tally.count('filled_by_others');
      await again.stop();
      await rm(filler);
      const last = new Program(runWords(root), { cwd: root });
      await endOfRun(root, first.doneBy('collector'), [last], context);
    } finally {
      await execute('umount', ['-l', root]);
    }
  },
};

/** Until there is no byte left; the pipeline writes too. */
async function fill(folder: string, filler: string): Promise<void> {
  for (;;) {
    const { bavail, bsize } = await statfs(folder);
    if (bavail === 0) return;
    await appendFile(filler, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error;
    });
  }
}
