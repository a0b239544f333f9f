import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml } from '../../program/experiment.ts';
import { launcher } from '../../program/program.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const sizes = [
  [60, 18],
  [80, 24],
  [120, 40],
  [200, 60],
] as const;
const isWhole = (screen: string, cols: number): boolean => screen.split('\n').every(line => [...line].length <= cols);

/** A pipeline that runs, with a state folder of its own, in which it is noted. */
async function running(intervalSeconds = 1): Promise<{ root: BackgroundRoot; env: Record<string, string> }> {
  const env = { XDG_STATE_HOME: '' };
  const root = await BackgroundRoot.make(experimentToml({ intervalSeconds }), env);
  env.XDG_STATE_HOME = join(root.path, 'state');
  await root.phorest('start');
  await root.until('a frame', ({ stages }) => (stages.communicator?.done ?? 0) >= 1);
  return { root, env };
}

const attached = async (
  { root, env }: Awaited<ReturnType<typeof running>>,
  [cols, rows]: readonly [number, number] = [80, 24],
): Promise<Terminal> => {
  const terminal = new Terminal(['--root', root.path, 'console'], { cwd: root.path, cols, rows, env });
  await terminal.shows('running up');
  return terminal;
};

describe.skipIf(!hasTerminal)('a console that is at home in its terminal', () => {
  it.each(sizes)('of %i x %i has all pages by key and by click, in every theme', async (...size) => {
    const terminal = await attached(await running(), size);
    for (const key of ['2', '3', '4', '5', '6', '7', '8', '9', '1']) {
      terminal.press(key);
      await terminal.until(`page ${key}`, screen =>
        new RegExp(` ${key} [a-zA-Z]{3,}`).test(screen.split('\n')[2] ?? ''),
      );
      expect(isWhole(terminal.screen, size[0])).toBe(true);
    }
    const tab = terminal.lines[2]?.indexOf(' 5') ?? 0;
    terminal.type(`\u001b[<0;${tab + 2};3M`);
    terminal.type(`\u001b[<0;${tab + 2};3m`);
    await terminal.until('the log page', screen => screen.split('\n')[2]?.includes(' 5 log '));
    for (const words of ['dark', 'light', 'high contrast', '16 colours', 'no colour', 'ASCII', 'background asks']) {
      terminal.press('T');
      await terminal.shows(`theme: `);
      await terminal.until(`theme ${words}`, screen => screen.includes(words));
      expect(isWhole(terminal.screen, size[0])).toBe(true);
      if (words === 'light') expect(terminal.colours).toContain('48;5;231');
      if (words === 'no colour') expect(terminal.colours).not.toMatch(/[34]8;5;/);
      if (words === 'ASCII') expect(terminal.screen).toMatch(/^[ -~\n]*$/);
    }
  });

  it.each(sizes)('of %i x %i finds an action by typing and does it', async (...size) => {
    const terminal = await attached(await running(), size);
    terminal.press(':');
    await terminal.shows('Find');
    terminal.type('page log');
    await terminal.shows(': page log'.slice(0, 1));
    await terminal.until('the item', screen => /5 +page log/.test(screen));
    terminal.press('Enter');
    await terminal.until('the log page', screen => screen.split('\n')[2]?.includes(' 5 log '));
  });

  it('remembers the theme of the user', async () => {
    const pipeline = await running();
    const first = await attached(pipeline);
    first.press('T', 'T');
    await first.shows('theme: light');
    first.press('q');
    await first.ended();
    const second = await attached(pipeline);
    await second.until('a light background', () => second.colours.includes('48;5;231'));
  });

  it('shows another experiment of this machine, and goes back', async () => {
    const [one, two] = [await running(), await running()];
    two.env.XDG_STATE_HOME = one.env.XDG_STATE_HOME as string;
    const terminal = await attached(one, [120, 40]);
    terminal.press('9');
    await terminal.until('both', screen => screen.includes(basename(two.root.path)) && screen.includes('(shown)'));
    const row = terminal.lines.findIndex(line => line.includes(basename(two.root.path)));
    const click = `\u001b[<0;10;${row + 1}`;
    terminal.type(`${click}M${click}m`);
    await terminal.until('the pointer', screen => new RegExp(`▸running.*${basename(two.root.path)}`).test(screen));
    terminal.press('Enter');
    await terminal.until('the other', screen => screen.split('\n')[0]?.includes(basename(two.root.path)));
    terminal.press('9');
    await terminal.shows('(before)');
    terminal.press('b');
    await terminal.until('the first', screen => screen.split('\n')[0]?.includes(basename(one.root.path)));
    terminal.press('q');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.isRestored).toBe(true);
  });

  it('gives the terminal to the shell on Ctrl-Z, and takes it back on fg', async () => {
    const { root, env } = await running();
    const shell = new Terminal([], {
      cwd: root.path,
      env: { ...env, PS1: 'shell> ' },
      program: ['bash', '--norc', '--noprofile', '-i'],
    });
    await shell.shows('shell>');
    shell.type(`'${process.execPath}' '${launcher}' --root '${root.path}' console`);
    shell.press('Enter');
    await shell.shows('running up');
    shell.press('C-z');
    await shell.shows('Stopped');
    expect(shell.isRestored).toBe(true);
    shell.type('stty -a | grep -o ".icanon"');
    shell.press('Enter');
    await shell.until('cooked lines', screen => / icanon/.test(screen));
    shell.type('fg');
    shell.press('Enter');
    await shell.shows('running up');
    shell.press('5');
    await shell.until('keys again', screen => screen.split('\n')[2]?.includes(' 5 log '));
  });

  it('leaves the terminal as it was when it is killed', async () => {
    const terminal = await attached(await running());
    process.kill(terminal.pid, 'SIGKILL');
    await terminal.until('a restored terminal', () => terminal.isRestored);
  });
});

describe.skipIf(!hasTerminal)('a pipeline in the foreground', () => {
  it('goes on in the background when it is left there: no frame that was taken is lost, and the gap is said', async () => {
    const env = { XDG_STATE_HOME: '' };
    const root = await BackgroundRoot.make(experimentToml({ intervalSeconds: 2 }), env);
    env.XDG_STATE_HOME = join(root.path, 'state');
    const terminal = new Terminal(['--root', root.path, 'run'], { cwd: root.path, env });
    await terminal.shows('running up');
    await root.until('frames', ({ stages }) => (stages.collector?.done ?? 0) >= 2);
    terminal.press('q');
    await terminal.shows('b in the background');
    terminal.press('b');
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen).toMatch(/no frame was missed|would have been due/);
    expect(terminal.isRestored).toBe(true);
    expect(await root.living()).toHaveLength(1);
    await root.until('frames in the background', ({ stages }) => (stages.communicator?.done ?? 0) >= 2);
    await root.phorest('stop');
    expect((await root.phorest('verify')).code).toBe(0);
    const rows = readFileSync(join(root.path, 'results', 'processing_results.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(rows.length).toBeGreaterThanOrEqual(4);
  });
});
