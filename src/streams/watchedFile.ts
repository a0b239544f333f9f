import { isDeepStrictEqual } from 'node:util';
import {
  catchError,
  concat,
  concatMap,
  debounceTime,
  distinctUntilChanged,
  merge,
  type Observable,
  of,
  switchMap,
  timer,
} from 'rxjs';
import { type FileText, readFileText } from './fileText.ts';
import { touched$ } from './touched.ts';

/** Time that a file must have been left alone before it is read again, ms. */
const settleMs = 100;
/** A file that can't be watched is read anew, and tried to be watched, this often, ms. */
const rewatchMs = 30_000;

/**
 * What a small file holds, now and after every change. Emits only what differs. Never completes; that it can't be watched is
 * told to `onError` and no error of the stream. Teardown closes the watcher.
 */
export function watchedFile$(path: string, onError: (error: Error) => void): Observable<FileText> {
  const touches$ = touched$(path).pipe(
    catchError((error: Error, again) => {
      onError(error);
      return concat(of(undefined), timer(rewatchMs).pipe(switchMap(() => again)));
    }),
  );
  return merge(of(undefined), touches$.pipe(debounceTime(settleMs))).pipe(
    concatMap(() => readFileText(path)),
    distinctUntilChanged<FileText>(isDeepStrictEqual),
  );
}
