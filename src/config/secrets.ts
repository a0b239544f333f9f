import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'smol-toml';
import { withoutCredentials } from '../model/shownText.ts';
import { type KeyPath, valuesIn } from './locate.ts';
import { nearest } from './nearest.ts';
import { allSettings, type Config } from './schema.ts';

const secretKeys = allSettings.filter(({ info }) => info.secret).map(({ key }) => key);
const secretSections = new Set<string>(allSettings.filter(({ info }) => info.secret).map(({ section }) => section));
/** What people call a secret, in keys that the schema does not know. */
const secretWord = /pass|pwd|secret|token|credential|auth|webhook|api[_-]?key/i;

/** Whether nobody but the person who wrote it may see what stands at a path of the file: its value is no part of any message or copy. */
export function isSecret(path: KeyPath): boolean {
  const names = path.filter(part => typeof part === 'string');
  const [section, key] = names;
  // A section that is no table, or one whose only secret thing is meant.
  if (key === undefined) return section !== undefined && (secretSections.has(section) || isSecretName(section));
  const known = allSettings.find(setting => setting.section === section && setting.key === key);
  return known ? known.info.secret === true : names.some(isSecretName);
}

/** Of a key that the schema does not know: a slip of the pen in a secret one's name must not make it public. */
function isSecretName(name: string): boolean {
  return secretWord.test(name) || nearest(name, secretKeys) !== null;
}

/** Names of the secret keys that a configuration sets. */
export function secretsIn(config: Config): string[] {
  return allSettings.flatMap(({ section, key, info }) => {
    const value = (config[section] as Readonly<Record<string, unknown>>)[key];
    return info.secret && !isDeepStrictEqual(value, info.absent) ? [`${section}.${key}`] : [];
  });
}

/**
 * A configuration file for other eyes: every secret value is replaced by what an absent key means, also in a comment; names and
 * passwords in addresses, and what their queries hold, become `***`. All else stays as it is, line by line, so that line numbers hold.
 */
export function withoutSecrets(toml: string): string {
  let copy = '';
  let at = 0;
  for (const { path, from, to } of valuesIn(toml)) {
    // A table that was left out with its outer one.
    if (from < at || !isSecretValue(path, toml.slice(from, to))) continue;
    copy += toml.slice(at, from) + emptyValue(path) + '\n'.repeat(toml.slice(from, to).split('\n').length - 1);
    at = to;
  }
  return withoutCredentials((copy + toml.slice(at)).replaceAll(commentedKey, hideCommented));
}

/** Whether a message about a text repeats a part of a secret value in it, however broken the text is. */
export function tellsSecret(message: string, toml: string): boolean {
  return valuesIn(toml).some(({ path, from, to }) => {
    const value = toml.slice(from, to);
    const words = isSecretValue(path, value) ? value.split(/[\s"'[\]{},=]+/) : [];
    return words.some(word => word.length >= shortestSecret && message.includes(word));
  });
}

/** Shorter words stand in every message. */
const shortestSecret = 6;

/** An inline table of a section has secrets and others in it: each is looked at by itself. */
function isSecretValue(path: KeyPath, value: string): boolean {
  return isSecret(path) && !(path.length === 1 && value.startsWith('{'));
}

function emptyValue([section, key]: KeyPath): string {
  const known = allSettings.find(setting => setting.section === section && setting.key === key);
  return known
    ? stringify({ value: known.info.absent })
        .trim()
        .replace(/^value = /, '')
    : '"***"';
}

const commentedKey = /^([ \t]*#[#\s]*(?:[\w-]+\s*\.\s*)*["']?([\w-]+)["']?\s*=[ \t]*)(\S.*)$/gm;

function hideCommented(line: string, begin: string, key: string): string {
  const known = allSettings.some(setting => setting.key === key && !setting.info.secret);
  return !known && isSecretName(key) ? `${begin}"***"` : line;
}
