import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'smol-toml';
import type { TomlEdit } from '../config/editToml.ts';
import { nodeFiles } from '../files/files.ts';
import { type Clock, systemClock } from '../model/clock.ts';
import { counted } from '../model/quantity.ts';
import { SensorReader } from '../operators/collector/sensorReader.ts';
import { type OneWireDeps, oneWireId, thermometersAmong } from '../streams/sensors/oneWire.ts';
import { isSimulatedSensor, missingSensor, openSensor } from '../streams/sensors/openSensor.ts';
import { inDialog } from './askPerson.ts';
import { changeConfig } from './changeConfig.ts';
import type { CommandContext } from './commandDefinition.ts';
import { endNow } from './endNow.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';
import { untilSignal } from './ownCamera.ts';
import { changeOf, type SensorRow, sensorTable } from './sensorTable.ts';

export interface FindSensorsOptions {
  /** `28-00000ff8fa16=Inlet`, each. */
  name?: string[];
}

/** Between two looks at the sensors, ms. */
const pauseMs = 1000;

/** The sensors on the bus and those of the configuration, read again and again. */
export class SensorSearch {
  readonly #root: string;
  readonly #names: Readonly<Record<string, string>>;
  readonly #files: OneWireDeps['files'];
  readonly #reader: SensorReader;
  #first = new Map<string, number>();
  #ghosts: string[] = [];

  /** @param names those of the configuration, by id */
  constructor(root: string, names: Readonly<Record<string, string>>, files: OneWireDeps['files'], clock: Clock) {
    this.#root = root;
    this.#names = names;
    this.#files = files;
    this.#reader = new SensorReader({ clock, open: (id, from) => openSensor(id, from, { files, clock }) });
  }

  /** Looks which sensors are there now, and reads each. */
  async look(signal: AbortSignal): Promise<void> {
    const found = await this.#files.list(this.#root);
    const thermometers = thermometersAmong(found);
    this.#ghosts = found.filter(name => oneWireId.test(name) && !thermometers.includes(name));
    const configured = Object.keys(this.#names).filter(id => !isSimulatedSensor(id));
    const ids = [...new Set([...configured, ...thermometers])];
    const sensors = Object.fromEntries(ids.map(id => [id, this.#names[id] ?? id]));
    this.#reader.use({ deviceRoot: this.#root, sensors, longestUnchangedMs: 0 });
    await this.#reader.readAll(signal);
    for (const { id, celsius } of this.rows.flatMap(({ id, reading }) =>
      reading && 'celsius' in reading ? [{ id, celsius: reading.celsius }] : [],
    )) {
      if (!this.#first.has(id)) this.#first.set(id, celsius);
    }
  }

  get rows(): SensorRow[] {
    return this.#reader.newest.map(({ id, reading }) => ({
      id,
      name: this.#names[id] ?? null,
      reading,
      first: this.#first.get(id) ?? null,
    }));
  }

  /** What there is to say besides the table. */
  async remarks(): Promise<string[]> {
    const ghosts = this.#ghosts.map(
      id => `${id} is no sensor: disturbances on the line make such names (check the pull-up of 4.7 kΩ and the cable)`,
    );
    if (this.rows.length > 0) return ghosts;
    const isThere = (await this.#files.stat(this.#root)) !== null;
    const why = isThere
      ? `no sensor is in ${this.#root}: check wires and pull-up (4.7 kΩ from data to 3.3 V)`
      : `there is no ${this.#root}: switch 1-wire on (dtoverlay=w1-gpio in /boot/firmware/config.txt, then a restart)`;
    return [...ghosts, why];
  }

  /** A reading does not come back: the process can't end by itself. */
  get hangs(): boolean {
    return this.#reader.hangs;
  }
}

/** Lists the temperature sensors; on a terminal again and again, until somebody gives them names. */
export async function showSensors(context: CommandContext, { name = [] }: FindSensorsOptions): Promise<number> {
  const { output } = context;
  const { chosen, config } = await loadConfig(context);
  const { device_root: root, thermocouple_sensors: names } = config.Temperature;
  if (name.length > 0) {
    const given = name.map(parseName);
    for (const [id] of given) {
      const missing = await missingSensor(id, root, { files: nodeFiles, clock: systemClock });
      if (missing) output.error(`warning: ${id}: ${missing.message}`);
    }
    return nameSensors(context, given);
  }
  const search = new SensorSearch(root, names, nodeFiles, systemClock);
  const code = await untilSignal(async signal => {
    await search.look(signal);
    const remarks = await search.remarks();
    for (const remark of remarks) output.line(remark);
    if (search.rows.length === 0) return exitCodes.failed;
    if (!output.isInteractive) {
      for (const line of [...sensorTable(search.rows), '', ...configLines(search.rows)]) output.line(line);
      return exitCodes.done;
    }
    output.line('Warm a sensor with a finger to see which one it is. Enter: give names. Ctrl-C: end.');
    await watch(search, output, signal);
    if (signal.aborted) return exitCodes.done;
    output.line('');
    return askNames(context, search.rows, chosen.shown, signal);
  });
  if (search.hangs) endNow(code);
  return code;
}

/** Shows the table until Enter is pressed, or the signal comes. */
async function watch(search: SensorSearch, output: CommandContext['output'], stop: AbortSignal): Promise<void> {
  const enter = new AbortController();
  const signal = AbortSignal.any([stop, enter.signal]);
  // What is typed is not shown: it would stand in the middle of the table.
  process.stdin.setRawMode(true);
  const onData = (data: Buffer): void => {
    const keys = data.toString('latin1');
    if (keys.includes('\u0003')) process.kill(process.pid, 'SIGINT');
    else if (/[\r\n]/.test(keys)) enter.abort();
  };
  process.stdin.on('data', onData).resume();
  try {
    while (!signal.aborted) {
      output.progress(...sensorTable(search.rows));
      await wait(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await search.look(signal);
    }
  } finally {
    process.stdin.off('data', onData);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    output.progress('');
    for (const line of sensorTable(search.rows)) output.line(line);
  }
}

/** Asks for the name of each sensor, the warmest first, until the names can be written. */
async function askNames(
  context: CommandContext,
  found: readonly SensorRow[],
  file: string,
  stop: AbortSignal,
): Promise<number> {
  const { output } = context;
  const rows = found.toSorted((a, b) => (changeOf(b) ?? 0) - (changeOf(a) ?? 0));
  const names = new Map(rows.map(({ id, name }) => [id, name ?? '']));
  output.line(
    'A name for each, as it stands in the results. Enter takes what is in brackets, - leaves the sensor out.',
  );
  return inDialog(async ({ ask }) => {
    for (;;) {
      for (const row of rows) {
        const warmer = `${(changeOf(row) ?? 0).toFixed(2)} °C warmer`;
        const answer = await ask(`${row.id}, ${warmer} [${names.get(row.id)}]: `);
        if (answer === null) {
          output.line(`${file} stays as it was`);
          return exitCodes.done;
        }
        if (answer !== '') names.set(row.id, answer === '-' ? '' : answer);
      }
      try {
        return await nameSensors(
          context,
          [...names].map(([id, name]) => [id, name === '' ? null : name]),
        );
      } catch (error) {
        if (!(error instanceof ExitError)) throw error;
        output.error(error.message);
      }
    }
  }, stop);
}

/** Writes names to the configuration; null takes a sensor out. What was simulated goes once a real sensor has a name. */
async function nameSensors(
  context: CommandContext,
  names: readonly (readonly [id: string, name: string | null])[],
): Promise<number> {
  const { output } = context;
  const { chosen, config } = await loadConfig(context);
  const table = ['Temperature', 'thermocouple_sensors'];
  const present = config.Temperature.thermocouple_sensors;
  const hasReal = names.some(([id, name]) => name !== null && !isSimulatedSensor(id));
  const simulated = hasReal ? Object.keys(present).filter(isSimulatedSensor) : [];
  const edits: TomlEdit[] = [
    // First what goes: a name may go from one sensor to another.
    ...[...simulated, ...names.flatMap(([id, name]) => (name === null ? [id] : []))].map(id => ({
      path: [...table, id],
      value: null,
    })),
    ...names.flatMap(([id, name]) => (name === null ? [] : [{ path: [...table, id], value: name }])),
    ...(hasReal ? [{ path: ['Services', 'enable_thermocouple'], value: true }] : []),
  ];
  const changed = await changeConfig(chosen, edits);
  output.line(changed.length === 0 ? `${chosen.shown} has these names already` : `${chosen.shown} is changed:`);
  for (const line of changed) output.line(`  ${line}`);
  return exitCodes.done;
}

function parseName(text: string): [string, string] {
  const at = text.indexOf('=');
  const [id, name] = [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
  if (at > 0 && (oneWireId.test(id) || isSimulatedSensor(id)) && name !== '') return [id, name];
  throw new ExitError(exitCodes.usage, `--name ${text}: it is an id and a name, such as 28-00000ff8fa16=Inlet`);
}

/** What to write into the configuration by hand: those that give a temperature, and those that it has already. */
function configLines(rows: readonly SensorRow[]): string[] {
  const wanted = rows.filter(({ name, reading }) => name !== null || (reading && 'celsius' in reading));
  if (wanted.length === 0) return [`none of ${counted(rows.length, 'sensor')} gives a temperature`];
  const sensors = Object.fromEntries(wanted.map(({ id, name }, i) => [id, name ?? `Sensor ${i + 1}`]));
  const toml = { Services: { enable_thermocouple: true }, Temperature: { thermocouple_sensors: sensors } };
  return ['For the configuration:', ...stringify(toml).trim().split('\n').filter(Boolean)];
}
