import { distinctUntilChanged, filter, type Observable, scan } from 'rxjs';
import { type Control, noControl } from '../../model/control.ts';
import { type FileText, readOwnText } from '../watched/fileText.ts';
import { watchedFile$ } from '../watched/watchedFile.ts';
import { parseControl } from './parseControl.ts';

/**
 * What a person wants of the pipeline, from `flags/control.json`: now (nothing, while there is no file) and after every
 * change. What can't be understood is told to `onProblem`, and what was wanted before stays. Never completes, never errors.
 * Teardown closes the watcher.
 */
export function control$(
  path: string,
  onProblem: (message: string) => void,
  file$: Observable<FileText> = watchedFile$(path, {
    read: readOwnText,
    onError: ({ message }) => onProblem(message),
  }),
): Observable<Control> {
  return file$.pipe(
    scan<FileText, Control | null>((before, read) => {
      try {
        // One that can't be read for a moment must not let go on what shall rest.
        if (read.kind === 'unreadable') throw new Error(`it ${read.reason}`);
        return parseControl(read.kind === 'text' ? read.text : null);
      } catch (error) {
        onProblem(`${path}: ${(error as Error).message}; what was asked for before stays`);
        return before ?? noControl;
      }
    }, null),
    filter(control => control !== null),
    distinctUntilChanged((a, b) => a.seq === b.seq && a.paused.join() === b.paused.join()),
  );
}
