import {
  connect,
  fromEvent,
  map,
  merge,
  Observable,
  type OperatorFunction,
  startWith,
  switchMap,
  take,
  withLatestFrom,
} from 'rxjs';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface StopRequest {
  signal: StopSignal;
  /** `drain`: finish what is in flight. `cut`: now. */
  how: 'drain' | 'cut';
}

/** One press of Ctrl-C reaches a process twice through npm: signals this close are one, ms. */
const sameRequestMs = 1000;

/**
 * The first signal asks to drain; one that comes more than a second after it cuts short.
 * @param later emits after so many ms
 */
export function stopRequests(
  later: (ms: number) => Observable<unknown> = afterPending$,
): OperatorFunction<StopSignal, StopRequest> {
  return connect(signals$ => {
    const how$ = signals$.pipe(
      take(1),
      switchMap(() => later(sameRequestMs)),
      map((): StopRequest['how'] => 'cut'),
      startWith<StopRequest['how']>('drain'),
    );
    return signals$.pipe(
      withLatestFrom(how$),
      map(([signal, how]) => ({ signal, how })),
    );
  });
}

/**
 * Emits after so many ms, when the signals of until then were taken: a process that stood still in between takes a press that waited for it
 * for no later one. Holds up no end of the process.
 */
export function afterPending$(ms: number): Observable<void> {
  return new Observable(subscriber => {
    let checking: NodeJS.Immediate | undefined;
    // Node takes what waits, signals too, between its timers and its immediates.
    const timer = setTimeout(() => {
      checking = setImmediate(() => subscriber.next());
    }, ms).unref();
    return () => {
      clearTimeout(timer);
      clearImmediate(checking);
    };
  });
}

/** The signals that ask this process to stop. While subscribed they no longer end it by themselves. Never completes. */
export function stopSignals$(): Observable<StopSignal> {
  const of = (signal: StopSignal): Observable<StopSignal> => fromEvent(process, signal).pipe(map(() => signal));
  return merge(of('SIGINT'), of('SIGTERM'), of('SIGHUP'));
}
