import { isDeepStrictEqual } from 'node:util';
import type { ConfigProblem } from './configError.ts';
import type { KeyPath, Located } from './locate.ts';
import { nearest } from './nearest.ts';
import { keysOf, sections } from './schema.ts';
import { isTable, type TomlTable } from './tomlTable.ts';

/** Keys that a message names, most. */
const maxNamed = 3;

interface Key {
  readonly section: string;
  readonly key: string;
}

/** Something that the new file has and that a lost key may have become. */
interface Suspect {
  readonly path: KeyPath;
  /** As a message names it. */
  readonly name: string;
  /** The keys that were meant; none: it has nothing to do with what was lost. */
  readonly meant: readonly Key[];
}

/**
 * Keys that somebody lost by mistake while the file was edited: each is gone, and something like it has come. The same key is
 * misspelt, or stands in another section, or under a section that is misspelt. Taken at its word, such a file would give the key
 * the value that counts when it is absent, which for a camera is "off". A key that left nothing like it was taken out on purpose.
 *
 * @param before the tables of the last good file.
 * @param place where a key stands in the new one.
 */
export function lostKeys(
  before: TomlTable,
  after: TomlTable,
  place: (path: KeyPath) => Located | null,
): ConfigProblem[] {
  const gone = knownKeys(before).filter(key => !has(after, key));
  const headers = missingHeaders(before, after, gone, place);
  const lost = gone.filter(({ section }) => !headers.some(header => header.section === section));
  const suspects = [
    ...unknownSections(after, lost),
    ...unknownKeys(before, after, lost),
    ...inAnotherSection(before, after, lost),
  ];
  const others = suspects
    .filter(({ meant }) => meant.length > 0)
    .map(({ path, name, meant }) => {
      const at = place(path)?.key ?? null;
      const named = meant.slice(0, maxNamed).map(({ key }) => key);
      const keys = [...named, ...(meant.length > maxNamed ? [`${meant.length - maxNamed} more`] : [])].join(', ');
      const section = `[${meant[0]?.section}]`;
      const message = `${name}, and ${keys} ${meant.length > 1 ? 'are' : 'is'} gone from ${section}: write ${keys} in ${section}, or take this out too`;
      return problem(path, at, message);
    });
  return [...headers.map(({ problem }) => problem), ...others];
}

const problem = (path: KeyPath, at: { line: number; column: number } | null, message: string): ConfigProblem => ({
  kind: 'lost',
  line: at?.line ?? null,
  column: at?.column ?? null,
  key: path.join('.'),
  message,
});

/** Sections whose header alone is gone: their keys stand in the section above now. Each is one slip, however many keys it has. */
function missingHeaders(
  before: TomlTable,
  after: TomlTable,
  gone: readonly Key[],
  place: (path: KeyPath) => Located | null,
): { section: string; problem: ConfigProblem }[] {
  const isNew = (section: string, key: string): boolean => !has(before, { section, key });
  return [...new Set(gone.map(({ section }) => section))].flatMap(section => {
    if (isTable(after[section])) return [];
    const keys = gone.filter(one => one.section === section).map(({ key }) => key);
    for (const [above, table] of Object.entries(after)) {
      if (!isTable(table) || !Object.hasOwn(sections, above)) continue;
      const moved = keys.filter(key => Object.hasOwn(table, key) && isNew(above, key));
      if (moved.length < keys.length || moved.length < 2) continue;
      const first = moved
        .map(key => ({ key, at: place([above, key])?.key ?? null }))
        .sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0))[0]!;
      const line = first.at === null ? '' : ` before line ${first.at.line}`;
      const message = `the header [${section}] is missing${line}: its ${moved.length} keys stand in [${above}] now`;
      return [{ section, problem: problem([above, first.key], first.at, message) }];
    }
    return [];
  });
}

function has(tables: TomlTable, { section, key }: Key): boolean {
  const table = tables[section];
  return isTable(table) && Object.hasOwn(table, key);
}

/** Every key of the schema that the file has. */
function knownKeys(tables: TomlTable): Key[] {
  return Object.keys(sections)
    .flatMap(section => keysOf(section).map(key => ({ section, key })))
    .filter(key => has(tables, key));
}

function unknownSections(after: TomlTable, lost: readonly Key[]): Suspect[] {
  return Object.entries(after).flatMap(([name, table]) => {
    if (!isTable(table) || Object.hasOwn(sections, name)) return [];
    const near = nearest(
      name,
      lost.map(({ section }) => section),
    );
    const home = near ?? lost.find(({ key }) => Object.hasOwn(table, key))?.section;
    const meant = lost.filter(({ section, key }) => section === home && Object.hasOwn(table, key));
    const like = near === null ? meant : lost.filter(({ section }) => section === near);
    return [{ path: [name], name: `unknown section [${name}]`, meant: meant.length > 0 ? meant : like }];
  });
}

/** Also those of another section, and those above all sections. */
function unknownKeys(before: TomlTable, after: TomlTable, lost: readonly Key[]): Suspect[] {
  return Object.entries(after).flatMap(([name, value]): Suspect[] => {
    if (!isTable(value)) {
      return [{ path: [name], name: `"${name}" stands outside any section`, meant: meantBy(name, null, lost) }];
    }
    if (!Object.hasOwn(sections, name)) return [];
    return Object.keys(value)
      .filter(key => !keysOf(name).includes(key))
      .map(key => {
        const near = meantBy(key, name, lost);
        const isNew = !has(before, { section: name, key });
        const alike = lost.filter(one => one.section === name && (isTable(value[key]) || shareWord(key, one.key)));
        const meant = near.length > 0 || !isNew ? near : alike;
        return { path: [name, key], name: `unknown key "${key}" in [${name}]`, meant };
      });
  });
}

/** `camera_enabled` and `enable_camera`, `interval` and `collector_interval_seconds`. */
function shareWord(one: string, other: string): boolean {
  const words = new Set(other.toLowerCase().split(/[\W_]+/));
  return one
    .toLowerCase()
    .split(/[\W_]+/)
    .some(word => word.length > 3 && words.has(word));
}

function meantBy(word: string, section: string | null, lost: readonly Key[]): Key[] {
  const among = (keys: readonly Key[]): Key | undefined => {
    const near = nearest(
      word,
      keys.map(({ key }) => key),
    );
    return keys.find(({ key }) => key === near);
  };
  const exact = lost.find(({ key }) => key === word);
  const meant = exact ?? among(lost.filter(one => one.section === section)) ?? among(lost);
  return meant ? [meant] : [];
}

/** A section's header was deleted, and its keys are known in the section above too: `camera_id` of [Brightfield] and [Camera]. */
function inAnotherSection(before: TomlTable, after: TomlTable, lost: readonly Key[]): Suspect[] {
  const valueAt = (tables: TomlTable, { section, key }: Key): unknown => (tables[section] as TomlTable)[key];
  return lost
    .filter(({ section }) => !isTable(after[section]))
    .flatMap(one =>
      Object.keys(sections)
        .map(section => ({ section, key: one.key }))
        .filter(other => has(after, other) && !has(before, other))
        .filter(other => isDeepStrictEqual(valueAt(after, other), valueAt(before, one)))
        .map(({ section, key }) => ({ path: [section, key], name: `"${key}" is new in [${section}]`, meant: [one] })),
    );
}
