import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'smol-toml';
import { withoutCredentials } from '../model/shownText.ts';
import { exampleToml } from './exampleToml.ts';
import { commentsIn, type KeyPath, valuesIn } from './locate.ts';
import { nearest } from './nearest.ts';
import { allSettings, type Config } from './schema.ts';
import { isTable } from './tomlTable.ts';

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
 * A configuration file for other eyes. It holds the values of the keys that the schema knows and does not mark as secret; a secret value
 * is what an absent key means, and any other value is `"***"`. Names and passwords in addresses, and what their queries hold, become `***`,
 * and so does a comment that may tell a secret. All else stays as it is, line by line, so that line numbers hold.
 */
export function withoutSecrets(toml: string): string {
  let copy = '';
  let at = 0;
  const put = (from: number, to: number, text: string): void => {
    const lines = toml.slice(from, to).split('\n').length - 1;
    copy += withoutCredentials(toml.slice(at, from)) + text + '\n'.repeat(lines);
    at = to;
  };
  const parts = [...valuesIn(toml), ...commentsIn(toml).map(comment => ({ ...comment, path: null }))];
  for (const { path, from, to } of parts.sort((a, b) => a.from - b.from)) {
    // A table that was left out with its outer one.
    if (from < at) continue;
    const text = toml.slice(from, to);
    if (path === null) {
      const isBehindSecret = at > 0 && !toml.slice(at, from).includes('\n');
      put(from, to, publicComment(text.trimEnd(), isBehindSecret) + text.slice(text.trimEnd().length));
    } else if (!isPublicValue(path, text)) put(from, to, emptyValue(path));
  }
  return copy + withoutCredentials(toml.slice(at));
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

/** Whether a value may be seen by all: that of a key that the schema knows and calls no secret, of the shape that the key has. */
function isPublicValue([section, ...inside]: KeyPath, value: string): boolean {
  // Without the number of a table among several of one name.
  const [key, ...deeper] = inside.filter((part, i) => i > 0 || typeof part === 'string');
  // An inline table of a section: each value in it is looked at by itself.
  if (key === undefined) return value.startsWith('{');
  const info = allSettings.find(setting => setting.section === section && setting.key === key)?.info;
  if (info === undefined || info.secret) return false;
  return isTable(info.absent) || (deeper.length === 0 && !value.includes('{'));
}

function emptyValue([section, key]: KeyPath): string {
  const known = allSettings.find(setting => setting.section === section && setting.key === key);
  return known
    ? stringify({ value: known.info.absent })
        .trim()
        .replace(/^value = /, '')
    : '"***"';
}

/** A comment as others may see it. That of the shipped file may stand anywhere. */
function publicComment(comment: string, isBehindSecret: boolean): string {
  shippedComments ??= new Set(exampleToml().match(/^#.*$/gm));
  if (shippedComments.has(comment)) return comment;
  if (isBehindSecret) return '# ***';
  const [, begin, key] = commentedKey.exec(comment) ?? [];
  const isKnown = allSettings.some(setting => setting.key === key && !setting.info.secret);
  if (begin !== undefined && !isKnown) return `${begin}"***"`;
  return mayTellSecret.some(form => form.test(comment)) ? '# ***' : comment;
}

let shippedComments: ReadonlySet<string> | undefined;

const commentedKey = /^(#[#\s]*(?:[\w-]+\s*\.\s*)*["']?([\w-]+)["']?\s*=[ \t]*)\S/;

const mayTellSecret = [
  // An address; user:password, user@host.
  /[a-z][a-z0-9+.-]*:\/\//i,
  /[\w.-]+:[^\s:]{4,}|\S@\S/,
  // A token is long and has digits in it, or is longer than any word.
  /(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{16,}|[\w+=-]{32,}/,
  // What people call a secret.
  /\b(?:passw\w*|passphrase|pwd|secrets?|tokens?|credentials?|bearer|authori[sz]ation|(?:api|private)[\s_-]?keys?|webhooks?|logins?)\b/i,
  // A further line of a list or a text that is commented out.
  /^#[#\s]*["'[\]{}]/,
];
