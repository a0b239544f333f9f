import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { timeOf } from '../world/timeOf.ts';
import { BackgroundRoot } from './backgroundRoot.ts';
import { configOf, experimentToml, picture, writeConfig, writeRois } from './experiment.ts';
import { closeTerminals, hasTerminal, Terminal, type TerminalOptions } from './terminal.ts';

/** A small experiment in a folder of its own. */
const experiment = (intervalSeconds = 0.3): Promise<BackgroundRoot> =>
  BackgroundRoot.make(experimentToml({ intervalSeconds }));

const openConsole = ({ path }: BackgroundRoot, options: Partial<TerminalOptions> = {}): Terminal =>
  new Terminal(['--root', path], { cwd: path, ...options });

afterEach(closeTerminals);

/** The row of a stage in the table. */
const rowOf = (screen: string, stage: string): string =>
  screen.split('\n').find(line => line.replace(/^[▸>\s]*/, '').startsWith(`${stage} `)) ?? '';

/** How many the stage has done, from the line below the table or the column `done`. */
function done(screen: string, stage: string): number {
  const lines = screen.split('\n');
  const header = lines.find(line => line.includes('stage') && line.includes('done')) ?? '';
  const end = header.indexOf('done') + 'done'.length;
  return Number(/([\d,]+)\s*$/.exec(rowOf(screen, stage).slice(0, end))?.[1]?.replaceAll(',', '') ?? Number.NaN);
}

const fits = (screen: string, cols: number): boolean => screen.split('\n').every(line => [...line].length <= cols);

describe.skipIf(!hasTerminal)('the console in a terminal', () => {
  it('starts a pipeline, watches and steers it, and sees it crash, go on and stop', async () => {
    const root = await experiment();
    let terminal = openConsole(root);
    await terminal.shows('No pipeline has run in this folder yet');
    terminal.press('s');
    await terminal.until('rising counts', screen => done(screen, 'communicator') >= 2);
    const first = done(terminal.screen, 'collector');
    await terminal.until('more frames', screen => done(screen, 'collector') > first + 1);
    expect(terminal.screen).toMatch(/running up .* pid \d+/);

    // One stage rests, the others go on.
    terminal.press('Down', 'p');
    await terminal.until('paused processor', screen => rowOf(screen, 'processor').includes('paused'));
    const processed = done(terminal.screen, 'processor');
    const collected = done(terminal.screen, 'collector');
    await terminal.until('more frames', screen => done(screen, 'collector') > collected + 2);
    expect(done(terminal.screen, 'processor')).toBe(processed);

    // A mistake in the configuration stops nothing, and is gone when it is mended.
    await writeConfig(root.path, experimentToml({ intervalSeconds: 0.2 }).replace('= 0.2', '= "often"'));
    await terminal.shows(/Phorest_config\.toml:\d+:\d+: Timing\.collector_interval_seconds is "often"/);
    const before = done(terminal.screen, 'collector');
    await terminal.until('more frames', screen => done(screen, 'collector') > before + 1);
    terminal.press('5');
    await writeConfig(root.path, experimentToml({ intervalSeconds: 0.2 }));
    await terminal.shows(/collector: new settings: collector_interval_seconds 0\.3 → 0\.2/);
    await terminal.until('mended configuration', screen => !screen.split('\n')[1]?.includes('often'));

    // It goes on without its console, and the pause outlives that.
    terminal.press('q');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen).toContain('goes on');
    expect(terminal.isRestored).toBe(true);
    terminal = openConsole(root, { cols: 80, rows: 24 });
    await terminal.until('paused processor', screen => rowOf(screen, 'processor').includes('paused'));
    expect(fits(terminal.screen, 80)).toBe(true);
    terminal.press('Down', 'p');
    await terminal.until('running processor', screen => rowOf(screen, 'processor').includes('running'));

    // Any size.
    terminal.resize(200, 60);
    await terminal.until('chart, chip and frame', screen =>
      ['Stages', 'Shift', 'Chip', 'Frame', 'Log'].every(title => screen.includes(`── ${title}`)),
    );
    terminal.resize(59, 17);
    await terminal.shows(/too small/i);
    terminal.resize(80, 24);
    await terminal.until('stages again', screen => rowOf(screen, 'collector').includes('running'));

    // A kill is seen within three seconds, and what was left is taken over.
    const [running] = await root.living();
    const pid = running!.pid;
    const now = timeOf(() => [process.pid, terminal.pid, terminal.ownPid]);
    const killed = now();
    process.kill(pid, 'SIGKILL');
    await terminal.shows('crashed');
    expect(now() - killed).toBeLessThan(3000);
    terminal.press('s');
    await terminal.until('another process', screen => {
      const now = /running up .* pid (\d+)/.exec(screen)?.[1];
      return now !== undefined && now !== String(pid);
    });
    await terminal.until('rising counts', screen => done(screen, 'communicator') >= 1);
    terminal.press('x');
    await terminal.shows('Stop the pipeline?');
    terminal.press('y');
    await terminal.until('a stopped pipeline', screen => screen.split('\n')[0]?.includes('stopped'));
    const status = await root.phorest('status');
    expect([status.code, status.stdout]).toEqual([3, expect.stringContaining('stopped')]);
  });

  it('replays a folder from the menu, edits the configuration, and shows the log', async () => {
    const root = await experiment();
    const folder = join(root.path, 'old');
    await mkdir(folder);
    for (let i = 0; i < 3; i++) await writeFile(join(folder, `img_2025072413451${i}.png`), await picture(120, 60));
    await writeRois(root.path, 2, [10, 80]);
    const terminal = openConsole(root, {
      cols: 200,
      rows: 60,
      env: { EDITOR: 'sed -i s/max_intensity/gaussian/' },
    });
    await terminal.shows('No pipeline has run');
    terminal.press('m');
    await terminal.shows(/replay .*stream a folder/);
    await terminal.moveTo('replay');
    terminal.press('Enter');
    await terminal.shows('Folder');
    terminal.type('old');
    await terminal.shows('3 images');
    terminal.press('Down');
    terminal.type('generated_files/ROI_manifest.json');
    terminal.press('Enter');
    await terminal.shows(/frame 3 of 3/);
    const results = join(root.path, 'replays/old-max_intensity/results/processing_results.jsonl');
    await terminal.shows('finished');
    expect((await readFile(results, 'utf8')).split('\n')).toHaveLength(4);
    terminal.press('q');
    await terminal.shows('No pipeline has run');

    terminal.press('e');
    await terminal.shows('back from the editor');
    terminal.press('s');
    await terminal.until('frames', screen => done(screen, 'communicator') >= 1);
    expect(await readFile(configOf(root.path), 'utf8')).toContain('method = "gaussian"');

    terminal.press('5');
    await terminal.shows(/processor: image_.*ROIs/);
    terminal.press('/');
    terminal.type('new settings');
    terminal.press('Enter');
    await terminal.shows('new settings');
    process.kill(terminal.pid, 'SIGTERM');
    expect(await terminal.ended()).toBe(143);
    expect(terminal.isRestored).toBe(true);
  });

  it('draws in plain ASCII without colours where the terminal can do no more, and says nothing of its own on the screen', async () => {
    const root = await experiment();
    await root.phorest('start');
    const plain = openConsole(root, { env: { LANG: 'C', LC_ALL: 'C', NO_COLOR: '1' } });
    await plain.until('counts', screen => done(screen, 'collector') >= 1);
    expect(plain.screen).toMatch(/^[\x20-\x7e\n]*$/);
    expect(plain.colours.split('\u001b[').filter(text => /^[\d;]*(3[0-8]|4[0-8]|9[0-7])[;m]/.test(text))).toEqual([]);
    plain.press('q');
    expect(await plain.ended()).toBe(0);
    const terms = ['screen-256color', 'tmux-256color', 'linux', 'xterm'];
    const consoles = terms.map(async term => {
      const terminal = openConsole(root, { cols: 80, rows: 24, env: { TERM: term } });
      await terminal.until(`counts with TERM=${term}`, screen => done(screen, 'collector') >= 1);
      expect(terminal.screen).not.toMatch(/warning|terminfo|\(node|not supported/i);
      terminal.press('C-c');
      expect([term, await terminal.ended(), terminal.isRestored]).toEqual([term, 0, true]);
    });
    await Promise.all(consoles);
  });

  it('shows a pipeline that runs in its own process, and ends with it', async () => {
    const root = await experiment();
    const terminal = new Terminal(['--root', root.path, 'run'], { cwd: root.path, cols: 100, rows: 30 });
    await terminal.until('counts', screen => done(screen, 'communicator') >= 2);
    terminal.press('C-c');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.isRestored).toBe(true);
    expect(terminal.screen).toMatch(/stopped: \d+ collected · \d+ analysed/);
    expect((await root.phorest('status')).code).toBe(3);
  });

  it('prints the status and ends where there is no terminal', async () => {
    const root = await experiment();
    const ended = await root.phorest();
    expect([ended.code, ended.stdout]).toEqual([3, expect.stringContaining('no pipeline has run')]);
    const asked = await root.phorest('console');
    expect([asked.code, asked.stdout]).toEqual([3, ended.stdout]);
  });
});
