import { existsSync } from 'node:fs';
import type { CommandContext } from './commandDefinition.ts';
import { readRegistry } from './experimentRegistry.ts';

/** The context of a command for another experiment: with the configuration that it was started with, from where it was started. */
export async function otherExperiment(context: CommandContext, root: string): Promise<CommandContext> {
  const entry = (await readRegistry(context.environment)).find(each => each.root === root);
  const config = entry && existsSync(entry.config_file) ? entry.config_file : undefined;
  const cwd = entry && existsSync(entry.cwd) ? entry.cwd : context.cwd;
  return { ...context, root, config, cwd };
}
