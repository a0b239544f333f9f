import { resolve } from 'node:path';
import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** `forget`: takes experiments off the list of `ls`. Nothing of the experiments themselves is touched. */
export const forget: CommandDefinition<{ gone?: true }> = {
  usage: 'forget [folder...]',
  summary: 'take experiments off the list of "phorest ls"; their folders stay as they are',
  examples: ['forget /data/run7', 'forget --gone'],
  declare: command =>
    command.option('--gone', 'all whose folders are not there now, which those on unplugged disks are not either'),
  run: async ({ cwd, environment, output }, folders, { gone }) => {
    const [{ forgetExperiment }, { listExperiments }] = await Promise.all([
      import('./experimentRegistry.ts'),
      import('./listExperiments.ts'),
    ]);
    const lost = gone ? (await listExperiments({ environment })).filter(({ state }) => state === 'gone') : [];
    const roots = [...folders.map(folder => resolve(cwd, folder)), ...lost.map(({ root }) => root)];
    if (roots.length === 0 && !gone) throw new ExitError(exitCodes.usage, 'name the folders to forget, or --gone');
    for (const root of roots) {
      if (!(await forgetExperiment(environment, root)))
        throw new ExitError(exitCodes.failed, `${root} is not on the list; "phorest ls" shows what is`);
      output.line(`forgotten: ${root}`);
    }
    const running =
      folders.length > 0 ? (await listExperiments({ environment })).filter(({ state }) => state === 'running') : [];
    for (const { root } of running)
      if (roots.includes(root)) output.line(`${root} runs: it is listed as long as it does`);
    if (roots.length === 0) output.line('no folder of the list is gone');
    return exitCodes.done;
  },
};
