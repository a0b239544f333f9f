import { experimentCells, experimentHeads } from '../model/experimentCells.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { listExperiments } from './listExperiments.ts';
import { textTable } from './textTable.ts';

/** Prints the experiments of this machine. */
export async function showExperiments(
  { environment, output }: CommandContext,
  { json }: { json?: true },
): Promise<number> {
  const experiments = await listExperiments({ environment });
  if (json) {
    output.json(JSON.stringify(experiments, null, 2));
    return exitCodes.done;
  }
  if (experiments.length === 0) {
    output.line('no experiment has run on this machine yet, as far as this user knows');
    return exitCodes.done;
  }
  const now = Date.now();
  const rows = experiments.map(each => [...experimentCells(each, now), each.root]);
  const heads = [...experimentHeads, 'folder'];
  for (const line of textTable([heads, ...rows], heads.length)) output.line(line);
  if (experiments.some(({ state }) => state === 'gone'))
    output.line(
      'gone: the folder was removed, or its disk is not plugged in; "phorest forget FOLDER" takes it off the list',
    );
  return exitCodes.done;
}
