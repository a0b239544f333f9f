import { accessSync, constants } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { configOf, experimentToml, writeConfig } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const sizes = [
  [60, 18],
  [80, 24],
  [120, 40],
  [200, 60],
] as const;
const toml = `# what we agreed on\n${experimentToml({ intervalSeconds: 0.5 })}`;

const hasVi = (process.env.PATH ?? '').split(delimiter).some(folder => {
  try {
    accessSync(join(folder, 'vi'), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** An editor in a folder of its own that writes down its arguments and ends. */
async function standInEditor(folder: string, name: string): Promise<{ path: string; words: () => Promise<string[]> }> {
  const path = join(folder, name);
  const file = join(folder, 'words.txt');
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" > '${file}'\n`);
  await chmod(path, 0o755);
  return { path, words: async () => (await readFile(file, 'utf8').catch(() => '')).trim().split('\n') };
}

describe.skipIf(!hasTerminal)('the settings page in a terminal', () => {
  it.each(sizes)('changes a setting of the running pipeline and shows who took it, in %i × %i', async (cols, rows) => {
    const root = await BackgroundRoot.make(toml);
    await root.phorest('start');
    const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows });
    await terminal.shows('running up');
    terminal.press('8');
    await terminal.shows(/▸collector_interval_seconds +0\.5/);
    terminal.press('Enter');
    await terminal.shows('Enter takes it');
    terminal.type('often');
    await terminal.shows('it must be a number of seconds');
    terminal.press('BSpace', 'BSpace', 'BSpace', 'BSpace', 'BSpace');
    terminal.type('0.25');
    await terminal.shows('Enter takes it');
    terminal.press('Enter');
    await terminal.shows(/0\.5 → 0\.25/);
    terminal.press('w');
    await terminal.shows(/collector since \d\d:\d\d:\d\d/);
    expect(await readFile(configOf(root.path), 'utf8')).toBe(
      toml.replace('collector_interval_seconds = 0.5', 'collector_interval_seconds = 0.25'),
    );
    expect(terminal.lines.every(line => [...line].length <= cols)).toBe(true);
    // What needs a restart says so, and a key does it.
    await writeConfig(root.path, toml.replace('[Timing]', '[Paths]\nlogs_dir = "logs2"\n[Timing]'));
    await terminal.shows('at the next start');
    expect(terminal.screen).toMatch(/R restarts the pipeline|Waits for a restart/);
  });

  it('writes nothing over what somebody has saved meanwhile', async () => {
    const root = await BackgroundRoot.make(toml);
    const terminal = new Terminal(['--root', root.path], { cwd: root.path });
    await terminal.shows('No pipeline has run');
    terminal.press('8');
    await terminal.shows(/▸collector_interval_seconds +0\.5/);
    terminal.press('Enter');
    terminal.type('2');
    terminal.press('Enter');
    await terminal.shows(/0\.5 → 2/);
    // The file changes and the key comes in the same moment: either the page has seen the new text, or nothing is written.
    const other = toml.replace('= 0.5', '= 7');
    await writeConfig(root.path, other);
    terminal.press('w');
    await terminal.until(
      'an answer',
      screen => screen.includes('was changed meanwhile') || screen.includes('written: '),
    );
    const after = await readFile(configOf(root.path), 'utf8');
    expect([other, other.replace('= 7', '= 2')]).toContain(after);
  });

  it('opens the editor at the line of the mistake, with its own arguments', async () => {
    const root = await BackgroundRoot.make(toml);
    const editor = await standInEditor(root.path, 'nvim');
    const lines = toml.split('\n');
    const at = lines.findIndex(line => line.startsWith('[Timing]')) + 2;
    const env = { EDITOR: `${editor.path} -u "NO NE"` };
    const terminal = new Terminal(['--root', root.path], { cwd: root.path, env });
    await terminal.shows('No pipeline has run');
    await writeConfig(root.path, lines.with(at - 1, 'collector_interval_seconds = "often"').join('\n'));
    terminal.press('8');
    await terminal.shows(`e opens line ${at}`);
    terminal.press('e');
    await terminal.shows('back from the editor');
    expect(await editor.words()).toEqual(['-u', 'NO NE', `+${at}`, configOf(root.path)]);
  });

  it.skipIf(!hasVi)('has vi stand on the line that is wrong, and takes up what was mended', async () => {
    const root = await BackgroundRoot.make(toml);
    await root.phorest('start');
    const lines = toml.split('\n');
    const terminal = new Terminal(['--root', root.path], { cwd: root.path, env: { EDITOR: 'vi' } });
    await terminal.shows('running up');
    await writeConfig(root.path, lines.toSpliced(7, 0, 'this is wrong').join('\n'));
    await terminal.shows('config wrong');
    terminal.press('e');
    await terminal.shows(/this is wrong[\s\S]*Phorest_config/);
    terminal.type('dd:wq');
    terminal.press('Enter');
    await terminal.until(
      'the console without the badge',
      screen => /running up/.test(screen) && !screen.includes('config wrong'),
    );
    expect(await readFile(configOf(root.path), 'utf8')).toBe(toml);
  });
});
