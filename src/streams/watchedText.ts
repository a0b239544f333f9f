import {
  catchError,
  concat,
  concatMap,
  debounceTime,
  distinctUntilChanged,
  map,
  merge,
  type Observable,
  of,
  switchMap,
  timer,
} from 'rxjs';
import { readFileText } from './fileText.ts';
import { touched$ } from './touched.ts';

/** Time that a file must have been left alone before it is read again, ms. */
const settleMs = 100;
/** A file that can't be watched is read anew, and tried to be watched, this often, ms. */
const rewatchMs = 30_000;

/**
 * The text of a small file, now and after every change; null while it is not there or can't be read as text. Emits only
 * what differs. Never completes; that it can't be watched is told to `onError` and no error of the stream. Teardown closes
 * the watcher.
 */
export function watchedText$(path: string, onError: (error: Error) => void): Observable<string | null> {
  const touches$ = touched$(path).pipe(
    catchError((error: Error, again) => {
      onError(error);
      return concat(of(undefined), timer(rewatchMs).pipe(switchMap(() => again)));
    }),
  );
  return merge(of(undefined), touches$.pipe(debounceTime(settleMs))).pipe(
    concatMap(() => readFileText(path)),
    map(read => (read.kind === 'text' ? read.text : null)),
    distinctUntilChanged(),
  );
}
