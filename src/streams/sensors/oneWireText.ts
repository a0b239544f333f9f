import { number } from '../../model/quantity.ts';
import { type RawReading, SensorError } from '../../model/sensor.ts';

/** What a thermometer of a family (the two digits that its id begins with) can measure, °C. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  // A thermocouple of type K behind a MAX31850.
  '3b': [-200, 1350],
};
const usualRange = [-55, 125] as const;

/** What a sensor shows when it has just got power. */
const powerOn = 85;
/** Byte 6 of what a DS18B20 holds then; the first measurement changes it (`w1_therm` of Linux goes by the same). */
const unmeasured = 0x0c;
/** What a DS18B20 shows when its power was too weak for a measurement. */
const weakPower = 127.9375;

/**
 * The temperature in the text of a `w1_slave` file: two lines, the nine bytes of the sensor in each, then `crc=57 YES` and `t=21437`.
 * @throws SensorError when it is none.
 */
export function parseW1Slave(text: string, family: string): RawReading {
  if (text.trim() === '') throw new SensorError('empty', 'the sensor gave nothing: is its data line broken?');
  const check = /crc=[0-9a-f]{2} (YES|NO)\b/i.exec(text);
  if (!check) throw new SensorError('unreadable', `w1_slave is no reading: ${shown(text)}`);
  const bytes = /^\s*((?:[0-9a-f]{2}\s+){9}):/i.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  // Their checksum is right.
  if (bytes.length > 0 && bytes.every(byte => byte === '00')) {
    throw new SensorError('zeros', 'all bytes are 0: is the data line short-circuited, or the sensor without power?');
  }
  if (check[1]!.toUpperCase() === 'NO') {
    const why = 'is the cable too long, its pull-up of 4.7 kΩ missing, or the sensor gone?';
    throw new SensorError('checksum', `the checksum of the reading is wrong: ${why}`);
  }
  const value = /\bt=(-?\d+)\s*$/.exec(text)?.[1];
  if (value === undefined) throw new SensorError('unreadable', `w1_slave has no temperature: ${shown(text)}`);
  const reading = judged(Number(value) / 1000, family);
  if (reading.doubt && Number.parseInt(bytes[6] ?? '', 16) === unmeasured) return { ...reading, isUnmeasured: true };
  return reading;
}

/**
 * The temperature in the text of a `temperature` file: thousandths of a degree.
 * @throws SensorError when it is none.
 */
export function parseTemperature(text: string, family: string): RawReading {
  const value = text.trim();
  if (value === '') throw new SensorError('empty', 'the sensor gave nothing: is its data line broken?');
  if (!/^-?\d+$/.test(value)) throw new SensorError('unreadable', `its file holds no temperature: ${shown(text)}`);
  // What is all zeros in the sensor can't be told from a real 0 here.
  if (Number(value) === 0) {
    const doubt = new SensorError('zeros', '0 °C, which a sensor without power shows too');
    return { celsius: 0, doubt };
  }
  return judged(Number(value) / 1000, family);
}

function judged(celsius: number, family: string): RawReading {
  if (family !== '3b' && Math.abs(celsius - weakPower) < 0.05) {
    throw new SensorError('power_on', `${celsius} °C is what a sensor shows whose power is too weak to measure`);
  }
  const [lowest, highest] = ranges[family] ?? usualRange;
  if (!(celsius >= lowest && celsius <= highest)) {
    const meaning = celsius === -127 ? ', which stands for a sensor that is gone' : '';
    throw new SensorError(
      'range',
      `${number(celsius)} °C is no temperature that it can measure (${lowest} to ${highest} °C)${meaning}`,
    );
  }
  if (celsius !== powerOn) return { celsius };
  const doubt = new SensorError(
    'power_on',
    '85 °C, which a sensor shows when it has just got power; nothing near it was measured before or by another sensor',
  );
  return { celsius, doubt };
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 80));
