import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Entry } from '../../src/model/entry.ts';
import type { CapturedFrame } from '../../src/model/frame.ts';
import { localIso, parseIso, utcIso } from '../../src/model/localTime.ts';
import type { CollectSettings } from '../../src/operators/collector/captureStage.ts';
import { ImageStore } from '../../src/operators/collector/imageStore.ts';
import { CollectorFixture, collectSettings } from '../world/collectorFixture.ts';
import { useStillTime } from '../world/eventRun.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { dataFolder, PipelineWorld } from '../world/pipelineWorld.ts';
import { StageRun } from '../world/stageRun.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2025, 6, 24, 12, 0, 13);

beforeEach(() => {
  // What the zone is at an instant is asked of the machine's own tables.
  process.env.TZ = 'Europe/London';
  useStillTime();
});
const zoneBefore = process.env.TZ;
afterEach(() => {
  vi.useRealTimers();
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
});

/** A frame of a camera whose one pixel tells which it is. */
const frameAt = (ms: number, number: number): CapturedFrame => ({
  kind: 'captured',
  pixels: { width: 1, height: 1, depth: 8, data: Uint8Array.of(number) },
  taken: { local: localIso(ms), utc: utcIso(ms), source: 'camera' },
  cameraIndex: 0,
});

/** A collector at work with a camera that takes the time from the clock that the test sets. */
class TimedRun {
  readonly run: StageRun<CollectSettings>;
  readonly world: PipelineWorld;
  readonly intervalMs: number;
  /** Wall clock of each frame, ms. */
  readonly taken: number[] = [];

  private constructor(world: PipelineWorld, intervalMs: number) {
    this.world = world;
    this.intervalMs = intervalMs;
    this.run = new StageRun({ ...collectSettings, intervalMs });
  }

  static async start(at: number, intervalMs: number): Promise<TimedRun> {
    vi.setSystemTime(at);
    const world = await PipelineWorld.open();
    const timed = new TimedRun(world, intervalMs);
    const fixture = new CollectorFixture(world, 'triggered');
    fixture.onNext = async () => {
      timed.taken.push(Date.now());
      return frameAt(Date.now(), timed.taken.length);
    };
    timed.run.start(fixture.stage(timed.run.tools));
    await timed.run.until(() => timed.run.count('done') === 1);
    return timed;
  }

  /** So many intervals go by. */
  async pass(intervals: number): Promise<void> {
    for (let i = 0; i < intervals; i++) {
      const count = this.run.count('done') + 1;
      await vi.advanceTimersByTimeAsync(this.intervalMs - 1);
      await this.run.rest();
      expect(this.run.count('done')).toBe(count - 1);
      await vi.advanceTimersByTimeAsync(1);
      await this.run.until(() => this.run.count('done') === count);
    }
  }

  /** Ends it and gives the entries as the next process finds them. */
  async entries(): Promise<Entry[]> {
    this.run.stop$.next();
    await this.run.until(() => this.run.complete);
    await this.world.manifest.compact();
    const next = await PipelineWorld.open(this.world.files, { pid: 2 });
    return [...next.manifest.entries()];
  }

  /** What holds whatever the clock does. */
  async mustBeSound(): Promise<Entry[]> {
    const entries = await this.entries();
    expect(entries.map(({ entry_id: id }) => id)).toEqual(
      this.taken.map((_, number) => `id${String(number).padStart(6, '0')}`),
    );
    expect(new Set(entries.map(entry => entry.camera_data!.filename)).size).toBe(entries.length);
    for (const [number, entry] of entries.entries()) {
      const { filepath, filename, timestamp_iso: local } = entry.camera_data!;
      expect(basename(filepath)).toBe(local.slice(0, 10).replaceAll('-', ''));
      const png = this.world.files.content(join(filepath, filename))!;
      expect([...(await sharp(png).toColourspace('b-w').raw().toBuffer())]).toEqual([number + 1]);
      expect(entry.timestamp_utc).toBe(utcIso(this.taken[number]!));
      expect(local).toBe(localIso(this.taken[number]!));
      const before = entries[number - 1];
      if (before) expect(entry.monotonic_ms! - before.monotonic_ms!).toBe(this.intervalMs);
    }
    expect(this.run.count('discarded')).toBe(0);
    expect(this.run.count('alarm')).toBe(0);
    return entries;
  }
}

const times = (entries: Entry[]): string[] => entries.map(entry => entry.camera_data!.timestamp_iso.slice(0, 16));
const names = (entries: Entry[]): string[] => entries.map(entry => entry.camera_data!.filename);

describe('a clock that jumps while frames are taken', () => {
  it('back by an hour: the same times come again, and neither order nor interval changes', async () => {
    const timed = await TimedRun.start(start, 20 * minute);
    await timed.pass(3);
    timed.run.setClock(Date.now() - hour);
    await timed.pass(4);
    const entries = await timed.mustBeSound();
    expect(times(entries).map(time => time.slice(11))).toEqual([
      ...['13:00', '13:20', '13:40', '14:00'],
      ...['13:20', '13:40', '14:00', '14:20'],
    ]);
    expect(names(entries)[1]).toBe('image_20250724_132013_000000_cam0.png');
    expect(names(entries)[4]).toBe('image_20250724_132013_000001_cam0.png');
  });

  it('forward from 1970 to now, as when the network comes up after the start', async () => {
    const timed = await TimedRun.start(5000, 5000);
    await timed.pass(2);
    timed.run.setClock(start);
    await timed.pass(2);
    const entries = await timed.mustBeSound();
    // All of 1970 was summer time in London.
    expect(times(entries)).toEqual([
      ...['1970-01-01T01:00', '1970-01-01T01:00', '1970-01-01T01:00'],
      ...['2025-07-24T13:00', '2025-07-24T13:00'],
    ]);
  });

  it('back over midnight: images go to the folder of the day that it says', async () => {
    const timed = await TimedRun.start(Date.UTC(2025, 6, 24, 23, 0, 1), 5000);
    await timed.pass(1);
    timed.run.setClock(Date.now() - hour);
    await timed.pass(1);
    timed.run.setClock(Date.now() + hour);
    await timed.pass(1);
    const entries = await timed.mustBeSound();
    expect(times(entries).map(time => time.slice(8, 10))).toEqual(['25', '25', '24', '25']);
  });

  it('back to the same microsecond with every frame', async () => {
    const timed = await TimedRun.start(start + 999, 5000);
    for (let i = 0; i < 4; i++) {
      timed.run.setClock(start + 999 - 5000);
      await timed.pass(1);
    }
    const entries = await timed.mustBeSound();
    expect(new Set(times(entries)).size).toBe(1);
  });
});

describe('a clock that jumps while a folder is replayed at its own pace', () => {
  it.each([-hour, hour])('by %i ms changes nothing of the pace', async jump => {
    const world = await PipelineWorld.open();
    const run = new StageRun<CollectSettings>({ ...collectSettings, speed: 1 });
    const fixture = new CollectorFixture(world, 'own').folder(4, number => number * 10);
    run.start(fixture.stage(run.tools));
    await run.until(() => run.count('done') === 1);
    await run.rest();
    run.setClock(Date.now() + jump);
    for (let done = 1; done < 4; done++) {
      await vi.advanceTimersByTimeAsync(9_900);
      await run.rest();
      expect(run.count('done')).toBe(done);
      await vi.advanceTimersByTimeAsync(100);
      await run.until(() => run.count('done') === done + 1);
    }
    run.unsubscribe();
    const mono = [...world.manifest.entries()].map(entry => entry.monotonic_ms!);
    expect(mono.map(ms => ms - mono[0]!)).toEqual([0, 10_000, 20_000, 30_000]);
  });
});

describe('daylight saving while frames are taken', () => {
  it('in autumn the hour that comes twice overwrites nothing', async () => {
    const timed = await TimedRun.start(Date.UTC(2025, 9, 26, 0, 0), 30 * minute);
    await timed.pass(4);
    const entries = await timed.mustBeSound();
    expect(times(entries).map(time => time.slice(11))).toEqual(['01:00', '01:30', '01:00', '01:30', '02:00']);
    expect(entries.map(({ timestamp_utc: utc }) => utc!.slice(11, 16))).toEqual([
      ...['00:00', '00:30', '01:00', '01:30', '02:00'],
    ]);
  });

  it('in spring the hour that does not come leaves no gap', async () => {
    const timed = await TimedRun.start(Date.UTC(2026, 2, 29, 0, 0), 30 * minute);
    await timed.pass(3);
    const entries = await timed.mustBeSound();
    expect(times(entries).map(time => time.slice(11))).toEqual(['00:00', '00:30', '02:00', '02:30']);
    expect(entries.map(({ timestamp_utc: utc }) => utc!.slice(11, 16))).toEqual(['00:00', '00:30', '01:00', '01:30']);
  });
});

describe('names of images', () => {
  const frame = (local: string) => ({ ...frameAt(0, 1), taken: { local, utc: null, source: 'camera' as const } });

  it('of one microsecond count on, over the second, the minute and the day', async () => {
    const store = new ImageStore(dataFolder, new FaultyFiles());
    const written: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { filename } = await store.write(frame('2025-12-31T23:59:59.999999'), Uint8Array.of(i));
      written.push(filename);
    }
    expect(written).toEqual([
      'image_20251231_235959_999999_cam0.png',
      'image_20260101_000000_000000_cam0.png',
      'image_20260101_000000_000001_cam0.png',
    ]);
  });

  it('are unique among all folders of a day', async () => {
    const files = new FaultyFiles();
    const local = '2025-07-24T13:00:00.000001';
    const name = 'image_20250724_130000_000001_cam0.png';
    for (let i = 0; i < 9_999; i++) files.put(`${dataFolder}/20250724/${i}.png`, '');
    files.put(`${dataFolder}/20250724/${name}`, 'old');
    const store = new ImageStore(dataFolder, files);
    expect(await store.write(frame(local), Uint8Array.of(1))).toEqual({
      filepath: `${dataFolder}/20250724_2`,
      filename: 'image_20250724_130000_000002_cam0.png',
    });
    // The first folder has room again.
    for (let i = 0; i < 10; i++) await files.remove(`${dataFolder}/20250724/${i}.png`);
    expect(await new ImageStore(dataFolder, files).write(frame(local), Uint8Array.of(2))).toEqual({
      filepath: `${dataFolder}/20250724`,
      filename: 'image_20250724_130000_000003_cam0.png',
    });
  });
});

describe('local time', () => {
  /** Instant, and what a clock on the wall showed then. */
  const shown: [zone: string, utc: string, local: string][] = [
    ['Europe/London', '2026-03-29T00:59:59.999999Z', '2026-03-29T00:59:59.999999'],
    ['Europe/London', '2026-03-29T01:00:00.000000Z', '2026-03-29T02:00:00.000000'],
    ['Europe/London', '2025-10-26T00:59:59.999999Z', '2025-10-26T01:59:59.999999'],
    ['Europe/London', '2025-10-26T01:00:00.000000Z', '2025-10-26T01:00:00.000000'],
    ['America/New_York', '2025-11-02T05:59:59.500000Z', '2025-11-02T01:59:59.500000'],
    ['America/New_York', '2025-11-02T06:00:00.000000Z', '2025-11-02T01:00:00.000000'],
    ['Australia/Lord_Howe', '2025-10-04T15:30:00.000000Z', '2025-10-05T02:30:00.000000'],
    ['Asia/Kathmandu', '2025-07-24T18:15:00.000001Z', '2025-07-25T00:00:00.000001'],
    ['UTC', '1970-01-01T00:00:00.000001Z', '1970-01-01T00:00:00.000001'],
  ];

  it.each(shown)('%s %s is %s', (zone, utc, local) => {
    process.env.TZ = zone;
    const ms = parseIso(utc);
    expect([utcIso(ms), localIso(ms)]).toEqual([utc, local]);
  });

  it('read again is the same instant, but for the hour that comes twice, which is read as the first', () => {
    process.env.TZ = 'Europe/London';
    const change = Date.UTC(2025, 9, 26, 1);
    for (let ms = change - 3 * hour; ms < change + 3 * hour; ms += 7 * minute + 0.001) {
      const again = parseIso(localIso(ms));
      const isSecond = ms >= change && ms < change + hour;
      expect(again).toBeCloseTo(isSecond ? ms - hour : ms, 2);
    }
  });
});
