import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const sizes = [
  [60, 18],
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

const good = experimentToml({ intervalSeconds: 0.5 });
describe.skipIf(!hasTerminal)('the log in a terminal', () => {
  it.each(sizes)(
    'has lines that open in full, filters that count together, and copies by OSC 52, in %i × %i',
    async (cols, rows) => {
      const root = await BackgroundRoot.make(good);
      await root.phorest('start');
      const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows });
      terminal.takeClipboard();
      await terminal.shows('running up');
      terminal.press('5');
      await terminal.shows(/▸\d\d:\d\d:\d\d/);
      terminal.press('Up', 'Enter');
      await terminal.shows('Line of the log');
      await terminal.shows(/kind/);
      terminal.press('Escape');
      // Right after Escape another key would be one with Alt.
      await terminal.until('the log alone', screen => !screen.includes('Line of the log'));
      terminal.press('&');
      await terminal.shows('Lines of the log with');
      terminal.type('brightness');
      terminal.press('Enter');
      await terminal.shows(/\[text: brightness\]/);
      // The first frame may not be analysed yet.
      await terminal.shows(/▸\d\d:\d\d:\d\d +processor/);
      terminal.press('Up', 'y');
      await terminal.shows('copied the line');
      await terminal.until('the clipboard', () => terminal.clipboard.includes('brightness'));
      expect(terminal.lines.every(line => [...line].length <= cols)).toBe(true);
    },
  );
});
