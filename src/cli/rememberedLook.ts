import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type LookChoice, lookChoices } from '../console/drawing.ts';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { readValidJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { stateFolder } from './stateFolder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const lookSchema = z.object({ theme: z.enum(lookChoices) });

const lookFile = (environment: Environment): string => join(stateFolder(environment), 'console.json');

/** The theme that this user has chosen last; `auto` where none is known. */
export async function rememberedLook(environment: Environment): Promise<LookChoice> {
  // Of another version, or damaged: it is only a look.
  const read = await readValidJson(nodeFiles, lookFile(environment), lookSchema).catch(() => null);
  return read?.theme ?? 'auto';
}

/** Keeps it in the user's own state folder. @throws Error that names the file when it can't be written */
export async function rememberLook(environment: Environment, theme: LookChoice): Promise<void> {
  const path = lookFile(environment);
  try {
    await makeFolder(nodeFiles, dirname(path));
    await writeAtomic(nodeFiles, path, `${JSON.stringify({ theme })}\n`);
  } catch (error) {
    throw new Error(`the theme is not remembered: ${path} can't be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
