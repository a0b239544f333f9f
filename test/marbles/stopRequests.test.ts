import { timer } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type StopRequest, type StopSignal, stopRequests } from '../../src/streams/stopSignals.ts';

const signals: Record<string, StopSignal> = { i: 'SIGINT', t: 'SIGTERM', h: 'SIGHUP' };
const requests: Record<string, StopRequest> = {
  i: { signal: 'SIGINT', how: 'drain' },
  t: { signal: 'SIGTERM', how: 'drain' },
  h: { signal: 'SIGHUP', how: 'drain' },
  I: { signal: 'SIGINT', how: 'cut' },
  T: { signal: 'SIGTERM', how: 'cut' },
};

function run(source: string, expected: string): void {
  const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
  scheduler.run(({ hot, expectObservable, expectSubscriptions }: RunHelpers) => {
    const input = hot(source, signals);
    expectObservable(input.pipe(stopRequests(ms => timer(ms)))).toBe(expected, requests);
    const end = /[|#]/.exec(source);
    if (end && !source.includes(' ')) expectSubscriptions(input.subscriptions).toBe(`^${'-'.repeat(end.index - 1)}!`);
  });
}

describe('stopRequests', () => {
  it.each(['i', 't', 'h'])('drains at the first signal (%s)', signal => {
    run(`--${signal}--|`, `--${signal}--|`);
  });

  it('takes signals within a second of the first for the same', () => {
    run('i 1ms i 996ms i--', 'i 1ms i 996ms i--');
    run('i 999ms t--', 'i 999ms t--');
  });

  it('cuts short at one that comes more than a second after the first, whatever it is', () => {
    run('i 1s t--', 'i 1s T--');
    run('t 5s i 1ms i', 't 5s I 1ms I');
  });

  it('counts from the first, not from the last', () => {
    run('i 599ms i 599ms i', 'i 599ms i 599ms I');
  });

  it('passes an error and the end', () => {
    run('i-#', 'i-#');
    run('-|', '-|');
  });
});
