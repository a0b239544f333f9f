import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { fromAbortable } from '../../src/rx/fromAbortable.ts';

function listen<T>(run: (signal: AbortSignal) => Promise<T>, onLate?: (value: T) => void) {
  const seen: unknown[] = [];
  const subscription = fromAbortable(run, onLate).subscribe({
    next: value => seen.push(value),
    error: error => seen.push(`error ${(error as Error).message}`),
    complete: () => seen.push('|'),
  });
  return { seen, subscription };
}

describe('fromAbortable', () => {
  it('gives the value and completes, with a signal that stays as it is', async () => {
    let given: AbortSignal | null = null;
    const { seen, subscription } = listen(async signal => {
      given = signal;
      return 'x';
    });
    await turn();
    subscription.unsubscribe();
    expect(seen).toEqual(['x', '|']);
    expect(given!.aborted).toBe(false);
  });

  it('does not run before it is subscribed to, and runs anew for each', async () => {
    let runs = 0;
    const counted = fromAbortable(async () => ++runs);
    expect(runs).toBe(0);
    counted.subscribe();
    counted.subscribe();
    expect(runs).toBe(2);
  });

  it('fails with the promise, and with what is thrown before there is one', async () => {
    const { seen } = listen(() => Promise.reject(new Error('later')));
    await turn();
    expect(seen).toEqual(['error later']);
    const { seen: atOnce } = listen((): Promise<string> => {
      throw new Error('at once');
    });
    expect(atOnce).toEqual(['error at once']);
  });

  it('aborts when it is unsubscribed from, and gives what comes late to whom it may concern, once', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const late: string[] = [];
    let signal: AbortSignal | null = null;
    const { seen, subscription } = listen(
      given => {
        signal = given;
        return promise;
      },
      value => late.push(value),
    );
    subscription.unsubscribe();
    expect(signal!.aborted).toBe(true);
    resolve('x');
    await turn();
    expect([seen, late]).toEqual([[], ['x']]);
  });

  it('loses no value to an unsubscribe in the instants after it has come', async () => {
    for (let microtasks = 0; microtasks < 8; microtasks++) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const late: string[] = [];
      const { seen, subscription } = listen(
        () => promise,
        value => late.push(value),
      );
      resolve('x');
      for (let i = 0; i < microtasks; i++) await null;
      subscription.unsubscribe();
      await turn();
      expect([...seen.filter(value => value === 'x'), ...late]).toEqual(['x']);
    }
  });

  it('is not concerned with an error that comes late', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    const { seen, subscription } = listen(() => promise);
    subscription.unsubscribe();
    reject(new Error('late'));
    await turn();
    expect(seen).toEqual([]);
  });
});
