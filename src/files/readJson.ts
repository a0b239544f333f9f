import { z } from 'zod';
import { jsonFault } from '../model/jsonFault.ts';
import type { Files } from './files.ts';
import { readBytes } from './readBytes.ts';

/** A JSON file does not hold what it must: which key, and what is wrong with it. */
export class DamagedJsonError extends Error {
  override name = 'DamagedJsonError';
}

/**
 * What a small JSON file holds that people, another version or another program may have touched; null while there is none.
 * @throws DamagedJsonError that names file and key; the file system's errors.
 */
export async function readJson<T>(files: Pick<Files, 'open'>, path: string, schema: z.ZodType<T>): Promise<T | null> {
  let text: string;
  try {
    text = String(await readBytes(files, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return parseJson(text, schema);
  } catch (cause) {
    throw new DamagedJsonError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** The same, for what can be done without: null also where it is damaged. @throws the file system's errors. */
export async function readValidJson<T>(
  files: Pick<Files, 'open'>,
  path: string,
  schema: z.ZodType<T>,
): Promise<T | null> {
  return readJson(files, path, schema).catch((error: unknown) => {
    if (error instanceof DamagedJsonError) return null;
    throw error;
  });
}

/** @throws DamagedJsonError that says what is wrong with the text. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DamagedJsonError(`it is no JSON (${jsonFault(text)})`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const key = path.filter(part => typeof part === 'string').join('.');
  throw new DamagedJsonError(`${key === '' ? 'it' : `"${key}"`} ${message}`);
}

const sound = <K, T>(items: [K, unknown][], item: z.ZodType<T>): [K, T][] =>
  items.flatMap(([key, value]): [K, T][] => {
    const parsed = item.safeParse(value);
    return parsed.success ? [[key, parsed.data]] : [];
  });

/** A list of which what can't be used is left out. */
export const validItems = <T>(item: z.ZodType<T>): z.ZodType<T[]> =>
  z.array(z.unknown()).transform(values => sound([...values.entries()], item).map(([, value]) => value));

/** An object of which the values that can't be used are left out. */
export const validValues = <T>(item: z.ZodType<T>): z.ZodType<Record<string, T>> =>
  z.record(z.string(), z.unknown()).transform(values => Object.fromEntries(sound(Object.entries(values), item)));

/** Which process wrote something, as it says itself. */
export const processIdentitySchema = z.object({
  host: z.string(),
  boot_id: z.string(),
  pid: z.number(),
  pid_start: z.number(),
});
