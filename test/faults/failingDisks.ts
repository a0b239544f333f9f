import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { type EventLine, Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { FailingFiles } from './failingFiles.ts';
import type { Fault } from './fault.ts';

const codes = ['EIO', 'EROFS'] as const;

/**
 * A disk that gives errors, and one that has become read-only, by injection: that of the data, of the results, the share. All
 * stages run; there is an alarm, and they are well again by themselves when the disk is.
 */
export const failingDisks: Fault = {
  name: 'eio_erofs',
  weight: 2,
  wanted: [6, 60],
  round: async context => {
    const { random, tally } = context;
    const root = await context.folder();
    const share = join(await context.folder(), 'share');
    const storage: StorageOptions = { share, keep: 12 };
    const file = join(root, 'failing_files');
    const set = async (fault: FailingFiles | null): Promise<void> => {
      await writeFile(`${file}.new`, fault ? JSON.stringify(fault) : '');
      await rename(`${file}.new`, file);
    };
    await set(null);
    const preload = new URL('./failingFiles.ts', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${preload}`, PHOREST_TEST_ERRORS: file };
    await writeConfig(root, experimentToml({ intervalSeconds: 0.2, storage }));
    const program = new Program(runWords(root), { cwd: root, env });
    const goOn = async (): Promise<void> => {
      for (const stage of ['communicator', 'syncer']) await program.untilDone(stage, program.doneBy(stage).length + 3);
    };
    await goOn();
    for (const folder of [join(root, 'data'), join(root, 'results'), share]) {
      for (const code of codes) {
        // At another moment of the work each time.
        const lines = program.lines.length + Math.floor(random() * 24);
        await program.until(`line ${lines}`, () => program.lines.length >= lines);
        const from = program.events.length;
        await set({ folder, code });
        const isTold = ({ kind, key, stage }: EventLine): boolean =>
          kind === 'alarm' && key === code && (folder !== share || stage === 'syncer');
        await program.untilEvent(`alarm ${code} of ${folder}`, isTold, from);
        await set(null);
        await goOn();
        tally.count('eio_erofs');
      }
    }
    await endOfRun(root, program.doneBy('collector'), [program], context, { storage, env });
  },
};
