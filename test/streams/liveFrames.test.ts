import { lastValueFrom, Subject, take, takeUntil, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SourceFrame } from '../../src/model/frame.ts';
import type { FrameSource } from '../../src/model/frameSource.ts';
import { liveFrames$ } from '../../src/streams/cameras/liveFrames.ts';

const frame = (name: number): SourceFrame => ({ kind: 'imported', filename: `${name}` }) as SourceFrame;

/** A camera that notes what is done to it; `fails` says which of its frames it can't take. */
function camera({ frames = 3, fails = [] as number[] } = {}) {
  const log: string[] = [];
  let taken = 0;
  let onTheirWay = 0;
  const open = async (): Promise<FrameSource> => {
    log.push('open');
    return {
      pace: 'triggered',
      total: null,
      next: async signal => {
        onTheirWay++;
        log.push(`next${onTheirWay > 1 ? ' too early' : ''}`);
        await new Promise(resolve => setImmediate(resolve));
        onTheirWay--;
        signal.throwIfAborted();
        taken++;
        if (fails.includes(taken)) throw new Error(`no frame ${taken}`);
        return taken > frames ? null : frame(taken);
      },
      close: async () => void log.push('close'),
    };
  };
  return { open, log };
}

const watching = (open: () => Promise<FrameSource>, troubles: string[] = []) =>
  liveFrames$({
    open,
    work: async each => (each.kind === 'imported' ? each.filename : ''),
    intervalMs: 0,
    retryMs: 0,
    onTrouble: ({ message }) => troubles.push(message),
    clock: { now: () => 0, monotonic: () => 0 },
  });

describe('frames to look at', () => {
  it('come one after another, none ahead of its work, until the source has no more', async () => {
    const { open, log } = camera();
    expect(await lastValueFrom(watching(open).pipe(toArray()))).toEqual(['1', '2', '3']);
    expect(log).toEqual(['open', 'next', 'next', 'next', 'next', 'close']);
  });

  it('go on after a failure of the camera, which is told, closed and opened anew', async () => {
    const { open, log } = camera({ frames: 4, fails: [2] });
    const troubles: string[] = [];
    expect(await lastValueFrom(watching(open, troubles).pipe(toArray()))).toEqual(['1', '3', '4']);
    expect(troubles).toEqual(['no frame 2']);
    expect(log).toEqual(['open', 'next', 'next', 'close', 'open', 'next', 'next', 'next', 'close']);
  });

  it('end with their watcher: the camera is closed, and the frame on its way is nobody’s', async () => {
    const { open, log } = camera({ frames: 1000 });
    const stop$ = new Subject<void>();
    const seen: string[] = [];
    await new Promise<void>(resolve =>
      watching(open)
        .pipe(takeUntil(stop$))
        .subscribe({
          next: name => {
            seen.push(name);
            if (name === '2') queueMicrotask(() => setImmediate(() => stop$.next()));
          },
          complete: resolve,
        }),
    );
    const length = log.length;
    await new Promise(resolve => setImmediate(resolve));
    expect(log.at(-1)).toBe('close');
    expect(log).toHaveLength(length);
  });

  it('try again where the camera can’t be opened', async () => {
    const { open } = camera();
    let tries = 0;
    const troubles: string[] = [];
    const opening = () => (++tries < 3 ? Promise.reject(new Error('busy')) : open());
    expect(await lastValueFrom(watching(opening, troubles).pipe(take(1)))).toBe('1');
    expect(troubles).toEqual(['busy', 'busy']);
  });
});
