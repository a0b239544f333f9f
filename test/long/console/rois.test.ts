import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const isWhole = (screen: string, cols: number): boolean => screen.split('\n').every(line => [...line].length <= cols);

async function running(): Promise<BackgroundRoot> {
  const root = await BackgroundRoot.make(experimentToml({ intervalSeconds: 0.5, method: 'gaussian' }));
  await root.phorest('start');
  await root.until('twelve frames', ({ stages }) => (stages.communicator?.done ?? 0) >= 12);
  return root;
}

describe.skipIf(!hasTerminal)('ROIs in a terminal', () => {
  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])('of %i x %i: the table, one ROI looked into in the last frame, and the chip', async (cols, rows) => {
    const root = await running();
    const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows });
    await terminal.shows('running up');
    terminal.press('6');
    const labelsOf = (screen: string): string[] =>
      [...screen.matchAll(/^.(\d{3}[AB]_[NS]) /gm)].map(([, label]) => label!);
    await terminal.until('a table of the last result', screen =>
      /^▸\d{3}[AB]_[NS] +[-+]\d+\.\d+ +\d+\.\d+/m.test(screen),
    );
    const [first] = labelsOf(terminal.screen);

    terminal.press('o');
    await terminal.until(
      'the order of the shift',
      screen => screen.includes('shift px▾') && labelsOf(screen)[0] !== first,
    );
    terminal.press('/');
    terminal.type('008B_N');
    await terminal.until('one ROI while it is typed', screen => labelsOf(screen).join() === '008B_N');
    terminal.press('Enter', 'Enter');
    await terminal.until(
      'what the analysis saw of it',
      screen =>
        screen.includes('── ROI 008B_N') &&
        screen.includes('χ² ') &&
        screen.includes('reference') &&
        screen.includes('▀▀▀▀'),
    );
    expect(terminal.screen).not.toContain('other numbers');
    const frame = /image_\d{8}_\d{6}/.exec(terminal.screen)?.[0];
    await terminal.until('a later frame', screen => (/image_\d{8}_\d{6}/.exec(screen)?.[0] ?? frame) !== frame);
    expect(isWhole(terminal.screen, cols)).toBe(true);
    terminal.press('Escape');
    await terminal.shows('1 of 32 ROIs with 008B_N');

    terminal.press('3');
    await terminal.shows(/▸ 008B_N +shift [-+]\d/);
    terminal.press('Up');
    await terminal.until('the half above', screen => /▸ \d{3}[AB]_[NS]/.test(screen) && !screen.includes('▸ 008B_N'));
    terminal.press('c');
    await terminal.shows('σ of each grating');
    expect(isWhole(terminal.screen, cols)).toBe(true);
    terminal.press('Enter');
    await terminal.until('the ROI under the cursor', screen => /── ROI \d{3}[AB]_[NS] · /.test(screen));
    terminal.press('Escape');
    await terminal.shows('σ of each grating');
    terminal.press('q');
    await terminal.shows('ended with 0');
    expect(terminal.isRestored).toBe(true);
  });

  it('are shown by inspect, with the same numbers as in the line, and drawn as a picture; provenance leads to all of it', async () => {
    const root = await running();
    await root.phorest('stop');
    const [, row] = (await readFile(join(root.path, 'results', 'communicating_results.csv'), 'utf8'))
      .trim()
      .split('\n')
      .slice(-2);
    const [time, label] = row!.split(',') as [string, string];
    const terminal = new Terminal(['--root', root.path, 'inspect', time, label], {
      cwd: root.path,
      cols: 100,
      rows: 100,
    });
    await terminal.shows('ended with 0');
    for (const text of [
      `ROI ${label}`,
      'the same numbers as in the result line',
      'mean row and fit',
      'frame over reference',
    ])
      expect(terminal.screen).toContain(text);
    const out = join(root.path, 'roi.png');
    const drawn = await root.phorest('inspect', time, label, '--out', out);
    expect(drawn.stdout).toContain('the same numbers as in the result line');
    const { width, height } = await sharp(out).metadata();
    expect([width, height]).toEqual([1860, expect.any(Number)]);
    const origin = JSON.parse((await root.phorest('provenance', time, label, '--json')).stdout);
    expect(origin).toMatchObject({ roi: { 'ROI-label': label }, image: { where: 'local' }, missing: [] });
    expect(origin.code_version).toMatch(/^\d+\.\d+\.\d+/);
  });
});
