import type { TomlEdit } from '../config/editToml.ts';
import { askPerson } from './askPerson.ts';
import { changeConfig } from './changeConfig.ts';
import type { CommandContext } from './commandDefinition.ts';
import type { OwnCamera } from './ownCamera.ts';

/**
 * Offers to write one key into the configuration: `write` does so without asking, on a terminal a person is asked, and elsewhere
 * nothing is written. Says what was done.
 */
export async function offerChange(
  { path, value }: TomlEdit,
  { chosen }: Pick<OwnCamera, 'chosen'>,
  { write }: { write?: true },
  { output }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const [section, key] = path;
  const question = `write ${key} = ${value} into ${chosen.shown}? [y/N] `;
  const isWanted = write || (output.isInteractive && /^y(es)?$/i.test((await askPerson(question, signal)) ?? ''));
  if (!isWanted) {
    output.line(`[${section}] ${key} = ${value} is not written; "--write" writes it into ${chosen.shown}`);
    return;
  }
  for (const line of await changeConfig(chosen, [{ path, value }])) output.line(`${chosen.shown}: ${line}`);
}
