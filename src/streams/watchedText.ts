import { concatMap, debounceTime, distinctUntilChanged, map, merge, type Observable, of } from 'rxjs';
import { readFileText } from './fileText.ts';
import { touched$ } from './touched.ts';

/** Time that a file must have been left alone before it is read again, ms. */
const settleMs = 100;

/**
 * The text of a small file, now and after every change; null while it is not there or can't be read as text. Emits only
 * what differs. Never completes; an error of the watcher is an error of the stream. Teardown closes the watcher.
 */
export function watchedText$(path: string): Observable<string | null> {
  return merge(of(undefined), touched$(path).pipe(debounceTime(settleMs))).pipe(
    concatMap(() => readFileText(path)),
    map(read => (read.kind === 'text' ? read.text : null)),
    distinctUntilChanged(),
  );
}
