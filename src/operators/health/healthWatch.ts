import { type Amount, amountInBytes } from '../../config/kinds/amount.ts';
import type { DiskSpace } from '../../files/diskSpace.ts';
import type { Liveness } from '../../files/processIdentity.ts';
import type { Clock } from '../../model/clock.ts';
import { type Entry, isBrightfield, type ProcessIdentity } from '../../model/entry.ts';
import { moment, parseIso, utcIso } from '../../model/localTime.ts';
import { bytes, duration } from '../../model/quantity.ts';
import type { StageName } from '../../model/stageName.ts';
import type { DiskStatus, HealthStatus, PipelineStatus } from '../../model/status.ts';
import { type ClockJump, ClockJumps } from './clockJumps.ts';
import { FrameCadence } from './frameCadence.ts';
import { type Belonging, GoneProcesses } from './goneProcesses.ts';
import { powerFindings, type Throttled } from './powerSupply.ts';
import { SensorSilence } from './sensorSilence.ts';
import { SilentProcesses } from './silentProcesses.ts';
import { stageLights, worstLight } from './stageLights.ts';
import type { Finding, StandingAlarms } from './standingAlarms.ts';

/** What is to be watched, from the configuration. */
export interface WatchSettings {
  /** When to look first, and the time between two looks, ms. */
  firstMs: number;
  intervalMs: number;
  /** Time between two frames, ms; null where no camera is on. */
  frameIntervalMs: number | null;
  /** Names of the temperature sensors; none where they are off. */
  sensors: readonly string[];
  /** `min_free_disk`. */
  minFreeDisk: Amount;
}

/** What a look has found, before it is judged. */
export interface Observation {
  pipeline: PipelineStatus | null;
  /** Null when it does not answer. */
  disk: DiskSpace | 'unknown' | null;
  throttled: Throttled | null;
  /** What processes that are gone have left. */
  claims: readonly Belonging[];
  held: readonly Belonging[];
  /** Claims that were ended in this look, and why it could not be done, by stage. */
  released: number;
  repairs: readonly { stage: StageName; error: string }[];
  liveness: (process: ProcessIdentity) => Liveness;
}

/** What happened in a moment is told of for so long, ms, so that somebody sees it. */
const holdMs = 600_000;
/** A sensor may be silent for so many frame intervals. */
const silentIntervals = 1.5;
/**
 * Too little is free when it is less than this part of `min_free_disk` (the ring buffer keeps it near the whole, on purpose), or,
 * where none is set, of the disk; enough again at so many times of it.
 */
const minFreeShare = 0.75;
const littleShare = 0.02;
const enoughAgain = 1.25;

interface Moment<T> {
  value: T;
  seenMs: number;
}

/** Everything that is watched, and what is remembered of it. Time, status and disk come from the caller. */
export class HealthWatch {
  readonly #clock: Clock;
  readonly #cadence = new FrameCadence();
  readonly #sensors = new SensorSilence();
  readonly #jumps: ClockJumps;
  readonly #gone = new GoneProcesses(holdMs);
  readonly #silent: SilentProcesses;
  readonly #settings: WatchSettings;
  #jump: Moment<ClockJump> | null = null;
  #jumpCount = 0;
  #missed: Moment<number> = { value: 0, seenMs: Number.NEGATIVE_INFINITY };
  #diskLow = false;
  #released = 0;

  constructor(settings: WatchSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#jumps = new ClockJumps(clock);
    this.#silent = new SilentProcesses(0.75 * settings.intervalMs);
    this.resume();
  }

  /** What came while nobody listened is not known: frames and readings are waited for anew, counts stay. */
  resume(): void {
    const { frameIntervalMs, sensors } = this.#settings;
    const [at, seenMs] = [this.#clock.now(), this.#clock.monotonic()];
    this.#cadence.begin(frameIntervalMs, at, seenMs);
    this.#sensors.begin(frameIntervalMs === null ? [] : sensors, silentIntervals * (frameIntervalMs ?? 0), at, seenMs);
  }

  /** Takes a new entry. */
  take({ camera_data: camera, temperature_data: temperature, monotonic_ms, boot_id }: Entry): void {
    // Imported: not of our time, and without our sensors. Brightfield frames come beside the others.
    if (!camera || camera.original || isBrightfield(camera) || monotonic_ms === null) return;
    const [at, seenMs] = [this.#clock.now(), this.#clock.monotonic()];
    this.#cadence.take({ bootId: boot_id, monotonicMs: monotonic_ms }, at, seenMs);
    this.#sensors.take(temperature, at, seenMs);
  }

  /** Judges what was seen; `alarms` gets what is wrong. Returns what there is to know. */
  judge(seen: Observation, alarms: Pick<StandingAlarms, 'update' | 'standing'>) {
    const [at, seenMs] = [this.#clock.now(), this.#clock.monotonic()];
    this.#released += seen.released;
    this.#gone.take(seen.claims, seen.held, seenMs);
    const events = alarms.update([
      ...this.#clockFindings(seenMs),
      ...this.#diskFindings(seen.disk),
      ...powerFindings(seen.throttled),
      ...this.#gone.findings(),
      ...seen.repairs.map(({ stage, error }) => ({
        key: `claims of the ${stage}`,
        message: `claims of processes that are gone can't be ended for the ${stage}: ${error}`,
        light: 'amber' as const,
      })),
      ...this.#processFindings(seen, seenMs),
      ...this.#cadenceFindings(seen.pipeline, at, seenMs),
      ...this.#sensorFindings(seenMs),
    ]);
    const deserted = new Set(seen.held.map(({ stage }) => stage));
    const stages = stageLights(seen.pipeline, deserted);
    const findings = [...alarms.standing];
    const lights = [...Object.values(stages).map(({ light }) => light), ...findings.map(({ light }) => light)];
    const gap = this.#cadence.lastGap;
    const report: HealthStatus = {
      at: utcIso(at),
      light: worstLight(lights),
      stages,
      findings,
      disk: diskOf(seen),
      missed_frames: this.#cadence.missed,
      last_gap: gap && { from: utcIso(gap.from), to: utcIso(gap.to), count: gap.count },
      clock_jumps: this.#jumpCount,
      released_claims: this.#released,
    };
    return { events, report };
  }

  #clockFindings(seenMs: number): Finding[] {
    const jump = this.#jumps.detect();
    if (jump) {
      this.#jump = { value: jump, seenMs };
      this.#jumpCount++;
    }
    if (!this.#jump || seenMs - this.#jump.seenMs >= holdMs) return [];
    const { byMs, at } = this.#jump.value;
    const way = byMs > 0 ? 'forward' : 'back';
    const asleep = byMs > 0 ? ', or the machine slept' : '';
    const message = `the clock was set ${way} by ${duration(Math.abs(byMs))}${asleep}; it is ${moment(at)} now`;
    return [{ key: 'clock', message, light: 'amber' }];
  }

  #diskFindings(disk: DiskSpace | 'unknown' | null): Finding[] {
    if (disk === 'unknown') return [];
    if (!disk) {
      return [{ key: 'disk', message: 'the disk of root_dir does not answer: is it still there?', light: 'red' }];
    }
    const { minFreeDisk } = this.#settings;
    const floor = minFreeShare * amountInBytes(minFreeDisk, disk.size) || littleShare * disk.size;
    this.#diskLow = disk.free < (this.#diskLow ? enoughAgain * floor : floor);
    if (!this.#diskLow) return [];
    const message = `the disk of root_dir is nearly full: less than ${bytes(enoughAgain * floor)} of ${bytes(disk.size)} are free; make room`;
    return [{ key: 'disk', message, light: 'red' }];
  }

  #processFindings({ pipeline, liveness }: Observation, seenMs: number): Finding[] {
    if (!pipeline) return [];
    const silent = this.#silent.take(pipeline.processes, process => liveness(process) === 'alive', seenMs);
    const late = Object.entries(pipeline.stages).filter(([name, { late }]) => name !== 'health' && late !== null);
    return [
      ...silent.map(({ process: { pid, host, stages }, since }) => ({
        key: `silence of process ${pid} on ${host}`,
        message: `process ${pid} on ${host} (${stages.join(', ')}) lives, but has said nothing since ${utcTime(since)}: is it suspended, or its disk gone?`,
        light: 'red' as const,
      })),
      ...late.map(([name, { late, heartbeat }]): Finding => {
        const since = heartbeat === null ? '' : `; its last sign of life was at ${utcTime(heartbeat)}`;
        const what = late === 'hung' ? 'has work and gets nowhere' : 'should have looked for work by now';
        return { key: name, message: `the ${name} ${what}${since}`, light: late === 'hung' ? 'red' : 'amber' };
      }),
    ];
  }

  #cadenceFindings(pipeline: PipelineStatus | null, at: number, seenMs: number): Finding[] {
    const { frameIntervalMs } = this.#settings;
    if (frameIntervalMs === null) return [];
    const collector = pipeline?.stages.collector;
    const rests = pipeline !== null && (!collector || ['off', 'paused', 'stopped'].includes(collector.state));
    // Nobody takes frames on purpose: those that are not there are not missed.
    if (rests) this.#cadence.begin(frameIntervalMs, at, seenMs);
    const { missed, lastGap } = this.#cadence;
    if (missed > this.#missed.value) this.#missed = { value: missed, seenMs };
    const findings: Finding[] = [];
    const since = this.#cadence.overdueSince(seenMs);
    if (since !== null) {
      const message = `no frame since ${moment(since)}, though one is due every ${duration(frameIntervalMs)}`;
      findings.push({ key: 'frames', message, light: 'red' });
    }
    if (lastGap && seenMs - this.#missed.seenMs < holdMs) {
      const { count, from, to } = lastGap;
      const message = `${missed} frame${missed === 1 ? '' : 's'} missed so far; ${count === missed ? '' : `the last ${count} of them `}between ${moment(from)} and ${moment(to)}`;
      findings.push({ key: 'missed frames', message, light: 'amber' });
    }
    return findings;
  }

  #sensorFindings(seenMs: number): Finding[] {
    const silent = this.#sensors.silent(seenMs).map(({ sensor, since, reason }) => ({
      key: `sensor ${sensor}`,
      message: `no temperature from ${sensor} since ${moment(since)}${reason === null ? '' : `: ${reason}`}`,
      light: 'amber' as const,
    }));
    const unchanged = this.#sensors.unchanged.map(sensor => ({
      key: `sensor ${sensor}`,
      message: `the temperature of ${sensor} has been the same for too long: is the sensor stuck?`,
      light: 'amber' as const,
    }));
    return [...silent, ...unchanged];
  }
}

/** The forecast is the status file's. */
function diskOf({ disk, pipeline }: Observation): DiskStatus | null {
  return disk && disk !== 'unknown'
    ? { free: disk.free, size: disk.size, full_at: pipeline?.disk?.full_at ?? null }
    : null;
}

const utcTime = (iso: string): string => moment(parseIso(iso));
