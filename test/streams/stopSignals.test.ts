import { once } from 'node:events';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { afterPending$, type StopSignal, stopRequests, stopSignals$ } from '../../src/streams/stopSignals.ts';

describe('stopSignals$', () => {
  it('keeps the signals from ending the process while it is subscribed to, and no longer', () => {
    const before = process.listenerCount('SIGTERM');
    const seen: StopSignal[] = [];
    const subscription = stopSignals$().subscribe(signal => seen.push(signal));
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.emit(signal, signal);
    subscription.unsubscribe();
    expect(seen).toEqual(['SIGINT', 'SIGTERM', 'SIGHUP']);
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});

it('a signal that waited while the process stood still is not taken for a later one', async () => {
  const told: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const subscription = stopSignals$()
    .pipe(stopRequests(() => afterPending$(20).pipe(tap(resolve))))
    .subscribe(({ how }) => told.push(how));
  const send = (): Promise<unknown> => {
    const received = once(process, 'SIGHUP');
    process.kill(process.pid, 'SIGHUP');
    return received;
  };
  await send();
  const second = send();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40);
  await second;
  await over;
  await send();
  subscription.unsubscribe();
  expect(told).toEqual(['drain', 'drain', 'cut']);
});
