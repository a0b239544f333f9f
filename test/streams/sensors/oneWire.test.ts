import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeFiles } from '../../../src/files/files.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { RawReading, SensorError } from '../../../src/model/sensor.ts';
import { openOneWire } from '../../../src/streams/sensors/oneWire.ts';
import { openSensor } from '../../../src/streams/sensors/openSensor.ts';
import { deviceRoot, powerOnText, SensorTree, systemError, w1Slave, zerosText } from '../../world/sensorTree.ts';
import { describeSensor } from './sensorContract.ts';

const id = '28-00000ff8fa16';
const other = '28-00000ff86450';
const signal = new AbortController().signal;

describe('a thermometer with w1_slave', () => {
  describeSensor(() => {
    const tree = new SensorTree().set(id, w1Slave(21.437)).set(other, w1Slave(5));
    const fault = (answer: Parameters<SensorTree['set']>[1]) => () => void tree.set(id, answer);
    return {
      open: clock => openSensor(id, deviceRoot, { files: tree, clock }),
      celsius: 21.437,
      faults: [
        { title: 'its cable was pulled', trouble: 'gone', begin: () => tree.pull(id) },
        { title: 'its file is empty', trouble: 'empty', begin: fault('') },
        { title: 'its file has a line end and nothing else', trouble: 'empty', begin: fault('\n') },
        { title: 'all its bytes are zeros', trouble: 'zeros', begin: fault(zerosText) },
        {
          title: 'all its bytes are ones',
          trouble: 'checksum',
          begin: fault(w1Slave(-0.062, { bytes: 'ff ff ff ff ff ff ff ff ff', check: 'NO' })),
        },
        {
          title: 'its checksum is wrong each time',
          trouble: 'checksum',
          begin: fault(w1Slave(21.437, { check: 'NO' })),
        },
        { title: 'it says -127', trouble: 'range', begin: fault(w1Slave(-127)) },
        { title: 'it says more than it can measure', trouble: 'range', begin: fault(w1Slave(150)) },
        { title: 'its power is too weak', trouble: 'power_on', begin: fault(w1Slave(127.937)) },
        { title: 'it says 85 after power-on', trouble: 'power_on', begin: fault(powerOnText) },
        {
          title: 'its file is cut off in the first line',
          trouble: 'unreadable',
          begin: fault('57 01 4b 46 7f ff 09 10 d2 :'),
        },
        {
          title: 'its file is cut off before the temperature',
          trouble: 'unreadable',
          begin: fault(w1Slave(21.437).replace(/ t=.*/s, '')),
        },
        { title: 'its temperature is no number', trouble: 'unreadable', begin: fault(w1Slave(Number.NaN)) },
        { title: 'its file is noise', trouble: 'unreadable', begin: fault('\u0000\u0001<html>') },
        { title: 'the system reads it with an error', trouble: 'unreadable', begin: fault(systemError('EIO')) },
        { title: 'it may not be read', trouble: 'unreadable', begin: fault(systemError('EACCES')) },
        {
          title: 'its driver is not loaded',
          trouble: 'driver',
          begin: () => {
            tree.pull(id);
            tree.set(id, 'w1_slave_driver', 'name');
          },
        },
      ],
      mend: () => void tree.set(id, w1Slave(21.437)),
      hang: () => {
        const { promise, resolve } = Promise.withResolvers<string>();
        tree.set(id, promise);
        return () => resolve(w1Slave(99));
      },
    };
  });
});

describe('a thermometer with only a temperature file', () => {
  describeSensor(() => {
    const tree = new SensorTree();
    const put = (text: string) => void tree.set(id, text, 'temperature');
    put('-1250\n');
    return {
      open: clock => openSensor(id, deviceRoot, { files: tree, clock }),
      celsius: -1.25,
      faults: [
        { title: 'its file is empty', trouble: 'empty', begin: () => put('') },
        { title: 'it says -127', trouble: 'range', begin: () => put('-127000') },
        { title: 'it says 85', trouble: 'power_on', begin: () => put('85000\n') },
        { title: 'it says 0, as a sensor without power does', trouble: 'zeros', begin: () => put('0\n') },
        { title: 'it says a word', trouble: 'unreadable', begin: () => put('nan') },
      ],
      mend: () => put('-1250\n'),
    };
  });
});

describe('a simulated thermometer', () => {
  describeSensor(() => ({
    open: clock => openSensor('simulated', deviceRoot, { files: new SensorTree(), clock }),
    celsius: null,
    faults: [],
    mend: () => undefined,
  }));
});

const read = (tree: SensorTree, name = id): Promise<RawReading> =>
  openOneWire(name, deviceRoot, { files: tree, clock: systemClock }).read(signal);
const troubleOf = (tree: SensorTree, name = id): Promise<SensorError> =>
  read(tree, name).then(
    () => Promise.reject(new Error('it gave a temperature')),
    (error: SensorError) => error,
  );

describe('a reading of a 1-wire thermometer', () => {
  it('is taken again when its checksum is wrong, twice at most', async () => {
    let reads = 0;
    const tree = new SensorTree().set(id, () => w1Slave(21.5, { check: ++reads < 3 ? 'NO' : 'YES' }));
    expect(await read(tree)).toEqual({ celsius: 21.5 });
    expect(reads).toBe(3);
    tree.set(id, () => w1Slave(21.5, { check: 'NO' }));
    expect((await troubleOf(tree)).trouble).toBe('checksum');
    expect(tree.reads).toHaveLength(6);
  });

  it('is not taken again for ever on a line that is slow and disturbed', async () => {
    let now = 0;
    const tree = new SensorTree().set(id, () => {
      now += 4000;
      return w1Slave(21.5, { check: 'NO' });
    });
    const sensor = openOneWire(id, deviceRoot, { files: tree, clock: { now: () => now, monotonic: () => now } });
    await expect(sensor.read(signal)).rejects.toThrow('checksum');
    expect(tree.reads).toHaveLength(1);
  });

  it('shows 85 °C only until the sensor has measured once', async () => {
    let reads = 0;
    const tree = new SensorTree().set(id, () => (++reads === 1 ? powerOnText : w1Slave(22)));
    expect(await read(tree)).toEqual({ celsius: 22 });
  });

  it('of a thermocouple may be hotter than a thermometer can bear', async () => {
    const tree = new SensorTree().set('3b-0000001921e8', w1Slave(127.9375)).set(id, w1Slave(600));
    expect(await read(tree, '3b-0000001921e8')).toEqual({ celsius: 127.938 });
    expect((await troubleOf(tree)).trouble).toBe('range');
  });

  it('never takes the file of another sensor, and names those that are there', async () => {
    const tree = new SensorTree().set(other, w1Slave(5)).set('00-800000000000', w1Slave(7));
    const { trouble, message } = await troubleOf(tree);
    expect(trouble).toBe('gone');
    expect(message).toContain(`there are ${other}:`);
    expect(tree.reads).toEqual([]);
  });

  it('is none of a ghost, which is not even read', async () => {
    const tree = new SensorTree().set('00-800000000000', w1Slave(7));
    expect((await troubleOf(tree, '00-800000000000')).trouble).toBe('ghost');
    expect(tree.reads).toEqual([]);
  });

  it('says how 1-wire is switched on where there is no bus', async () => {
    const tree = new SensorTree();
    tree.isMounted = false;
    const { trouble, message } = await troubleOf(tree);
    expect(trouble).toBe('bus');
    expect(message).toContain('dtoverlay=w1-gpio');
  });

  it('comes from the files of a real file system, through the links that sysfs has; what is no file is told', async () => {
    const root = mkdtempSync(join(tmpdir(), 'w1-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'bus/devices'), { recursive: true });
    mkdirSync(join(root, 'master', id), { recursive: true });
    symlinkSync(join('../../master', id), join(root, 'bus/devices', id));
    writeFileSync(join(root, 'master', id, 'w1_slave'), w1Slave(21.437));
    const sensor = openOneWire('28-00000FF8FA16', join(root, 'bus/devices'), { files: nodeFiles, clock: systemClock });
    expect(await sensor.read(signal)).toEqual({ celsius: 21.437 });
    rmSync(join(root, 'master', id, 'w1_slave'));
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>(resolve => server.listen(join(root, 'master', id, 'w1_slave'), resolve));
    await expect(sensor.read(signal)).rejects.toMatchObject({ trouble: 'unreadable' });
  });
});
