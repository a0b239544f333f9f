import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { SensorSearch, showSensors } from '../../src/cli/findSensors.ts';
import { sensorTable } from '../../src/cli/sensorTable.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { systemClock } from '../../src/model/clock.ts';
import { SensorError } from '../../src/model/sensor.ts';
import { deviceRoot, SensorTree, w1Slave } from '../world/sensorTree.ts';

const inlet = '28-00000ff8fa16';
const outlet = '28-00000ff86450';
const signal = new AbortController().signal;

/** A command on a bus of real files with these sensors. */
async function prepare(sensors: Record<string, string>, toml = '') {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-sensors-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const root = join(folder, 'w1');
  for (const [id, text] of Object.entries(sensors)) {
    await mkdir(join(root, id), { recursive: true });
    await writeFile(join(root, id, 'w1_slave'), text);
  }
  const config = join(folder, 'c.toml');
  await writeFile(config, `# mine\n[Temperature]\ndevice_root = "${root}" # of the bus\n${toml}`);
  const lines: string[] = [];
  const output = {
    line: (line: string) => lines.push(line),
    error: (line: string) => lines.push(line),
    isInteractive: false,
  } as unknown as CommandContext['output'];
  const context: CommandContext = {
    cwd: folder,
    environment: { XDG_STATE_HOME: join(folder, 'state') },
    config,
    root: undefined,
    output,
    commands: [],
  };
  return { context, lines, text: () => readFile(config, 'utf8') };
}

describe('find sensors without a terminal', () => {
  it('lists each with its temperature or what is wrong, and the lines for the configuration; a ghost is named as one', async () => {
    const { context, lines } = await prepare({
      [inlet]: w1Slave(21.437),
      [outlet]: w1Slave(-127),
      '00-800000000000': w1Slave(5),
      w1_bus_master1: '',
    });
    expect(await showSensors(context, {})).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/^00-800000000000 is no sensor/),
      expect.stringMatching(/^ 1 {2}28-00000ff86450 {2}\(no name\) {2}no temperature: -127 °C is no temperature/),
      ' 2  28-00000ff8fa16  (no name)    21.44 °C   +0.00',
      '',
      'For the configuration:',
      '[Services]',
      'enable_thermocouple = true',
      '[Temperature.thermocouple_sensors]',
      '28-00000ff8fa16 = "Sensor 1"',
    ]);
    expect(() => parseConfig(lines.slice(5).join('\n'), 'c.toml')).not.toThrow();
  });

  it('says how 1-wire is switched on, with exit code 1', async () => {
    const { context, lines } = await prepare({});
    expect(await showSensors(context, {})).toBe(1);
    expect(lines).toEqual([expect.stringContaining('dtoverlay=w1-gpio')]);
  });

  it('gives names, keeps comments, and takes out what is simulated', async () => {
    const table = '[Temperature.thermocouple_sensors]\nsimulated = "Room" # for now\n"28-00000ff86450" = "Out" # old\n';
    const { context, lines, text } = await prepare({ [inlet]: w1Slave(21) }, table);
    expect(await showSensors(context, { name: ['28-00000FF8FA16=Inlet, left'] })).toBe(0);
    expect(await text()).toMatch(
      /# of the bus\n\[Temperature\.thermocouple_sensors\]\n"28-00000ff86450" = "Out" # old\n28-00000ff8fa16 = "Inlet, left"\n/,
    );
    expect(lines.join('\n')).toContain('enable_thermocouple false → true');
    const { config } = parseConfig(await text(), 'c.toml');
    expect(config.Temperature.thermocouple_sensors).toEqual({ [outlet]: 'Out', [inlet]: 'Inlet, left' });
  });

  it('names one that is not attached, and says that it is not', async () => {
    const { context, lines, text } = await prepare({ [inlet]: w1Slave(21) });
    expect(await showSensors(context, { name: [`${outlet}=Out`] })).toBe(0);
    expect(lines[0]).toMatch(/^warning: 28-00000ff86450: it is not in .*, there are 28-00000ff8fa16/);
    expect(await text()).toContain('28-00000ff86450 = "Out"');
  });

  it.each([
    ['no id', 'Inlet', '--name Inlet'],
    ['an id that is none', '../../x=Inlet', '--name ../../x=Inlet'],
    ['no name', `${inlet}=`, '--name 28-00000ff8fa16='],
    ['the name of another', `${inlet}=OUT`, 'a name of its own'],
    ['a name with a line end', `${inlet}=a\nb`, 'as text'],
  ])('refuses %s, and writes nothing', async (_what, name, message) => {
    const { context, text } = await prepare({}, 'thermocouple_sensors."28-00000ff86450" = "Out"\n');
    const before = await text();
    await expect(showSensors(context, { name: [name] })).rejects.toThrow(message);
    expect(await text()).toBe(before);
  });
});

describe('the table of the sensors', () => {
  it('marks the one that has become warmer than all others, once it is sure', () => {
    const row = (id: string, celsius: number) => ({ id, name: 'N', reading: { celsius }, first: 21 });
    expect(sensorTable([row('a', 22), row('b', 24)]).map(line => line.includes('<- warmer'))).toEqual([false, true]);
    expect(sensorTable([row('a', 21.1), row('b', 20)]).join()).not.toContain('warmer');
  });

  it('has a line for one that can not be read, and for one that was not yet', () => {
    const error = new SensorError('gone', 'it is gone');
    const rows = [
      { id: 'a', name: null, reading: { error }, first: 21 },
      { id: 'bb', name: 'Inlet', reading: null, first: null },
    ];
    expect(sensorTable(rows)).toEqual([
      ' 1  a   (no name)  no temperature: it is gone',
      ' 2  bb  Inlet      is being read',
    ]);
  });

  it('follows sensors that are plugged in and pulled out while it is shown', async () => {
    const tree = new SensorTree().set(inlet, w1Slave(21));
    const search = new SensorSearch(deviceRoot, {}, tree, systemClock);
    await search.look(signal);
    tree.set(outlet, w1Slave(5)).set(inlet, w1Slave(25));
    await search.look(signal);
    expect(search.rows.map(({ id, first }) => [id, first])).toEqual([
      [outlet, 5],
      [inlet, 21],
    ]);
    tree.pull(outlet);
    await search.look(signal);
    expect(search.rows.map(({ id }) => id)).toEqual([inlet]);
  });
});
