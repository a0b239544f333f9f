import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { encodeImage } from '../../../src/image/encodeImage.ts';
import { conservation } from '../../program/conservation.ts';
import { phorestDone, temporaryRoot } from '../../program/phorest.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const frames = 120;

/** A folder of images five seconds apart, with a ROI manifest beside them; whatever replays it is stopped after the test. */
async function recordedFolder(): Promise<{ cwd: string; out: string }> {
  const cwd = await temporaryRoot();
  const out = join(cwd, 'out');
  onTestFinished(async () => {
    await phorestDone(['--root', out, 'stop', '--now'], { cwd });
  });
  const folder = join(cwd, 'old', 'run');
  await mkdir(folder, { recursive: true });
  const [width, height] = [160, 120];
  for (let i = 0; i < frames; i++) {
    const data = Uint8Array.from({ length: width * height }, (_, at) => 40 + (((at % width) + i) % 100));
    const time = new Date(Date.UTC(2025, 7, 12, 13, 45) + i * 5000).toISOString();
    const name = `frame_${time.slice(0, 10)}_${time.slice(11, 19).replaceAll(':', '-')}.png`;
    await writeFile(join(folder, name), await encodeImage({ width, height, depth: 8, data }, 'PNG'));
  }
  const manifest = { image_angle: 0, ROI_A1: { label: 'A1', flip: false, coords: [20, 20], size: [60, 30] } };
  await writeFile(join(folder, 'ROI_manifest.json'), JSON.stringify(manifest));
  return { cwd, out };
}

const words = (out: string): string[] => ['replay', 'old/run', '--method', 'max_intensity', '--out', out];
const frameOf = (screen: string): number => Number(/frame (\d+) of 120/.exec(screen)?.[1] ?? Number.NaN);
const isWhole = (screen: string, cols: number): boolean => screen.split('\n').every(line => [...line].length <= cols);

describe.skipIf(!hasTerminal)('a replay in a terminal', () => {
  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])(
    'of %i x %i is paused, stepped, sped up, sought, left and found again, and says where its results are',
    async (cols, rows) => {
      const { cwd, out } = await recordedFolder();
      const terminal = new Terminal([...words(out), '--speed', '1', '--console'], { cwd, cols, rows });
      await terminal.until('the bar', screen => frameOf(screen) >= 1 && screen.includes('×1 '));
      expect(terminal.screen).toMatch(/2025-08-12 13:45/);
      terminal.press('Space');
      await terminal.shows('paused');
      // The wish has arrived: the status says so too.
      await terminal.until('a pause', screen => /paused \(×1\)/.test(screen));
      const held = await terminal.until('a frame that is held', screen => frameOf(screen));
      terminal.press('.');
      await terminal.until('one frame more', screen => frameOf(screen) === held + 1);
      terminal.press('.');
      await terminal.until('two frames more', screen => frameOf(screen) === held + 2);

      terminal.press('g');
      await terminal.shows('Go to');
      terminal.type('13:50');
      terminal.press('Enter');
      await terminal.until('the place', screen => frameOf(screen) === 61 && screen.includes('13:50:00'));
      const skipped = 60 - held - 2;
      // On a narrow screen it is two lines.
      await terminal.shows(new RegExp(`${skipped}\\s+frames\\s+are\\s+skipped`));
      expect(isWhole(terminal.screen, cols)).toBe(true);

      terminal.press('>');
      await terminal.shows('×2');
      terminal.press('Space');
      await terminal.until('frames at twice the pace', screen => frameOf(screen) >= 62 && !screen.includes('paused'));

      terminal.press('q');
      expect(await terminal.ended()).toBe(0);
      expect(terminal.screen).toMatch(/The replay in\s+\S+/);
      expect(terminal.isRestored).toBe(true);

      // It goes on, is steered from elsewhere, and the same command finds it.
      const paused = await phorestDone(['--root', out, 'playback', 'pause', '--json'], { cwd });
      expect(JSON.parse(paused.stdout)).toMatchObject({ paused: true, count: frames, skipped });
      const again = new Terminal([...words(out), '--console'], { cwd, cols, rows });
      await again.until('the same replay', screen => screen.includes('paused') && frameOf(screen) >= 62);
      for (let i = 0; i < 13; i++) again.press('>');
      await again.shows('maximum speed');
      again.press('Space');
      await again.shows('The replay is finished. Results are in');
      expect(again.screen).toContain('finished');
      again.press('q');
      expect(await again.ended()).toBe(0);
      // A path may be longer than a line of the terminal; each begins one.
      expect(again.lines.join('')).toContain('communicating_results.csv');
      expect(again.screen).toMatch(/^table {4}/m);

      const { problems, entries } = await conservation({ root: out, acknowledged: [] });
      expect(problems).toEqual([]);
      expect(entries).toHaveLength(frames - skipped);
      // The same command reads what was skipped, and nothing else.
      const rest = await phorestDone([...words(out), '--json'], { cwd });
      expect(JSON.parse(rest.stdout)).toMatchObject({ frames: skipped, failed: 0 });
      const end = await conservation({ root: out, acknowledged: [] });
      expect([end.problems, end.entries.length]).toEqual([[], frames]);
    },
  );

  it('is begun from the menu by a form that completes paths, shown, ended after a question, and gone on with by one key', async () => {
    const { cwd } = await recordedFolder();
    const terminal = new Terminal(['--root', join(cwd, 'experiment')], { cwd, cols: 80, rows: 24 });
    await terminal.shows('none yet');
    terminal.press('m');
    await terminal.until('the menu', screen => screen.includes('replay <folder>'));
    await terminal.moveTo('replay');
    terminal.press('Enter');
    await terminal.shows('Folder');
    terminal.type('ol');
    await terminal.until('completions', screen => /^.*old\/\s*│/m.test(screen));
    terminal.press('Tab');
    await terminal.until('the folder in it', screen => /Folder\s+old\/ /.test(screen) && /run\//.test(screen));
    terminal.press('Tab');
    await terminal.shows('120 images');
    terminal.press('Down', 'Down', 'Right', 'Down');
    await terminal.until('the speed', screen => /▸Speed/.test(screen) && screen.includes('max_intensity'));
    terminal.type('1');
    terminal.press('Enter');
    await terminal.until('the replay', screen => frameOf(screen) >= 1 && screen.includes('×1 '));
    const root = join(cwd, 'replays', 'run-max_intensity');
    onTestFinished(async () => {
      await phorestDone(['--root', root, 'stop', '--now'], { cwd });
    });

    terminal.press('x');
    await terminal.shows('End the replay?');
    terminal.press('y');
    await terminal.shows('Press s to go on');
    const before = frameOf(terminal.screen);
    expect(before).toBeLessThan(frames);
    terminal.press('s');
    await terminal.until('it goes on', screen => frameOf(screen) > before && screen.includes('×1 '));
    terminal.press('q');
    await terminal.shows('the replay is in');
    terminal.press('q');
    expect(await terminal.ended()).toBe(0);
  });
});
