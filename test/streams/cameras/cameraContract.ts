import { describe, expect, it, vi } from 'vitest';
import type { ToolRunner } from '../../../src/files/runTool.ts';
import type { CapturedFrame, Pixels } from '../../../src/model/frame.ts';
import type { FrameSource } from '../../../src/model/frameSource.ts';
import { type Answer, altered, type StandIn, standInTools, withImage } from '../../world/standInTools.ts';

/** A camera, as the contract looks at it. */
export interface CameraCase {
  /** Opens it with tools that are stand-ins. A frame may take `timeoutMs`. */
  open(tools: ToolRunner, options: { timeoutMs: number }): FrameSource | Promise<FrameSource>;
  /** Stand-ins of its programs, which give the frame below; they check their arguments. */
  programs: Readonly<Record<string, StandIn>>;
  /** What that frame is. */
  pixels: Pixels;
  /** What its program answers when the device is dead, and what the error must say. */
  dead: { answer: Answer; says: RegExp };
  /** What its program answers when it does not take the settings, and what the error must say. Absent: it takes any. */
  refused?: { answer: Answer; says: RegExp };
}

const patience = { timeoutMs: 5_000 };
const never = new AbortController().signal;

const failureOf = (frame: Promise<unknown>): Promise<Error> =>
  frame.then(
    () => {
      throw new Error('it gave a frame');
    },
    (error: Error) => error,
  );

const atOnce = <T>(task: () => Promise<T>): Promise<T> => task();

/** A step of the time that passes, ms: small against every deadline. */
const stepMs = 100;

/** Waits for what hangs, by a time of the test's own: a slow machine is no deadline that is missed. */
async function afterItsTime<T>(task: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let isOver = false;
    const done = task().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await new Promise(setImmediate);
      vi.advanceTimersByTime(stepMs);
    }
    return await done;
  } finally {
    vi.useRealTimers();
  }
}

/** What every camera behind a tool promises. */
export function cameraContract(name: string, makeCase: () => CameraCase | Promise<CameraCase>): void {
  describe(`${name} keeps the contract of a camera`, () => {
    const world = async (alter: (answer: Answer) => Answer = answer => answer) => {
      const camera = await makeCase();
      const programs = Object.fromEntries(
        Object.entries(camera.programs).map(([program, standIn]) => [program, altered(standIn, alter)]),
      );
      const standIns = standInTools(programs);
      return { ...standIns, camera, runs: () => standIns.runs, source: await camera.open(standIns.tools, patience) };
    };
    /** The camera fails so, and gives a frame again when its program does. */
    const failsThenWorks = async (broken: (answer: Answer) => Answer, wait = atOnce): Promise<Error> => {
      let isBroken = true;
      const { source, camera, runs } = await world(answer => (isBroken ? broken(answer) : answer));
      const error = await wait(() => failureOf(source.next(never)));
      isBroken = false;
      const frame = (await source.next(never)) as CapturedFrame;
      expect(frame.pixels).toEqual(camera.pixels);
      expect(runs().length).toBeGreaterThan(1);
      return error;
    };

    it('gives a whole frame, one each time it is asked', async () => {
      const { source, camera, runs, running } = await world();
      const first = (await source.next(never)) as CapturedFrame;
      const second = (await source.next(never)) as CapturedFrame;
      expect(source.pace).toBe('triggered');
      expect(first.pixels).toEqual(camera.pixels);
      expect(second.pixels).toEqual(camera.pixels);
      expect(first.taken.local).toMatch(/^\d{4}-\d\d-\d\dT/);
      expect(runs().length).toBeGreaterThanOrEqual(2);
      expect(running()).toBe(0);
    });

    it('waits for a slow frame', async () => {
      const { source, camera } = await world(answer => ({ ...answer, afterMs: 20 }));
      expect(((await source.next(never)) as CapturedFrame).pixels).toEqual(camera.pixels);
    });

    it('ends a program that hangs, says so, and gives the next frame', async () => {
      const error = await failsThenWorks(() => ({ hangs: 'SIGTERM' }), afterItsTime);
      expect(error.message).toMatch(/took longer than .* s/);
    });

    it('kills a program that does not obey SIGTERM', async () => {
      const error = await failsThenWorks(() => ({ hangs: 'SIGKILL' }), afterItsTime);
      expect(error.message).toMatch(/took longer than .* s/);
    });

    it('leaves a program behind that SIGKILL does not end, two at most, and says power cycle then', async () => {
      let isStuck = true;
      const { source, camera, runs, release } = await world(answer => (isStuck ? { hangs: 'never' } : answer));
      for (let i = 0; i < 2; i++) {
        const late = await afterItsTime(() => failureOf(source.next(never)));
        expect(late.message).toMatch(/took longer than/);
      }
      const started = runs().length;
      const error = await failureOf(source.next(never));
      expect(error.message).toMatch(/power cycle/);
      expect(runs().length).toBe(started);
      isStuck = false;
      release();
      expect(((await source.next(never)) as CapturedFrame).pixels).toEqual(camera.pixels);
    });

    it('names a program that is not there', async () => {
      const { open, programs } = await makeCase();
      const { tools } = standInTools({});
      const error = await failureOf((async () => (await open(tools, patience)).next(never))());
      expect(error.message).toMatch(Object.keys(programs)[0]!);
      expect(error.message).toMatch(/no such program|install/);
    });

    it.each([0, 255])('says what is wrong with a dead device, also when its program ends with %i', async code => {
      const { dead } = await makeCase();
      const error = await failsThenWorks(() => ({ ...dead.answer, code }));
      expect(error.message).toMatch(dead.says);
    });

    it('gives no frame of bytes that are none', async () => {
      const error = await failsThenWorks(answer => withImage(answer, () => Buffer.from('<html>503</html>')));
      expect(error.message).toMatch(/no frame/);
    });

    it('gives no frame of no bytes', async () => {
      const error = await failsThenWorks(answer => withImage(answer, () => new Uint8Array()));
      expect(error.message).toMatch(/no frame/);
    });

    it('gives no half of a frame', async () => {
      const error = await failsThenWorks(answer => withImage(answer, bytes => bytes.subarray(0, bytes.length >> 1)));
      expect(error.message).toMatch(/no frame/);
    });

    it('gives no frame that lacks its last bytes', async () => {
      const error = await failsThenWorks(answer => withImage(answer, bytes => bytes.subarray(0, bytes.length - 40)));
      expect(error.message).toMatch(/no frame/);
    });

    it('ends with the reason of its caller in the middle of a frame, and its program with it', async () => {
      const { source, running } = await world(() => ({ hangs: 'SIGTERM' }));
      const caller = new AbortController();
      const frame = failureOf(source.next(caller.signal));
      await waitFor(() => running() === 1);
      caller.abort(new Error('the stage stops'));
      expect((await frame).message).toBe('the stage stops');
      expect(running()).toBe(0);
    });

    it('starts nothing for a caller that has left already', async () => {
      const { source, runs } = await world();
      const before = runs().length;
      expect((await failureOf(source.next(AbortSignal.abort(new Error('the stage stops'))))).message).toBe(
        'the stage stops',
      );
      expect(runs().length).toBe(before);
    });

    it('takes two frames that are asked for at once one after the other', async () => {
      const { source, camera, mostAtOnce } = await world(answer => ({ ...answer, afterMs: 5 }));
      const frames = (await Promise.all([source.next(never), source.next(never)])) as CapturedFrame[];
      for (const { pixels } of frames) expect(pixels).toEqual(camera.pixels);
      expect(mostAtOnce()).toBe(1);
    });

    it('ends what is on its way when it is closed', async () => {
      const { source, running } = await world(() => ({ hangs: 'SIGTERM' }));
      const frame = failureOf(source.next(never));
      await waitFor(() => running() === 1);
      await source.close();
      expect((await frame).message).toMatch(/closed/);
      expect(running()).toBe(0);
    });

    it('says which settings the device refuses', async context => {
      const { refused } = await makeCase();
      if (!refused) return context.skip('it takes any');
      const error = await failsThenWorks(() => refused.answer);
      expect(error.message).toMatch(refused.says);
    });
  });
}

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}
