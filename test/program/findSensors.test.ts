import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { w1Slave } from '../world/sensorTree.ts';
import { closeTerminals, hasTerminal, Terminal } from './terminal.ts';

afterEach(closeTerminals);

it.runIf(hasTerminal)(
  'find sensors on a terminal shows which sensor is warmed, and writes the names that are typed',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'phorest-sensors-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const put = (id: string, celsius: number): void => {
      mkdirSync(join(folder, 'w1', id), { recursive: true });
      writeFileSync(join(folder, 'w1', id, 'w1_slave'), w1Slave(celsius));
    };
    put('28-00000ff8fa16', 21);
    put('28-00000ff86450', 21);
    const config = join(folder, 'c.toml');
    writeFileSync(config, `# mine\n[Temperature]\ndevice_root = "${folder}/w1" # of the bus\n`);
    const terminal = new Terminal(['--config', config, 'find', 'sensors'], { cwd: folder, cols: 100, rows: 24 });
    await terminal.shows(/28-00000ff8fa16.* 21\.00 °C/);
    put('28-00000ff8fa16', 24.5);
    const screen = await terminal.shows(/28-00000ff8fa16 .*\+3\.50 {2}<- warmer/);
    // The table is drawn in its place.
    expect(screen.match(/28-00000ff86450/g)).toHaveLength(1);
    terminal.press('Enter');
    await terminal.shows('28-00000ff8fa16, 3.50 °C warmer []:');
    terminal.type('Inlet');
    terminal.press('Enter');
    await terminal.shows('28-00000ff86450, 0.00 °C warmer []:');
    // The other one's name is refused, and asked for again; what is typed before the questions stand there answers them.
    terminal.press(...['i', 'n', 'l', 'e', 't', 'Enter', 'Enter', '-', 'Enter']);
    expect(await terminal.ended()).toBe(0);
    expect(readFileSync(config, 'utf8')).toMatch(/^# mine\n.*# of the bus\n.*28-00000ff8fa16 = "Inlet"\n/s);
    expect(readFileSync(config, 'utf8')).not.toContain('28-00000ff86450');
  },
);
