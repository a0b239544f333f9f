import { distinctUntilChanged, map, type Observable } from 'rxjs';
import { watchedFile$ } from './watchedFile.ts';

/** The text of a small file, as `watchedFile$` has it; null while it is not there or can't be read as text. */
export function watchedText$(path: string, onError: (error: Error) => void): Observable<string | null> {
  return watchedFile$(path, { onError }).pipe(
    map(read => (read.kind === 'text' ? read.text : null)),
    distinctUntilChanged(),
  );
}
