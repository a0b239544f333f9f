import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallGate, filesWithDeadline } from '../../src/files/filesWithDeadline.ts';
import { useStillTime } from '../world/eventRun.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { gate } from '../world/stageWorld.ts';

beforeEach(useStillTime);
afterEach(() => {
  vi.useRealTimers();
});

const deadlineMs = 60_000;

/** Files of which those below `/backup` are on a disk that may hang. */
function prepare() {
  const below = new FaultyFiles();
  below.put('/backup/a', 'aaaa');
  below.put('/data/b', 'bbbb');
  /** Calls that have reached the disk and have not returned. */
  let blocked = 0;
  let door: ReturnType<typeof gate> | null = null;
  below.gate = async (_call, path) => {
    if (!door || !path.startsWith('/backup')) return;
    blocked++;
    await door.pass();
    blocked--;
  };
  const files = filesWithDeadline(below, new CallGate(deadlineMs), path => path.startsWith('/backup'));
  const hang = (): ReturnType<typeof gate> => (door = gate());
  return { below, files, hang, blocked: () => blocked };
}

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'well',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );

describe('files on a disk that may hang', () => {
  it('are as they are elsewhere while it does not', async () => {
    const { files, below } = prepare();
    const file = await files.open('/backup/c', 'wx');
    expect([await file.write(Buffer.from('cc'), 0), await file.size()]).toEqual([2, 2]);
    await file.sync();
    await file.close();
    await files.rename('/backup/c', '/backup/d');
    expect([(await files.list('/backup')).sort(), below.content('/backup/d')?.toString()]).toEqual([['a', 'd'], 'cc']);
    await expect(files.open('/backup/none', 'r')).rejects.toMatchObject({ code: 'ENOENT' });
    await files.remove('/backup/d');
    expect(await files.stat('/backup/d')).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('block one thread and no more when it hangs, and fail meanwhile; others go on', async () => {
    const { files, hang, blocked } = prepare();
    const door = hang();
    const first = code(files.stat('/backup/a'));
    const second = code(files.list('/backup'));
    await vi.advanceTimersByTimeAsync(deadlineMs - 1);
    expect([blocked(), (await files.stat('/data/b'))?.size]).toEqual([1, 4]);
    await vi.advanceTimersByTimeAsync(1);
    expect([await first, await second]).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    expect(await code(files.rename('/backup/a', '/backup/b'))).toBe('ETIMEDOUT');
    expect([blocked(), vi.getTimerCount()]).toEqual([1, 0]);
    door.open();
    await vi.advanceTimersByTimeAsync(0);
    expect((await files.stat('/backup/a'))?.size).toBe(4);
  });

  it('are closed when it answers again, whatever was open or came late', async () => {
    const { files, below, hang } = prepare();
    let open = 0;
    const { open: opening } = below;
    below.open = async (path, flags) => {
      const file = await opening.call(below, path, flags);
      open++;
      const { close } = file;
      return {
        ...file,
        close: async () => {
          open--;
          await close();
        },
      };
    };
    const file = await files.open('/backup/a', 'r');
    const door = hang();
    const reading = code(file.read(Buffer.alloc(4), 0));
    const late = code(files.open('/backup/a', 'r'));
    await vi.advanceTimersByTimeAsync(deadlineMs);
    expect([await reading, await late]).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    await file.close();
    expect(open).toBe(1);
    door.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(open).toBe(0);

    const again = hang();
    const opened = code(files.open('/backup/a', 'r'));
    await vi.advanceTimersByTimeAsync(deadlineMs);
    expect(await opened).toBe('ETIMEDOUT');
    again.open();
    await vi.advanceTimersByTimeAsync(0);
    expect([open, (await files.stat('/backup/a'))?.size]).toEqual([0, 4]);
  });
});
