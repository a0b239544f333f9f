import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownIdentity } from '../../src/files/processIdentity.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { command, endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

const notRunning = 3;

/**
 * The power fails, and the disk goes on in another Raspberry Pi: all that names a process in `flags/` is of another machine and another
 * boot. `status` and `stop` say that nothing runs; the start takes over, at once with `--take-over`, else after the silence.
 */
export const movedDisk: Fault = {
  name: 'moved_disk',
  weight: 1,
  wanted: [2, 20],
  round: async context => {
    const { random, tally } = context;
    const root = await context.folder();
    await writeConfig(root, experimentToml({ intervalSeconds: 0.1 }));
    const before = new Program(runWords(root), { cwd: root });
    await before.untilDone('communicator', 3 + Math.floor(random() * 10));
    before.signalGroup('SIGKILL');
    await before.ended;
    const flags = join(root, 'flags');
    await ofAnother(join(flags, 'stages.json'));
    await ofAnother(join(flags, 'pipeline_status.json'));
    const status = join(flags, 'status');
    for (const name of await readdir(status)) {
      await ofAnother(join(status, name));
      await rename(join(status, name), join(status, name.replace(ownIdentity.host, 'oldpi')));
    }
    for (const word of ['status', 'stop']) {
      const { code, stdout, stderr } = await command(root, word);
      if (code !== notRunning) tally.problem(`"${word}" of a moved disk ended with ${code}: ${stdout}${stderr}`);
    }
    const more = random() < 0.5 ? ['--take-over'] : [];
    const after = new Program(runWords(root, ...more), { cwd: root });
    await after.untilDone('communicator', 3);
    tally.count('moved_disk');
    const acknowledged = [...before.doneBy('collector'), ...after.doneBy('collector')];
    await endOfRun(root, acknowledged, [after], context);
  },
};

async function ofAnother(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const { boot_id, host } = ownIdentity;
  const moved = text
    .replaceAll(boot_id, '11111111-2222-3333-4444-555555555555')
    .replaceAll(new RegExp(`"host":( ?)"${host}"`, 'g'), '"host":$1"oldpi"');
  await writeFile(file, moved);
}
