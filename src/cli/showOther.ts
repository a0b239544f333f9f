import type { ConsoleEnd } from '../console/openConsole.ts';
import type { CommandContext } from './commandDefinition.ts';
import { hostConsole } from './hostConsole.ts';
import { loadPart } from './loadPart.ts';
import { loadSteered } from './loadSteered.ts';
import { openConsoleSources } from './openConsoleSources.ts';
import { readReplay } from './replayRecord.ts';
import { showConsole } from './showConsole.ts';

/**
 * The console on an experiment that other processes run, then on each that is chosen in it, until it is left. The experiment of this
 * process, where there is one, is never among those: when it is chosen, this resolves with it.
 * @param cameFrom the experiment that was shown before
 * @param own the experiment of this process
 */
export async function showOther(
  context: CommandContext,
  cameFrom: string | null,
  until: AbortSignal,
  own: string | null = null,
): Promise<ConsoleEnd> {
  const loaded = await loadSteered(context, () => undefined);
  const record = await readReplay(loaded.paths.root);
  const host = { ...hostConsole(context, loaded, null, record), cameFrom };
  const end = await showConsole(openConsoleSources(loaded, {}, loaded.trouble), host, until);
  if (end.reason !== 'attach' || end.attachTo === undefined || end.attachTo === own) return end;
  const { otherExperiment } = await loadPart(() => import('./otherExperiment.ts'));
  return showOther(await otherExperiment(context, end.attachTo), loaded.paths.root, until, own);
}
