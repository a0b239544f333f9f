import { stringify } from 'smol-toml';
import { oneLine } from '../model/shownText.ts';
import { catalogue, type Section, type Setting } from './schema.ts';
import type { TomlValue } from './setting.ts';
import { isTable } from './tomlTable.ts';

const width = 110;

/** Values by section and key, as a file holds them. */
export type TomlValues = Readonly<Record<string, Readonly<Record<string, TomlValue>>>>;

/**
 * A configuration with a comment on every key. Without values it is the shipped one and parses back to exactly the shipped
 * values; `values` stand in for shipped ones, key by key.
 */
export function exampleToml(values: TomlValues = {}, origin = 'Made from its schema by `npm run generate`'): string {
  const intro = [
    // TOML allows no control characters in a comment, and a folder may have any in its name.
    `Configuration of Phorest Pipeline. ${oneLine(origin)}, ready to be edited.`,
    'Most changes take effect while the pipeline runs. `phorest check config` finds mistakes.',
    'docs/configuration.md says more of every key.',
  ].map(line => `# ${line}`);
  const texts = catalogue.map(section => sectionText(section, values[section.name] ?? {}));
  return `${[intro.join('\n'), ...texts].join('\n\n\n')}\n`;
}

type SectionValues = Readonly<Record<string, TomlValue>>;

function sectionText(section: Section, values: SectionValues): string {
  const plain = section.settings.filter(({ info }) => !isTable(info.shipped));
  const tables = section.settings.filter(({ info }) => isTable(info.shipped));
  const header = [rule(section.name), ...comment(section.info.doc), `[${section.name}]`].join('\n');
  return [
    header,
    ...plain.map(setting => keyText(setting, values)),
    ...tables.map(setting => tableText(section, setting, values)),
  ].join('\n\n');
}

const rule = (name: string): string => `# ── ${name} ${'─'.repeat(width - 6 - name.length)}`;

function keyText(setting: Setting, values: SectionValues): string {
  const value = values[setting.key] ?? setting.info.shipped;
  return [...about(setting), stringify({ [setting.key]: value }).trim()].join('\n');
}

/** A table can't stand among the keys of its section, so it follows them under a header of its own. */
function tableText(section: Section, setting: Setting, values: SectionValues): string {
  const example = setting.info.example ?? [];
  const rows = stringify(values[setting.key] ?? setting.info.shipped).trim();
  const lines = [...about(setting), `[${section.name}.${setting.key}]`, ...example.map(line => `# ${line}`)];
  return (rows === '' ? lines : [...lines, rows]).join('\n');
}

function about({ info }: Setting): string[] {
  const sentence = firstSentence(info.doc);
  if (info.words.length === 0)
    return comment(info.brief === null || info.effect === 'none' ? `${sentence}.` : `${sentence} (${info.brief}).`);
  const longest = Math.max(...info.words.map(({ word }) => word.length));
  const words = info.words.map(({ word, meaning, later }) => {
    return `#   ${word.padEnd(longest)}  ${meaning}${later ? ' (not in this version yet)' : ''}`;
  });
  return [...comment(`${sentence}:`), ...words];
}

function firstSentence(doc: string): string {
  return /^(.*?)\.(?=\s+[A-Z]|\s*$)/s.exec(doc)?.[1] ?? doc;
}

function comment(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
