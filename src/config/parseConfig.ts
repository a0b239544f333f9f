import { parse, TomlError } from 'smol-toml';
import { withoutCredentials } from '../model/shownText.ts';
import { cameraProblems } from './cameraProblems.ts';
import { ConfigError, type ConfigProblem } from './configError.ts';
import { type KeyPath, type Located, locate } from './locate.ts';
import { lostKeys } from './lostKeys.ts';
import { movedKeys } from './movedKeys.ts';
import { allSettings, type Config, configSchema, sections } from './schema.ts';
import { isSecret, tellsSecret } from './secrets.ts';
import { leastThreadMebibytes } from './sections/dataAnalysis.ts';
import { tomlMistake, typeMistake } from './tomlMistake.ts';
import { isTable, showValue, type TomlTable } from './tomlTable.ts';
import { unknownKeys } from './unknownKeys.ts';

/** No configuration is near this size (UTF-16 units): somebody named the wrong file. */
const largest = 1_000_000;

/** No setting is deeper than an element of a table in a section; the parser must not exhaust the stack. */
const deepest = 50;

export interface ParsedConfig {
  readonly config: Config;
  /** In the order of the file. */
  readonly warnings: readonly ConfigProblem[];
  /** What the file itself has, keys of old files in the section that they belong in. */
  readonly tables: TomlTable;
}

/**
 * Reads a configuration. What the text leaves out has the meaning that it had in the Python system.
 *
 * @param file how messages name the file.
 * @param before `tables` of the last good text of a file that changes: what was lost since by a slip is an error too.
 * @throws ConfigError, with every problem of the file at once. Nothing else, whatever the text is.
 */
export function parseConfig(
  text: string,
  file: string,
  { before }: { before?: TomlTable | undefined } = {},
): ParsedConfig {
  const found = parseToml(text, file);
  const place = locate(text);
  const { input, origin, warnings } = withMovedKeys(found, place);
  const errors: ConfigProblem[] = [];
  for (const name of Object.keys(sections)) {
    const table = input[name];
    if (table === undefined || isTable(table)) continue;
    const message = `${name} ${whatIs([name], table)}; it must be a table: [${name}]`;
    errors.push(problem('value', [name], place([name])?.value, message));
    delete input[name];
  }
  const checked = configSchema.safeParse(input);
  const said = new Set<string>();
  for (const issue of checked.error?.issues ?? []) {
    const path = origin(issue.path as KeyPath);
    const name = showPath(path);
    // The first check that a value fails says most.
    if (said.has(name)) continue;
    said.add(name);
    const value = path.reduce<unknown>((outer, key) => (outer as Record<string | number, unknown>)[key], found);
    const mistake = typeMistake(
      value,
      allSettings.find(({ section, key }) => section === path[0] && key === path[1]) ?? null,
    );
    const advice = mistake === null || isSecret(path) ? '' : `: ${mistake}`;
    const message =
      issue.code === 'unrecognized_keys'
        ? `${name} ${issue.message}`
        : `${name} ${whatIs(path, value)}; it must be ${issue.message}${advice}`;
    errors.push(problem('value', path, nearestPlace(path, place), message));
  }
  warnings.push(...unknownKeys(found, place));
  if (before) errors.push(...lostKeys(before, input, place));
  if (!checked.success || errors.length > 0) {
    throw new ConfigError(file, errors.sort(inOrderOfFile), { warnings: warnings.sort(inOrderOfFile) });
  }
  for (const { section, key, isImpossible, message } of cameraProblems(checked.data)) {
    const path = [section, key];
    const at = place(path)?.value;
    const where = at ?? place(['Camera', 'camera_type'])?.value;
    const text = at === undefined ? `${message} (the file leaves it out: write it)` : message;
    warnings.push(problem(isImpossible ? 'impossible' : 'doubtful', path, where, text));
  }
  for (const { section, key, message } of doubtfulSettings(checked.data)) {
    const path = [section, key];
    warnings.push(problem('doubtful', path, place(path)?.value, message));
  }
  for (const { section, key, message } of laterFeatures(checked.data)) {
    const path = [section, key];
    warnings.push(problem('later', path, place(path)?.value, message));
  }
  return { config: checked.data, warnings: warnings.sort(inOrderOfFile), tables: input };
}

/** What a secret key holds must not stand in a message: that goes to the log. */
function whatIs(path: KeyPath, value: unknown): string {
  if (value === undefined) return 'is missing';
  return isSecret(path) ? 'is not right' : `is ${showValue(value)}`;
}

/** Of what is missing: where the table that lacks it stands. */
function nearestPlace(path: KeyPath, place: (path: KeyPath) => Located | null): Located['value'] | undefined {
  for (let length = path.length; length > 0; length--) {
    const found = place(path.slice(0, length));
    if (found) return found.value;
  }
  return undefined;
}

function problem(
  kind: ConfigProblem['kind'],
  path: KeyPath | null,
  at: { line: number; column: number } | undefined,
  message: string,
): ConfigProblem {
  return { kind, line: at?.line ?? null, column: at?.column ?? null, key: path && showPath(path), message };
}

function inOrderOfFile(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** `Communication.method[1]`, `Temperature.thermocouple_sensors."28-00…"`: as one would write it. */
function showPath(path: KeyPath): string {
  return path.reduce<string>((outer, part) => {
    if (typeof part === 'number') return `${outer}[${part}]`;
    const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part);
    return outer === '' ? name : `${outer}.${name}`;
  }, '');
}

function parseToml(text: string, file: string): TomlTable {
  if (text.length > largest) {
    throw new ConfigError(file, [
      problem('file', null, undefined, 'this is far too large for a configuration: is it the right file?'),
    ]);
  }
  try {
    return parse(text, { maxDepth: deepest });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The parser's message goes on with an excerpt of the file, which has no place in a line of a log.
    const reason = (error.message.split('\n')[0] as string).replace(/^Invalid TOML document: /, '');
    const at = { line: error.line, column: error.column };
    const mistake = withoutCredentials(tomlMistake(text, at, reason));
    const message = tellsSecret(mistake, text)
      ? `this is not TOML: ${reason}; what stands there is secret and not shown`
      : mistake;
    throw new ConfigError(file, [problem('syntax', null, at, message)], { cause: error });
  }
}

/** Brings keys of old files to the section that they belong in. `origin` tells where a value of `input` really stands. */
function withMovedKeys(
  found: TomlTable,
  place: (path: KeyPath) => Located | null,
): { input: Record<string, unknown>; origin: (path: KeyPath) => KeyPath; warnings: ConfigProblem[] } {
  const input: Record<string, unknown> = { ...found };
  const origins = new Map<string, KeyPath>();
  const warnings: ConfigProblem[] = [];
  for (const { from, to } of movedKeys) {
    const source = found[from.section];
    if (!isTable(source) || !Object.hasOwn(source, from.key)) continue;
    const target = input[to.section] ?? {};
    if (!isTable(target)) continue;
    const { [from.key]: value, ...rest } = source;
    input[from.section] = rest;
    if (Object.hasOwn(target, to.key)) {
      const path = [from.section, from.key];
      const message = `${showPath(path)} is ignored: ${to.key} in [${to.section}] counts`;
      warnings.push(problem('duplicate', path, place(path)?.key, message));
    } else {
      input[to.section] = { ...target, [to.key]: value };
      origins.set(showPath([to.section, to.key]), [from.section, from.key]);
    }
  }
  const origin = (path: KeyPath): KeyPath => {
    const moved = origins.get(showPath(path.slice(0, 2)));
    return moved ? [...moved, ...path.slice(2)] : path;
  };
  return { input, origin, warnings };
}

interface LaterFeature {
  readonly section: string;
  readonly key: string;
  readonly message: string;
}

/** What a configuration asks for that this version does not have yet: accepted, since old files ask for it, and to be said. */
/** Settings that are allowed, and do nothing, or not what they say. */
function doubtfulSettings({ Quantities, Data_Analysis: { memory_limit } }: Config): LaterFeature[] {
  const found: LaterFeature[] = [];
  const { zero_from, zero_to } = Quantities;
  if ((zero_from === '') !== (zero_to === '')) {
    const [key, missing] = zero_from === '' ? ['zero_to', 'zero_from'] : ['zero_from', 'zero_to'];
    const message = `Quantities.${key} is set and ${missing} is not, so no time is zero: set both, or "phorest zero --off"`;
    found.push({ section: 'Quantities', key: key!, message });
  }
  if (memory_limit.kind === 'bytes' && memory_limit.bytes < leastThreadMebibytes * 2 ** 20) {
    const message = `Data_Analysis.memory_limit is "${memory_limit.text}", less than one thread needs: each takes at least ${leastThreadMebibytes} MiB`;
    found.push({ section: 'Data_Analysis', key: 'memory_limit', message });
  }
  return found;
}

function laterFeatures(config: Config): LaterFeature[] {
  const found: LaterFeature[] = [];
  for (const { section, key, info } of allSettings) {
    const value = (config[section] as Readonly<Record<string, unknown>>)[key];
    // A camera that is off need not be there.
    if (section === 'Camera' && !config.Services.enable_camera) continue;
    const chosen = Array.isArray(value) ? value : [value];
    for (const { word, later } of info.words) {
      if (!later || !chosen.includes(word)) continue;
      found.push({
        section,
        key,
        message: `${section}.${key} has "${word}", which this version does not have yet: ${section === 'Camera' ? 'no frame is collected' : 'the word is ignored'}`,
      });
    }
  }
  return found;
}
