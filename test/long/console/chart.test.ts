import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseIso } from '../../../src/model/localTime.ts';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

/** Height of the wave, pixels, and the time from one edge to the next, s. */
const step = 5;
const half = 15;
/** Four standard errors of a single frame of this camera, pixels. */
const noise = 0.6;

const experiment = (intervalSeconds: number): string =>
  experimentToml({ intervalSeconds, method: 'gaussian' }).replace(
    '[Data_Analysis]',
    `drift_pixels = 0\nstep_pixels = ${step}\nstep_period_seconds = ${2 * half}\n\n[Data_Analysis]`,
  );

/** What the cursor reads of a column: when it began, its median and its frames. */
interface Read {
  at: number;
  median: number;
  frames: number;
}

function readOf(screen: string): Read | null {
  const found =
    /^ (?:at|last) (\d\d:\d\d:\d\d\S*) \S .*?([+-][\d.]+|0)(?: ± [\d.]+)? px(?:, \S+ to \S+)? · (?:median of )?(\d+) frames?/m.exec(
      screen,
    );
  if (!found) return null;
  const [, time, median, frames] = found as unknown as [string, string, string, string];
  const day = new Date().toISOString().slice(0, 10);
  return { at: parseIso(`${day}T${time}`), median: Number(median), frames: Number(frames) };
}

/** Opens the chart of one minute and reads its columns with the cursor, newest first. */
async function columnsOf(terminal: Terminal, count: number): Promise<Read[]> {
  terminal.press('2');
  await terminal.shows('a column is');
  // How much it shows at first depends on how long the run is.
  const span = (screen: string): string => /last (.+?) ·/.exec(screen)?.[1] ?? '';
  while (span(terminal.screen) !== '1 min') {
    const before = span(terminal.screen);
    terminal.press(before === '10 s' ? '-' : '+');
    await terminal.until('another span', screen => span(screen) !== before);
  }
  // The curve of the first ROI; and held, so that no column moves away below the cursor.
  terminal.press('Down', '[');
  await terminal.shows('held, End follows');
  terminal.press('Left');
  await terminal.shows(/^ at /m);
  const reads = new Map<number, Read>();
  for (let i = 0; i < count; i++) {
    const before = terminal.lines.find(line => line.startsWith(' at '));
    terminal.press('Left');
    await terminal.until(
      'the next column',
      screen => screen.split('\n').find(line => line.startsWith(' at ')) !== before,
    );
    const read = readOf(terminal.screen);
    if (read) reads.set(read.at, read);
  }
  return [...reads.values()];
}

describe.skipIf(!hasTerminal)('the chart in a terminal', () => {
  it.each([
    ['rare', 2],
    ['frequent', 0.5],
  ])(
    'has the edges of a known wave within a column and its heights within a fiftieth and 4 σ of a frame (0.6 px): %s frames, live and attached later',
    async (_how, interval) => {
      const root = await BackgroundRoot.make(experiment(interval));
      const live = new Terminal(['--root', root.path], { cwd: root.path });
      await live.shows('No pipeline has run');
      live.press('s');
      // A wait lasts a minute at most.
      for (const seconds of [20, 40, 60, 80])
        await root.until(
          `${seconds} s of frames`,
          ({ stages }) => (stages.communicator?.done ?? 0) >= seconds / interval,
        );
      const later = new Terminal(['--root', root.path], { cwd: root.path });
      await later.shows('running up');
      for (const terminal of [live, later]) {
        const reads = await columnsOf(terminal, 60);
        // Read afterwards: frames go on while the columns are read.
        const truth = (await readFile(join(root.path, 'generated_files', 'simulator_truth.jsonl'), 'utf8'))
          .trim()
          .split('\n')
          .map(line => JSON.parse(line) as { utc: string; positions: Record<string, number> })
          .map(({ utc, positions }) => ({ at: parseIso(utc), position: Object.values(positions)[0]! }));
        const low = Math.min(...truth.map(({ position }) => position));
        const height = Math.max(...truth.map(({ position }) => position)) - low;
        expect(reads.length).toBeGreaterThan(20 / interval / 2);
        // The shift's zero is that of the reference: one number for all columns.
        const columnMs = 60_000 / 109;
        const compared = reads.map(({ at, median }) => {
          const around = truth.filter(each => Math.abs(each.at - at) <= columnMs + 1_000 * interval + 100);
          const [nearest] = around.toSorted((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at));
          return { median, position: nearest!.position, around: around.map(({ position }) => position) };
        });
        const zeros = compared.map(({ median, position }) => position - median).sort((a, b) => a - b);
        const zero = zeros[zeros.length >> 1]!;
        for (const { median, around } of compared) {
          expect(median + zero).toBeGreaterThan(Math.min(...around) - 0.02 * height - noise);
          expect(median + zero).toBeLessThan(Math.max(...around) + 0.02 * height + noise);
        }
        expect(new Set(compared.map(({ position }) => Math.round((position - low) / height))).size).toBe(2);
      }
    },
  );

  it.each([
    [60, 18],
    [80, 24],
    [120, 40],
    [200, 60],
  ])('of %i x %i fits, in braille and in ASCII without colours', async (cols, rows) => {
    const root = await BackgroundRoot.make(experiment(0.5));
    await root.phorest('start');
    await root.until('twenty frames', ({ stages }) => (stages.communicator?.done ?? 0) >= 20);
    for (const env of [{}, { LC_ALL: 'C', NO_COLOR: '1' }] as Record<string, string>[]) {
      const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows, env });
      await terminal.shows('running up');
      terminal.press('2');
      await terminal.shows(/── Shift|-- Shift/);
      terminal.press('+', '+');
      const screen = await terminal.until('a curve', shown =>
        /^ last \d\d:\d\d:\d\d/m.test(shown) && / M median of all| M {2}median of all/.test(shown) ? shown : null,
      );
      expect(screen.split('\n').every(line => [...line].length <= cols)).toBe(true);
      if (env.NO_COLOR) expect(screen).toMatch(/^[ -~\n]*$/);
      else expect(screen).toMatch(/[\u2801-\u28ff]/);
    }
  });
});
