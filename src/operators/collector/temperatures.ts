import { isDeepStrictEqual } from 'node:util';
import { distinctUntilChanged, EMPTY, map, timer } from 'rxjs';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../model/clock.ts';
import type { TemperatureData } from '../../model/entry.ts';
import type { Instant } from '../../model/frame.ts';
import type { FrameSource } from '../../model/frameSource.ts';
import { parseIso } from '../../model/localTime.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { StageFlow } from '../stage/stage.ts';
import { noSensors, SensorReader, type SensorReading, type SensorSettings } from './sensorReader.ts';

/** The temperatures that belong to a camera's frames. */
export interface Temperatures {
  /**
   * The source of frames was opened: the sensors are read for its first frame. Nobody knows when the frames of a folder come: for one the
   * sensors are read again and again.
   */
  prepare(pace: FrameSource['pace']): void;
  /**
   * What the sensors said for the frame that was triggered at `triggeredMs` (monotonic clock); null where no sensor is on. Waits for
   * nothing. The reading for the next frame, an interval later, begins so that it is over by then.
   */
  take(triggeredMs: number, intervalMs: number): TemperatureData | null;
  /** The same for an image that has just come into a folder; null for one that was not taken just now. */
  takeFor(taken: Instant): TemperatureData | null;
  /** The source was closed: nothing more is read before it is opened again. */
  rest(): void;
  close(): void;
}

/** A reading counts for a frame that is triggered within so many ms of the end of its round. */
const validMs = 10_000;
/** Between two readings while images of a folder are waited for, ms. */
const folderPaceMs = 10_000;
/** An image was taken just now when its time is no further from now, ms: a camera's computer has a clock of its own. */
const justNowMs = 60_000;
/** Rounds begin at least so far apart, ms: a sensor that measures all the time warms itself. */
const shortestPauseMs = 1000;
/** What is wrong with a sensor is told so often at most, ms. */
const tellAgainMs = 600_000;

/**
 * Reads the sensors of the configuration beside the capture, which never waits for them: a reading takes 0.75 s for each sensor, and may
 * never end. It begins before its frame is due, by as much as the last one took. With `enable_thermocouple` off nothing is read.
 */
export function readTemperatures(
  { tools, note, openSensor, replay }: Pick<Experiment, 'tools' | 'note' | 'openSensor' | 'replay'>,
  { config$ = EMPTY }: StageFlow,
): Temperatures {
  const { clock, scheduler } = tools;
  const reader = new SensorReader({ clock, open: openSensor });
  const closing = new AbortController();
  const tell = createTeller(note, clock);
  let isOn = false;
  /** Of the source that is open. */
  let wanted: FrameSource['pace'] | null = null;
  let begunMs = Number.NEGATIVE_INFINITY;
  /** How long before its frame a round begins. */
  let leadMs = 0;
  let next = timer(0, scheduler).subscribe();

  const read = async (): Promise<void> => {
    begunMs = clock.monotonic();
    await reader.readAll(closing.signal);
    if (closing.signal.aborted) return;
    tell(reader);
    if (wanted === 'own' && isOn) readIn(begunMs + folderPaceMs - clock.monotonic());
  };
  const readIn = (ms: number): void => {
    next.unsubscribe();
    const pause = begunMs + shortestPauseMs - clock.monotonic();
    next = timer(Math.max(0, ms, pause), scheduler).subscribe(() => void read());
  };
  const settings$ = replay
    ? EMPTY
    : config$.pipe(map(sensorSettings), distinctUntilChanged<SensorSettings | null>(isDeepStrictEqual));
  const following = settings$.subscribe(settings => {
    isOn = settings !== null;
    next.unsubscribe();
    reader.use(settings ?? noSensors);
    if (isOn && wanted !== null) readIn(0);
  });
  return {
    prepare: pace => {
      wanted = pace;
      if (isOn) readIn(0);
    },
    take: (triggeredMs, intervalMs) => {
      if (!isOn) return null;
      const temperature = reader.temperatureSince(triggeredMs - validMs - Math.max(leadMs, reader.roundMs));
      leadMs = 1.25 * reader.roundMs + 100;
      readIn(triggeredMs + intervalMs - clock.monotonic() - leadMs);
      return temperature;
    },
    takeFor: ({ utc, local }) => {
      const isNow = Math.abs(parseIso(utc ?? local) - clock.now()) <= justNowMs;
      return isOn && isNow
        ? reader.temperatureSince(clock.monotonic() - folderPaceMs - validMs - reader.roundMs)
        : null;
    },
    rest: () => {
      wanted = null;
      next.unsubscribe();
    },
    close: () => {
      closing.abort();
      next.unsubscribe();
      following.unsubscribe();
    },
  };
}

/** Tells of a sensor once when something is wrong with it, and once when it is well again. */
function createTeller(note: Experiment['note'], clock: Clock): (reader: SensorReader) => void {
  const told = new Map<string, { trouble: string | null; atMs: number }>();
  return reader => {
    for (const { id, name, reading } of reader.newest) {
      if (!reading) continue;
      const before = told.get(id) ?? { trouble: null, atMs: Number.NEGATIVE_INFINITY };
      const [trouble, message] = troubleOf(reading);
      if (trouble === before.trouble) continue;
      const atMs = clock.monotonic();
      // One that comes and goes is told of now and then.
      if (before.trouble === null && atMs - before.atMs < tellAgainMs) continue;
      told.set(id, { trouble, atMs });
      const sensor = `temperature sensor ${name} (${id})`;
      if (trouble === null) note('info', `${sensor}: gives temperatures again`, 'collector');
      else note('warning', `${sensor}: ${message}`, 'collector');
    }
  };
}

function troubleOf(reading: SensorReading): [string | null, string] {
  if ('error' in reading) return [reading.error.trouble, reading.error.message];
  if (!reading.flags.includes('unchanged')) return [null, ''];
  return [
    'unchanged',
    `it has said ${reading.celsius} °C for too long (Temperature.longest_unchanged_seconds): is it stuck?`,
  ];
}

/** Null: no sensor is to be read. */
/** The sensors that the configuration asks for; null: none. */
export function sensorSettings({ Services, Temperature }: Config): SensorSettings | null {
  const sensors = Temperature.thermocouple_sensors;
  if (!Services.enable_thermocouple || Object.keys(sensors).length === 0) return null;
  return {
    deviceRoot: Temperature.device_root,
    sensors,
    longestUnchangedMs: Temperature.longest_unchanged_seconds * 1000,
  };
}
