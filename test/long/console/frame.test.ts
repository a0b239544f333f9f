import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const isWhole = (screen: string, cols: number): boolean => screen.split('\n').every(line => [...line].length <= cols);

/** The frame page of a pipeline that has taken some frames and goes on. */
async function opened(cols: number, rows: number, env: Record<string, string> = {}): Promise<Terminal> {
  const root = await BackgroundRoot.make(experimentToml({ intervalSeconds: 0.5 }));
  await root.phorest('start');
  await root.until('ten frames', ({ stages }) => (stages.communicator?.done ?? 0) >= 10);
  const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows, env });
  await terminal.shows('running up');
  terminal.press('4');
  await terminal.until(
    'a frame and its figures',
    screen => /newest · |newest - /.test(screen) && screen.includes('brightness'),
  );
  return terminal;
}

describe.skipIf(!hasTerminal)('the frame page in a terminal', () => {
  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])(
    'of %i x %i shows frames as they come, freezes, goes back, zooms, and gives the terminal back',
    async (cols, rows) => {
      const terminal = await opened(cols, rows);
      const timeOf = (screen: string): string => /\d\d:\d\d:\d\d\.\d{3}/.exec(screen.split('\n')[3] ?? '')?.[0] ?? '';
      const first = timeOf(terminal.screen);
      expect(first).not.toBe('');
      await terminal.until('the next frame', screen => timeOf(screen) !== first && timeOf(screen) !== '');
      await terminal.until('a picture', screen => (screen.match(/▀/g) ?? []).length > cols);

      terminal.press('Space');
      const [, number, of] = await terminal.until('a frame that is held', screen =>
        /held, (\d+) of (\d+)/.exec(screen),
      );
      expect(Number(number)).toBeLessThanOrEqual(Number(of));
      const frozen = timeOf(terminal.screen);
      terminal.press('[', '[');
      await terminal.until('two frames before', screen => screen.includes(`held, ${Number(number) - 2} of `));
      expect(timeOf(terminal.screen) < frozen).toBe(true);
      terminal.press(']');
      await terminal.until('one frame before', screen => screen.includes(`held, ${Number(number) - 1} of `));

      terminal.press('+', '+');
      await terminal.shows('×2.3 · held');
      terminal.press('0');
      await terminal.until('the whole frame', screen => !screen.includes('×2.3'));
      terminal.press('End');
      await terminal.until('newer frames', screen => screen.includes('newest · ') && timeOf(screen) > frozen);

      expect(isWhole(terminal.screen, cols)).toBe(true);
      expect(terminal.screen).toContain('bars are logarithmic');
      terminal.press('v');
      await terminal.until('no histogram', screen => !screen.includes('bars are logarithmic'));
      terminal.press('q');
      await terminal.shows('ended with 0');
      expect(terminal.isRestored).toBe(true);
    },
  );

  it.each([
    ['16 colours', { TERM: 'xterm', COLORTERM: '' }, /[.:][-=+*#%|o]{3}/],
    ['no colours', { NO_COLOR: '1' }, /[.:][-=+*#%|o]{3}/],
    ['ASCII', { LANG: 'C', LC_ALL: 'C' }, /[.:][-=+*#%|o]{3}/],
    ['256 colours', { TERM: 'xterm-256color' }, /▀{8}/],
    ['all colours', { TERM: 'xterm-256color', COLORTERM: 'truecolor' }, /▀{8}/],
  ])('with %s is legible', async (_what, env, picture) => {
    const terminal = await opened(100, 30, env);
    await terminal.shows(picture);
    expect(terminal.screen).toMatch(/saturated/);
    expect(isWhole(terminal.screen, 100)).toBe(true);
  });
});
