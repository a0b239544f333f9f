import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BackgroundRoot } from '../../program/backgroundRoot.ts';
import { experimentToml, writeConfig } from '../../program/experiment.ts';
import { closeTerminals, hasTerminal, Terminal } from '../../program/terminal.ts';

afterEach(closeTerminals);

const sizes = [[80, 24]] as const;

const good = experimentToml({ intervalSeconds: 0.5 });
/** Brightness of the shipped values is none that this camera takes: an alarm of the collector until it is the simulated one again. */
const bad = good.replace('camera_type = "simulated"', 'camera_type = "libcamera"');

describe.skipIf(!hasTerminal)('alarms in a terminal', () => {
  it.each(sizes)('stand, are acknowledged, lead to their cause, and are over, in %i × %i', async (cols, rows) => {
    const root = await BackgroundRoot.make(good);
    await root.phorest('start');
    const terminal = new Terminal(['--root', root.path], { cwd: root.path, cols, rows });
    await terminal.shows('running up');
    terminal.press('7');
    await terminal.shows('Alarms: none stands');
    await writeConfig(root.path, bad);
    await terminal.shows(/▸▲ \d\d:\d\d:\d\d +.*collector/);
    expect(terminal.lines.every(line => [...line].length <= cols)).toBe(true);
    terminal.press('a');
    await terminal.shows(/acknowledged by .* on .*\d\d:\d\d|acknowledged: /);
    const file = await readFile(join(root.path, 'flags', 'acknowledged.json'), 'utf8');
    expect(JSON.parse(file).acknowledged).toMatchObject([{ stage: 'collector', by: expect.stringMatching(/ on /) }]);

    terminal.press('Enter');
    await terminal.shows('Go to');
    // The setting that the alarm names comes first.
    await terminal.shows(/▸the setting camera_brightness/);
    terminal.press('Down');
    await terminal.shows(/▸the collector on the overview/);
    terminal.press('Enter');
    await terminal.shows(/▸ ?collector/);

    await writeConfig(root.path, good);
    terminal.press('7');
    await terminal.shows(/Alarms: none stands[\s\S]*Over[\s\S]*collector/);
    terminal.press('q');
    await terminal.ended();

    // Another console finds the past in the log on disk.
    const again = new Terminal(['--root', root.path], { cwd: root.path, cols, rows });
    await again.shows('running up');
    again.press('7');
    await again.shows(/Alarms: none stands[\s\S]*Over[\s\S]*collector/);
    again.press('Enter');
    await again.shows('its line in the log');
    again.press('End', 'Up', 'Enter');
    await again.shows(/── Log/);
  });
});
