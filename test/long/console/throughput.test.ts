import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml, writeConfig } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

/** Whether the panel says that so many frames a second are done, within 5 %, of as many that are asked. */
const says = (perSecond: number) => (screen: string) => {
  const [, now, asked] = /now +([\d.]+) of ([\d.]+)\/s/.exec(screen) ?? [];
  return Number(asked) === perSecond && Math.abs(Number(now) / perSecond - 1) < 0.05 ? screen : null;
};

describe.skipIf(!hasTerminal)('the throughput of a pipeline that runs', () => {
  it.each([
    [60, 18, {}],
    [80, 24, { NO_COLOR: '1' }],
    [120, 40, { LANG: 'C', LC_ALL: 'C' }],
    [200, 60, {}],
  ] as const)(
    'is what the camera brings, within a twentieth, at %i × %i, also after an edit',
    async (cols, rows, env) => {
      const root = await BackgroundRoot.make(experimentToml({ intervalSeconds: 0.5 }));
      await root.phorest('start');
      const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows, env });
      const screen = await terminal.until('two frames a second', says(2));
      expect(screen).toMatch(/off: .*compressor/);
      expect(screen.split('\n').every(line => [...line].length <= cols)).toBe(true);
      if (rows === 40) expect(screen).toMatch(/5 min ago +now/);
      // Curves of all stages, and rings.
      if (rows === 60) await terminal.shows(/-\d:\d\d +now +of asked +busiest +disk used/);
      await writeConfig(root.path, experimentToml({ intervalSeconds: 0.25 }));
      await terminal.until('four frames a second', says(4));
      await root.phorest('pause', 'collector');
      await terminal.until('a camera that rests', shown => /paused: collector/.test(shown.split('\n')[0] ?? ''));
      await terminal.shows(/now +paused/);
    },
  );
});
