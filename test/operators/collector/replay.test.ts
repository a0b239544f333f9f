import { BehaviorSubject } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Playback, type PlaybackWish, withWish } from '../../../src/model/playback.ts';
import type { ReplayStatus } from '../../../src/model/replay.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import { emptyStatus, reduceStatus, statusOf } from '../../../src/sinks/status/statusOfEvents.ts';
import { CollectorFixture, collectSettings, importedFrame } from '../../world/collectorFixture.ts';
import { useStillTime } from '../../world/eventRun.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { StageRun } from '../../world/stageRun.ts';

const hour = 3600;
const own = { host: 'pi', boot_id: 'b', pid: 1, pid_start: 1 };

/** A folder that is replayed into the manifest, with somebody who steers it. */
class SteeredReplay {
  readonly playback$: BehaviorSubject<Playback>;
  readonly world: PipelineWorld;
  readonly fixture: CollectorFixture;
  readonly run: StageRun<CollectSettings>;

  private constructor(world: PipelineWorld, speed: number, playback: Playback) {
    this.world = world;
    this.playback$ = new BehaviorSubject(playback);
    this.fixture = new CollectorFixture(world, 'own');
    this.run = new StageRun<CollectSettings>({ ...collectSettings, speed });
  }

  static async start(
    frames: number,
    { speed = 1, seconds = (number: number): number => number, playback = {} as Playback } = {},
  ): Promise<SteeredReplay> {
    const replay = new SteeredReplay(await PipelineWorld.open(), speed, playback);
    replay.fixture.recording(frames, seconds);
    replay.begin();
    await replay.run.rest();
    return replay;
  }

  begin(): void {
    const { fixture, run, playback$ } = this;
    run.settings$.complete();
    run.start(fixture.stage({ ...run.tools, playback$ }));
  }

  async ask(...wishes: PlaybackWish[]): Promise<void> {
    for (const wish of wishes) this.playback$.next(withWish(this.playback$.value, wish));
    await this.run.rest();
  }

  async pass(seconds: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    await this.run.rest();
  }

  /** Numbers of the frames that were taken, in their order. */
  get taken(): number[] {
    return this.run.events.flatMap(event =>
      event.kind === 'done' ? [Number(/\d+/.exec(String(event.detail.image))?.[0]) + 1] : [],
    );
  }

  get status(): ReplayStatus {
    const state = this.run.events.reduce(reduceStatus, emptyStatus);
    return statusOf(state, own, { runId: 'run', startedAt: 0, at: Date.now() }).replay!;
  }

  /** The processor takes what waits. */
  async analyse(): Promise<void> {
    for (const entry of await this.world.manifest.claim('processor', 100)) await this.world.settleProcessed(entry);
    await this.run.rest();
  }
}

const pause: PlaybackWish = { kind: 'pause' };
const resume: PlaybackWish = { kind: 'resume' };
const stepOne: PlaybackWish = { kind: 'step', frames: 1 };
const speed = (factor: number | 'max'): PlaybackWish => ({ kind: 'speed', speed: factor });
const seek = (to: string): PlaybackWish => ({ kind: 'seek', to });

beforeEach(useStillTime);

describe('a replay that is steered', () => {
  it('takes another speed at once in the middle of an hour, and counts what has gone by', async () => {
    const replay = await SteeredReplay.start(4, { seconds: number => number * hour });
    await replay.pass(hour / 2);
    expect(replay.taken).toEqual([1]);
    await replay.ask(speed(60));
    await replay.pass(29);
    expect(replay.taken).toEqual([1]);
    await replay.pass(1);
    expect(replay.taken).toEqual([1, 2]);
    await replay.pass(60);
    expect(replay.taken).toEqual([1, 2, 3]);
    await replay.ask(speed('max'));
    expect(replay.taken).toEqual([1, 2, 3, 4]);
    expect(replay.run.complete).toBe(true);
  });

  it('goes slower than it was recorded', async () => {
    const replay = await SteeredReplay.start(3, { speed: 0.1 });
    await replay.pass(9.9);
    expect(replay.taken).toEqual([1]);
    await replay.pass(0.1);
    expect(replay.taken).toEqual([1, 2]);
  });

  it('that was at its fastest keeps the recorded intervals from the frame on that comes next', async () => {
    const replay = await SteeredReplay.start(100, { speed: Number.POSITIVE_INFINITY });
    // The processor has as many as may wait, and takes none.
    const before = replay.taken.length;
    expect(before).toBeLessThan(100);
    await replay.ask(speed(1));
    await replay.pass(5);
    expect(replay.taken).toHaveLength(before);
  });

  it('does not catch up at a lower speed what it was behind at a higher one', async () => {
    const replay = await SteeredReplay.start(30, { speed: 1000, seconds: number => number * 10 });
    // Eight wait for the processor: it is far behind 1000 times the pace.
    await replay.pass(60);
    expect(replay.taken).toHaveLength(8);
    await replay.ask(speed(1));
    await replay.analyse();
    expect(replay.taken).toHaveLength(9);
    await replay.pass(9.9);
    expect(replay.taken).toHaveLength(9);
    await replay.pass(0.1);
    expect(replay.taken).toHaveLength(10);
  });

  it('holds the next frame while it is paused, and goes on after the rest of the gap', async () => {
    const replay = await SteeredReplay.start(3, { seconds: number => number * 60 });
    await replay.pass(50);
    await replay.ask(pause);
    await replay.pass(hour);
    expect(replay.taken).toEqual([1]);
    expect(replay.status).toMatchObject({ paused: true, frame: 1, left_seconds: null, speed_now: null });
    await replay.ask(resume);
    await replay.pass(9.9);
    expect(replay.taken).toEqual([1]);
    await replay.pass(0.1);
    expect(replay.taken).toEqual([1, 2]);
  });

  it('gives exactly one frame for a step, three for three, and none later for one that was asked for and not used', async () => {
    const replay = await SteeredReplay.start(9, { seconds: number => number * hour, playback: { paused: true } });
    expect(replay.taken).toEqual([]);
    await replay.ask(stepOne);
    await replay.pass(10 * hour);
    expect(replay.taken).toEqual([1]);
    await replay.ask({ kind: 'step', frames: 3 });
    expect(replay.taken).toEqual([1, 2, 3, 4]);
    // It goes on from the frame that was stepped to, with its gap.
    await replay.ask(resume);
    await replay.pass(hour - 1);
    expect(replay.taken).toEqual([1, 2, 3, 4]);
    await replay.pass(1);
    expect(replay.taken).toEqual([1, 2, 3, 4, 5]);
  });

  it('that goes on pauses with a step, at one frame more', async () => {
    const replay = await SteeredReplay.start(9, { seconds: number => number * 60 });
    await replay.ask(stepOne);
    await replay.pass(hour);
    expect(replay.taken).toEqual([1, 2]);
  });

  it('returns what was read at its fastest when it is paused, and holds what comes next', async () => {
    const replay = await SteeredReplay.start(9, { playback: { paused: true } });
    replay.fixture.onNext = async number => {
      // Somebody pauses while the third frame is on its way.
      if (number === 2) replay.playback$.next({ speed: 'max', paused: true });
      return number < 9 ? importedFrame(number) : null;
    };
    await replay.ask(speed('max'), resume);
    expect(replay.taken).toEqual([1, 2]);
    await replay.ask(stepOne);
    expect(replay.taken).toEqual([1, 2, 3]);
  });

  it('ends with its last frame, and not before it is let go', async () => {
    const replay = await SteeredReplay.start(2, { playback: { paused: true } });
    await replay.ask({ kind: 'step', frames: 1 });
    await replay.pass(hour);
    expect(replay.run.complete).toBe(false);
    await replay.ask(stepOne);
    expect(replay.taken).toEqual([1, 2]);
    expect(replay.run.complete).toBe(true);
    expect(replay.status).toMatchObject({ ended: true, frame: 2, read: 2, count: 2, skipped: 0, left_seconds: 0 });
  });

  it('stops at once while it is paused, with no timer left', async () => {
    const replay = await SteeredReplay.start(3, { seconds: number => number * hour });
    await replay.ask(pause);
    replay.run.stop$.next();
    await replay.run.rest();
    expect([replay.run.complete, replay.fixture.open, vi.getTimerCount()]).toEqual([true, 0, 0]);
  });

  it('leaves few frames before the processor, which are analysed after a pause as well', async () => {
    const replay = await SteeredReplay.start(600, { speed: Number.POSITIVE_INFINITY });
    expect(replay.taken).toHaveLength(8);
  });
});

describe('a seek', () => {
  it('forward skips what lies between, says how many, and reads on from there', async () => {
    const replay = await SteeredReplay.start(9, { seconds: number => number * 60 });
    await replay.ask(seek('7'));
    expect(replay.taken).toEqual([1, 7]);
    expect(replay.status.seek).toEqual({
      number: 1,
      said: 'frame 7 of 9 (recorded 2025-07-24 12:06:00); 5 frames are skipped',
    });
    await replay.pass(59);
    expect(replay.taken).toEqual([1, 7]);
    expect(replay.status).toMatchObject({ frame: 7, read: 2, skipped: 5, count: 9, left_seconds: 61 });
    await replay.pass(1);
    expect(replay.taken).toEqual([1, 7, 8]);
    await replay.pass(60);
    expect(replay.run.complete).toBe(true);
    expect(replay.run.events.filter(({ kind }) => kind === 'discarded')).toMatchObject([
      { entryId: null, count: 5, reason: expect.stringContaining('skipped') },
    ]);
    expect(replay.run.count('failed')).toBe(0);
  });

  it('back reads what was skipped, and nothing twice', async () => {
    const replay = await SteeredReplay.start(9, { playback: { paused: true } });
    await replay.ask(stepOne, seek('5'));
    await replay.ask({ kind: 'step', frames: 2 });
    expect(replay.taken).toEqual([1, 5, 6]);
    await replay.pass(1);
    expect(replay.status).toMatchObject({ skipped: 3, read: 3, frame: 6 });
    await replay.ask(seek('1'));
    expect(replay.status.seek?.said).toBe(
      'frame 2 of 9 (recorded 2025-07-24 12:00:01); frame 1 has been read, and none is read twice; 3 frames that were skipped will be read',
    );
    expect(replay.status).toMatchObject({ skipped: 0, read: 3, frame: 2 });
    await replay.ask(speed('max'), resume);
    expect(replay.taken).toEqual([1, 5, 6, 2, 3, 4, 7, 8, 9].slice(0, replay.taken.length));
    await replay.analyse();
    await replay.run.until(() => replay.run.complete);
    expect(replay.taken).toEqual([1, 5, 6, 2, 3, 4, 7, 8, 9]);
    expect(replay.run.events.filter(({ kind }) => kind === 'discarded')).toEqual([]);
  });

  it('to a frame that there is not does nothing, and says so', async () => {
    const replay = await SteeredReplay.start(4, { playback: { paused: true } });
    await replay.ask(seek('3'));
    await replay.ask({ kind: 'step', frames: 2 });
    expect(replay.taken).toEqual([3, 4]);
    // All is read from frame 3 on, but the end was not reached before frames 1 and 2 were skipped: it ends.
    expect(replay.run.complete).toBe(true);

    const other = await SteeredReplay.start(4, { playback: { paused: true } });
    await other.ask(seek('4'));
    await other.ask(seek('1'), stepOne);
    await other.ask(seek('5'));
    expect(other.status.seek?.said).toBe('nothing was done: there are 4 frames');
    expect(other.status).toMatchObject({ frame: 1, skipped: 0 });
    await other.ask({ kind: 'step', frames: 3 });
    expect(other.taken).toEqual([1, 2, 3, 4]);
  });

  it('to the place where it stands changes nothing', async () => {
    const replay = await SteeredReplay.start(4, { playback: { paused: true } });
    await replay.ask(stepOne, seek('2'));
    await replay.ask(seek('2'));
    await replay.ask({ kind: 'step', frames: 3 });
    expect(replay.taken).toEqual([1, 2, 3, 4]);
  });

  it('out of the middle of an hour comes at once', async () => {
    const replay = await SteeredReplay.start(5, { seconds: number => number * hour });
    await replay.pass(10);
    await replay.ask(seek('14:30'));
    expect(replay.taken).toEqual([1, 4]);
    await replay.ask(seek('+30min'));
    expect(replay.taken).toEqual([1, 4, 5]);
  });

  it.each([
    ['12:30', 31],
    ['2025-07-24T12:30:30', 32],
    ['2025-07-24', 1],
    ['50%', 30],
    ['+10', 21],
    ['-5', 6],
    ['+5min', 16],
    ['-90s', 10],
    // Of the day before none was recorded.
    ['11:00', 1],
  ])('to %s goes to frame %i', async (to, frame) => {
    const replay = await SteeredReplay.start(60, { seconds: number => number * 60, playback: { paused: true } });
    await replay.ask(seek('11'));
    await replay.ask(seek(to));
    expect(replay.status.frame, replay.status.seek?.said).toBe(frame);
  });

  it('after the last frame says from when to when the recording is', async () => {
    const replay = await SteeredReplay.start(3, { playback: { paused: true } });
    await replay.ask(seek('2025-07-25'));
    expect(replay.status.seek?.said).toBe(
      'nothing was done: the recording is from 2025-07-24 12:00:00 to 2025-07-24 12:00:02',
    );
  });

  it('is followed once, also when the folder fails and is opened anew, and what was skipped stays skipped', async () => {
    const replay = await SteeredReplay.start(9, { playback: { paused: true } });
    await replay.ask(stepOne, seek('6'));
    const { onNext } = replay.fixture;
    let isBroken = true;
    replay.fixture.onNext = async (number, signal) => {
      if (number === 6 && isBroken) throw new Error('the share is away');
      return onNext(number, signal);
    };
    await replay.ask({ kind: 'step', frames: 3 });
    await replay.run.until(() => replay.run.count('alarm') === 1);
    expect(replay.taken).toEqual([1, 6]);
    isBroken = false;
    await replay.run.until(() => replay.taken.length === 4, 100);
    expect(replay.taken).toEqual([1, 6, 7, 8]);
    await replay.pass(1);
    expect(replay.status).toMatchObject({ skipped: 4, read: 4 });
  });
});

describe('how long a replay will still take', () => {
  it('is what is left of the recording, by the speed, and counts down in a gap', async () => {
    const replay = await SteeredReplay.start(11, { speed: 2, seconds: number => number * 60 });
    expect(replay.status.left_seconds).toBe(300);
    await replay.pass(20);
    expect(replay.status.left_seconds).toBe(280);
    await replay.ask(speed(4));
    expect(replay.status.left_seconds).toBe(140);
    await replay.pass(5);
    // The second frame has come.
    expect(replay.taken).toEqual([1, 2]);
    expect(replay.status.left_seconds).toBe(135);
  });

  it('is not known while it is paused, and is what is left when it goes on', async () => {
    const replay = await SteeredReplay.start(11, { seconds: number => number * 60 });
    await replay.pass(30);
    await replay.ask(pause);
    await replay.pass(hour);
    expect(replay.status.left_seconds).toBeNull();
    await replay.ask(resume);
    expect(replay.status.left_seconds).toBe(570);
  });

  it('follows from the rate of the last seconds at the fastest, and where frames are analysed more slowly than the speed asks', async () => {
    for (const factor of [Number.POSITIVE_INFINITY, 1e6]) {
      const replay = await SteeredReplay.start(100, { speed: factor });
      // Two frames a second are analysed.
      for (let i = 0; i < 20; i++) {
        const [entry] = await replay.world.manifest.claim('processor', 1);
        await replay.world.settleProcessed(entry!);
        await replay.pass(0.5);
      }
      const { left_seconds: left, read, speed_now: now } = replay.status;
      expect(read).toBe(28);
      expect(left! / ((100 - read) / 2)).toBeGreaterThan(0.9);
      expect(left! / ((100 - read) / 2)).toBeLessThan(1.1);
      expect(now).toBeCloseTo(2, 0);
      replay.run.unsubscribe();
    }
  });
});
