import { fromEvent, map, merge, type Observable, type OperatorFunction, scan } from 'rxjs';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface StopRequest {
  signal: StopSignal;
  /** `drain`: finish what is in flight. `cut`: now. */
  how: 'drain' | 'cut';
}

/** One press of Ctrl-C reaches a process twice through npm: signals this close are one, ms. */
const sameRequestMs = 1000;

/**
 * The first signal asks to drain; one that comes more than a second after it cuts short. `now` is a monotonic clock, ms.
 */
export function stopRequests(now: () => number): OperatorFunction<StopSignal, StopRequest> {
  return signals$ =>
    signals$.pipe(
      scan<StopSignal, { first: number; request: StopRequest } | null>((state, signal) => {
        const at = now();
        if (!state) return { first: at, request: { signal, how: 'drain' } };
        return { ...state, request: { signal, how: at - state.first > sameRequestMs ? 'cut' : 'drain' } };
      }, null),
      map(state => state!.request),
    );
}

/** The signals that ask this process to stop. While subscribed they no longer end it by themselves. Never completes. */
export function stopSignals$(): Observable<StopSignal> {
  const of = (signal: StopSignal): Observable<StopSignal> => fromEvent(process, signal).pipe(map(() => signal));
  return merge(of('SIGINT'), of('SIGTERM'), of('SIGHUP'));
}
