import { describe, expect, it } from 'vitest';
import { type StopSignal, stopSignals$ } from '../../src/streams/stopSignals.ts';

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
