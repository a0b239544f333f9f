import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'smol-toml';
import { commentsIn, headersIn, type KeyPath, valuesIn } from './locate.ts';
import { movedKeys } from './movedKeys.ts';
import type { TomlValue } from './setting.ts';
import { isTable, type TomlTable } from './tomlTable.ts';

/** One change of a configuration: `['Camera', 'camera_exposure']`, `['Temperature', 'thermocouple_sensors', '28-00000ff8fa16']`. */
export interface TomlEdit {
  /** From the section down to the key; at least two names. */
  readonly path: readonly string[];
  /** Null takes the key out. */
  readonly value: TomlValue | null;
}

/**
 * A TOML text with some keys changed. Everything else stays as it is: comments, order, blank lines, line ends, the way in which a table
 * is written. A new key goes behind the commented-out one of that name, else to the end of its section; a new section to the end.
 * A key that stands where the Python system had it is changed there.
 *
 * @param text one that the parser accepts.
 * @throws TomlError for a text that is not TOML; Error when it has no place for the key, as below a key that is no table.
 */
export function editToml(text: string, edits: readonly TomlEdit[]): string {
  return edits.reduce(editOne, text);
}

function editOne(text: string, edit: TomlEdit): string {
  const before = parse(text);
  const { path, value } = atItsPlace(before, edit);
  const expected = withValue(before, path, value);
  const edited = changed(text, before, { path, value });
  // The layouts of TOML are many: an edit that means anything else than it should is never handed on.
  if (!isDeepStrictEqual(withoutEmpty(parseOrNull(edited)), withoutEmpty(parse(stringify(expected))))) {
    throw new Error(`${path.join('.')} can't be changed in a file that is written like this: change it by hand`);
  }
  return edited;
}

/** Without empty tables: `S.a = 1` makes a table that goes with its last key. */
function withoutEmpty(value: unknown): unknown {
  if (!isTable(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  return new Map(entries.filter(([, inner]) => !(inner instanceof Map && inner.size === 0)));
}

function parseOrNull(text: string): TomlTable | null {
  try {
    return parse(text);
  } catch {
    return null;
  }
}

/** The edit at the place where the file has the key: also that of old files. */
function atItsPlace(found: TomlTable, { path, value }: TomlEdit): TomlEdit {
  const [section, key, ...inner] = path;
  const moved = movedKeys.find(({ to }) => to.section === section && to.key === key)?.from;
  const isOld = moved && !has(found, path.slice(0, 2)) && has(found, [moved.section, moved.key]);
  return { path: isOld ? [moved.section, moved.key, ...inner] : path, value };
}

const has = (found: unknown, [name, ...rest]: readonly string[]): boolean =>
  name === undefined || (isTable(found) && Object.hasOwn(found, name) && has(found[name], rest));

function withValue(table: TomlTable, [name = '', ...rest]: readonly string[], value: TomlValue | null): TomlTable {
  if (rest.length === 0 && value === null) {
    const { [name]: _gone, ...others } = table;
    return others;
  }
  const inner = table[name] ?? {};
  if (rest.length > 0 && !isTable(inner)) throw new Error(`${name} is no table, and can't hold ${rest.join('.')}`);
  return { ...table, [name]: rest.length === 0 ? value : withValue(inner as TomlTable, rest, value) };
}

function changed(text: string, found: TomlTable, { path, value }: TomlEdit): string {
  if (value === null && !has(found, path)) return text;
  const values = valuesIn(text);
  const inline = values.find(each => each.path.length < path.length && isBelow(path, each.path));
  if (inline) {
    const outer = inline.path.reduce<unknown>((table, name) => (table as TomlTable)[name], found) as TomlTable;
    return splice(text, inline, inlineToml(withValue(outer, path.slice(inline.path.length), value)));
  }
  const own = values.find(each => isDeepStrictEqual(each.path, path));
  if (value !== null) return own ? splice(text, own, inlineToml(value)) : inserted(text, path, inlineToml(value));
  return own ? splice(text, { from: lineStart(text, keyStart(text, own)), to: nextLine(text, own.to) }, '') : text;
}

const isBelow = (path: KeyPath, outer: KeyPath): boolean => isDeepStrictEqual(path.slice(0, outer.length), [...outer]);

/** The text with another one in place of a part of it; white space at the part's end stays. */
function splice(text: string, { from, to }: { from: number; to: number }, other: string): string {
  const kept = other === '' ? '' : (/\s*$/.exec(text.slice(from, to))?.[0] ?? '');
  return text.slice(0, from) + other + kept + text.slice(to);
}

/** A value on one line. */
function inlineToml(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(inlineToml).join(', ')}]`;
  if (!isTable(value)) return stringify({ value }).trim().slice('value = '.length);
  const pairs = Object.entries(value).map(([key, inner]) => `${inlineKey(key)} = ${inlineToml(inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

const inlineKey = (key: string): string =>
  stringify({ [key]: 0 })
    .trim()
    .slice(0, -' = 0'.length);

/** The text with a key that it does not have yet. */
function inserted(text: string, path: readonly string[], value: string): string {
  const table = path.slice(0, -1);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const line = (names: readonly string[]): string => `${names.map(inlineKey).join('.')} = ${value}`;
  const put = (at: number, lines: readonly string[]): string => {
    const begin = at > 0 && text[at - 1] !== '\n' ? newline : '';
    return text.slice(0, at) + begin + lines.map(each => each + newline).join('') + text.slice(at);
  };

  const headers = headersIn(text);
  const own = headers.find(header => isDeepStrictEqual(header.path, table));
  const values = valuesIn(text);
  if (!own) {
    // Where the table is written as `Camera.camera_id = 0`, TOML allows no header for it.
    const dotted = values.findLast(each => isBelow(each.path, table));
    if (dotted && !headers.some(header => isBelow(header.path, table))) {
      const outer = headers.findLast(header => header.from < dotted.from)?.path ?? [];
      return put(nextLine(text, dotted.to), [line(path.slice(outer.length))]);
    }
    const sibling = headers.findLastIndex(header => isDeepStrictEqual(header.path.slice(0, 1), path.slice(0, 1)));
    const at = sibling < 0 ? text.length : blockEnd(text, headers, sibling);
    const gap = text.slice(0, at).trim() === '' ? [] : [''];
    return put(at, [...gap, `[${table.map(inlineKey).join('.')}]`, line(path.slice(-1))]);
  }
  const index = headers.indexOf(own);
  const end = headers[index + 1]?.from ?? text.length;
  const key = path.at(-1) as string;
  const isOff = (comment: string): boolean => /^#+\s*["']?([^\s"'=]+)["']?\s*=/.exec(comment)?.[1] === key;
  const off = commentsIn(text).find(({ from, to }) => from > own.to && from < end && isOff(text.slice(from, to)));
  return put(off ? nextLine(text, off.to) : blockEnd(text, headers, index), [line([key])]);
}

/** Behind the last key of a table, or behind its header and the comment below that where it has none: what comes after belongs to what follows. */
function blockEnd(text: string, headers: ReturnType<typeof headersIn>, index: number): number {
  const { to } = headers[index] as (typeof headers)[number];
  const end = headers[index + 1]?.from ?? text.length;
  const last = valuesIn(text).filter(each => each.from > to && each.from < end);
  if (last.length > 0) return nextLine(text, Math.max(...last.map(each => each.to)));
  let at = nextLine(text, to);
  while (text[at] === '#') at = nextLine(text, at);
  return at;
}

/** Where the line behind a position begins; the end of the text when there is none. */
function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** A position in the line of a value's key: the `=` stands in it. */
const keyStart = (text: string, { from }: { from: number }): number => text.lastIndexOf('=', from - 1);
