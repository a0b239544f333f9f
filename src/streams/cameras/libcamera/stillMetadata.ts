import type { FrameMetadata } from '../../../model/frame.ts';

/** What the tool says of a frame (`--metadata`). It looks like JSON, and is none where a value is text: each line is read alone. */
export function stillMetadata(text: string, exposureAsked: number): FrameMetadata {
  const said = new Map(
    [...text.matchAll(/"(\w+)"\s*:\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*[,}\n]/g)].map(([, name, value]) => [
      name,
      Number(value),
    ]),
  );
  const known = <K extends keyof FrameMetadata>(key: K, name: string, factor = 1): Partial<Record<K, number>> => {
    const value = said.get(name);
    return value === undefined ? {} : ({ [key]: value * factor } as Record<K, number>);
  };
  const temperature = known('sensor_temperature_celsius', 'SensorTemperature');
  return {
    exposure_asked_seconds: exposureAsked,
    ...known('exposure_seconds', 'ExposureTime', 1e-6),
    ...known('analogue_gain', 'AnalogueGain'),
    ...known('digital_gain', 'DigitalGain'),
    ...known('sensor_timestamp_ns', 'SensorTimestamp'),
    ...known('frame_wall_clock_ns', 'FrameWallClock'),
    // A sensor without a thermometer says 0.
    ...(temperature.sensor_temperature_celsius !== 0 && temperature),
  };
}
