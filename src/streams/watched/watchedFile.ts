import { isDeepStrictEqual } from 'node:util';
import { debounceTime, defer, distinctUntilChanged, map, merge, type Observable, of, tap } from 'rxjs';
import { conflate } from '../../rx/conflate.ts';
import { type FileText, readFileText } from './fileText.ts';
import { touched$, type WatchedOptions, watched$ } from './touched.ts';

export interface WatchedFileOptions extends Omit<WatchedOptions, 'what'> {
  /** Time that a file must have been left alone before it is read again, ms. */
  settleMs?: number;
  read?: (path: string) => Promise<FileText>;
  touched?: (path: string) => Observable<void>;
}

/**
 * What a small file holds, now and after every change. Emits only what differs. Never completes, never errors. That it can't be
 * watched is told to `onError` once, and so is a watcher that tells of nothing: the file is read every two seconds all the
 * same. Teardown closes the watcher.
 */
export function watchedFile$(
  path: string,
  { settleMs = 100, read = readFileText, touched = touched$, ...options }: WatchedFileOptions,
): Observable<FileText> {
  return defer(() => {
    let isSaid = false;
    const onError = (error: Error): void => {
      if (!isSaid) options.onError(error);
      isSaid = true;
    };
    let last: FileText | null = null;
    let wasTouched = true;
    /** A look found what the watcher had not told. It may be about to. */
    let isLate = false;
    const compare = (text: FileText): void => {
      if (isLate && !wasTouched)
        onError(new Error(`changes of ${path} are seen by looking, up to 2 s late: its watcher is silent`));
      isLate = last !== null && !wasTouched && !isDeepStrictEqual(last, text);
      wasTouched = false;
      last = text;
    };
    const moments$ = watched$(touched(path), { ...options, what: path, onError }).pipe(
      tap(why => {
        if (why === 'touch') wasTouched = true;
      }),
      debounceTime(settleMs, options.scheduler),
    );
    return merge(of(null), moments$).pipe(
      // A disk that hangs must not be asked for every look of that time afterwards.
      conflate(() => read(path)),
      tap(compare),
      distinctUntilChanged<FileText>(isDeepStrictEqual),
    );
  });
}

/** The text of a small file, as `watchedFile$` has it; null while it is not there or can't be read as text. */
export function watchedText$(path: string, onError: (error: Error) => void): Observable<string | null> {
  return watchedFile$(path, { onError }).pipe(
    map(read => (read.kind === 'text' ? read.text : null)),
    distinctUntilChanged(),
  );
}
