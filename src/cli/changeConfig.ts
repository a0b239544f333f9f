import { chmod, chown, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { changedKeys } from '../config/changedKeys.ts';
import { ConfigError } from '../config/configError.ts';
import type { ChosenConfigFile } from '../config/configFile.ts';
import { editToml, type TomlEdit } from '../config/editToml.ts';
import { exampleToml } from '../config/exampleToml.ts';
import { parseConfig } from '../config/parseConfig.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { loadText } from '../streams/configuration/configUpdates.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { explain } from './explain.ts';

/**
 * Changes keys of the configuration file and nothing else in it (see {@link editToml}). The file is read anew, so that what somebody has
 * saved meanwhile stays; the changed one takes its place at once, with its mode and owner, also behind a link. Where there is no file,
 * the shipped one is made, with the changes in it. A pipeline that runs takes the changes up as it does those of an editor.
 *
 * @param seen the text that the changes were made for, null for none; left out where what somebody has saved meanwhile may stay.
 * @returns what differs, a line each: `Camera.camera_exposure 150 → 0.02`; empty when all was so already.
 * @throws ExitError `usage` when the file, or the changed one, is no good configuration, or the file is not as it was seen: nothing is
 * written then.
 */
export async function changeConfig(
  chosen: ChosenConfigFile,
  edits: readonly TomlEdit[],
  { seen }: { seen?: string | null } = {},
): Promise<string[]> {
  const read = await readFileText(chosen.path);
  if (seen !== undefined && seen !== (read.kind === 'text' ? read.text : null)) {
    throw new ExitError(
      exitCodes.usage,
      `${chosen.shown} was changed meanwhile by somebody else: nothing was written. Look at the values as they are now, and write again`,
    );
  }
  const isNew = read.kind === 'missing' && !chosen.required;
  try {
    const before = isNew ? exampleToml() : loadText(read, chosen.shown).source.text;
    const after = editToml(before, edits);
    const lines = changedKeys(parseConfig(before, chosen.shown).config, parseConfig(after, chosen.shown).config);
    if (isNew || after !== before) await replaceText(chosen.path, after);
    return lines;
  } catch (error) {
    if (error instanceof ConfigError) throw new ExitError(exitCodes.usage, explain(error), { cause: error });
    throw error;
  }
}

async function replaceText(path: string, text: string): Promise<void> {
  await makeFolder(nodeFiles, dirname(path));
  const real = await realpath(path).catch(() => path);
  const old = await stat(real).catch(() => null);
  await writeAtomic(nodeFiles, real, text, old ? { mode: old.mode & 0o7777 } : {});
  if (!old) return;
  // The umask may have narrowed the mode; who is root gives the file back to its owner. A disk without owners has neither.
  await chown(real, old.uid, old.gid).catch(() => undefined);
  await chmod(real, old.mode & 0o7777).catch(() => undefined);
}
