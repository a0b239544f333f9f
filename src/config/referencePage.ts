import { stringify } from 'smol-toml';
import { movedKeys } from './movedKeys.ts';
import { catalogue, type Section, type Setting } from './schema.ts';
import type { TomlValue } from './setting.ts';
import { isTable } from './tomlTable.ts';

const intro = `# Configuration

<!-- Made from the schema in src/config/ by \`npm run generate\`. Don't edit it here. -->

The configuration is one TOML file, \`configs/Phorest_config.toml\`. Another one is named with \`--config FILE\`, or with the
variable \`PHOREST_CONFIG\`. \`--root DIR\` stands for \`root_dir\`, and uses that folder's own \`configs/Phorest_config.toml\` when it
has one. Without any file the shipped values are used, and that is said.

- Each key has two values below. *Shipped* is what the file that comes with the program sets, for a first run without any
  hardware. *When absent* is what a file that leaves the key out means: the default of the Python system, so that old files mean
  what they always meant.
- Words may be written in capitals or not.
- A wrong value is an error that names file, line, column, what was found and what is allowed; then the program does not start,
  or goes on with the last good configuration while it runs. A key that is not known is a warning that names the nearest one; it
  stays in the console's header and in \`status\` until it is mended.
- The usual slips are recognised, and the message says what to write: \`True\` and \`yes\`, \`0,5\`, \`5 s\`, numbers in quotes, curly quotes,
  a comma behind a value, \`:\` for \`=\`, \`//\` for \`#\`, backslashes, keys and sections that stand twice, other encodings. A path begins with
  neither \`~\` nor a drive letter, and no variable and no \`$(…)\` in it is replaced.
- While the pipeline runs, a key that is gone and of which something like it has come (misspelt, in another section, under a section
  that is misspelt) is an error too: the last good configuration stays. A key that is taken out, or made a comment, takes its value
  *when absent*, and that is said.
- A change takes effect *live*, while the pipeline runs, or at the next *start*.
- Keys marked *new* are not the Python system's.

\`phorest check config\` reads the file and says what is wrong with it, what it asks for that can't be done here, and which paths can be used.
`;

const files = `## Where files are

\`data_dir\`, \`results_dir\`, \`logs_dir\`, \`backup_dir\`, \`continuous_capture_dir\`, \`brightfield_dir\` and \`flag_dir\` are folders inside
\`root_dir\`, which is relative to the working directory. They may be absolute paths, but a relative one can't lead out of the root.
\`[Assets]\` are tried under \`root_dir\`, then beside the folder that holds the configuration, then in that folder.

| what | where |
| --- | --- |
| manifest | \`<data_dir>/metadata_manifest.json\` |
| results | \`<results_dir>/processing_results.jsonl\` |
| table | \`<results_dir>/communicating_results.csv\` |
| series | \`<results_dir>/series/\` |
| plot | \`<results_dir>/processed_data_plot.png\` |
| regions of interest | \`<generated_files_dir>/<roi_manifest_filename>\`; new ones are always written under \`root_dir\` |
| chip map | \`<label_template_dir>/Chip_map.json\` |
| status of each process, of the pipeline | \`<flag_dir>/status/<host>-<pid>.json\`, \`<flag_dir>/pipeline_status.json\` |
| copy on the share | \`<remote_root_dir>/<last part of data_dir>\`, and so on |
`;

/** The page of every key, in Markdown. */
export function referencePage(): string {
  return `${[intro, ...catalogue.map(sectionText), files, old()].join('\n').trimEnd()}\n`;
}

function sectionText({ name, info, settings }: Section): string {
  const rows = settings.map(row);
  const words = settings.filter(({ info: { words } }) => words.length > 1).map(wordTable);
  return [
    `## \`[${name}]\`${info.new ? ' *new*' : ''}`,
    '',
    info.doc,
    '',
    '| key | shipped | when absent | allowed | takes effect | what it is |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...words,
  ].join('\n');
}

const effects = { live: 'live', restart: 'next start', none: 'never' };

function row({ key, info }: Setting): string {
  const allowed = info.words.length > 1 ? 'one of the words below' : info.allowed;
  const cells = [
    `\`${key}\`${info.new ? ' *new*' : ''}`,
    code(info.shipped),
    code(info.absent),
    allowed,
    effects[info.effect],
    info.doc,
  ];
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function wordTable({ key, info }: Setting): string {
  const lines = info.words.map(({ word, meaning, also, later }) => {
    const names = [word, ...also].map(name => `\`${name}\``).join(', also ');
    return `- ${names}: ${meaning}${later ? ' (not in this version yet)' : ''}`;
  });
  return [`\`${key}\`:`, '', ...lines, ''].join('\n');
}

function code(value: TomlValue): string {
  if (isTable(value) && Object.keys(value).length === 0) return 'none';
  return `\`${stringify({ value })
    .trim()
    .replace(/^value = /, '')}\``;
}

function old(): string {
  const lines = movedKeys.map(
    ({ from, to }) =>
      `- \`${from.key}\` in \`[${from.section}]\` is taken for that of \`[${to.section}]\`, which counts when both are there.`,
  );
  return ['## Old files', '', 'A configuration of the Python system is accepted as it is.', '', ...lines].join('\n');
}
