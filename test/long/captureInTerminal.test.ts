import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { closeTerminals, hasTerminal, Terminal, type TerminalOptions } from '../program/terminal.ts';

afterEach(closeTerminals);

async function open(words: readonly string[], options: Partial<TerminalOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-capture-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, 'c.toml');
  await writeFile(
    config,
    '[Camera]\ncamera_type = "simulated"\ncamera_exposure = 40 # mine\n[Paths]\nroot_dir = "lab"\n',
  );
  return { config, terminal: new Terminal(['--config', config, 'capture', ...words], { cwd: folder, ...options }) };
}

describe.skipIf(!hasTerminal)('capture in a terminal', () => {
  it('shows the picture below the figures, follows the window, and gives the terminal back', async () => {
    const { terminal } = await open(['--continuous'], { cols: 100, rows: 30 });
    await terminal.until(
      'figures and picture',
      screen => /^sharpness \d/.test(screen) && screen.includes('▀'.repeat(60)),
    );
    expect(terminal.lines.slice(5).filter(line => line.startsWith('▀')).length).toBeGreaterThan(20);
    expect(new Set(terminal.colours.match(/48;5;(2[345]\d|16)/g)).size).toBeGreaterThan(10);
    terminal.resize(60, 20);
    await terminal.until(
      'a smaller picture',
      screen =>
        screen
          .split('\n')
          .slice(5)
          .every(line => line.length <= 60 && !line.includes('▀'.repeat(61))) && screen.includes('▀'.repeat(40)),
    );
    terminal.press('q');
    await terminal.shows('ended with 0');
    expect(terminal.isRestored).toBe(true);
  });

  it('prints lines where there are no pictures to be, and ends with a signal', async () => {
    const { terminal } = await open(['--continuous', '--no-picture']);
    await terminal.until('three lines', screen => (screen.match(/sharpness \d/g) ?? []).length >= 3);
    process.kill(terminal.pid, 'SIGINT');
    await terminal.shows('ended with 0');
  });

  it('asks whether to write the exposure that it found, and writes it on yes alone', async () => {
    for (const answer of ['n', 'y']) {
      const { terminal, config } = await open(['--expose']);
      await terminal.shows('[y/N]');
      terminal.press(answer, 'Enter');
      await terminal.shows('ended with 0');
      expect(/camera_exposure = (\d+) # mine/.exec(await readFile(config, 'utf8'))?.[1] === '40').toBe(answer === 'n');
    }
  });
});
