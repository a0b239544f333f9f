import { distinctUntilChanged, filter, type Observable, scan } from 'rxjs';
import { z } from 'zod';
import { parseJson } from '../../files/readJson.ts';
import { type Control, noControl } from '../../model/control.ts';
import { stageNames } from '../../model/stageName.ts';
import { type FileText, readOwnText } from '../watched/fileText.ts';
import { watchedFile$ } from '../watched/watchedFile.ts';

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

const stage = z.enum(stageNames, {
  error: ({ input }) =>
    `names ${typeof input === 'object' ? 'a list or an object' : JSON.stringify(input)}, which is no stage; there are ${stageNames.join(', ')}`,
});
const schema = z.object(
  {
    seq: z.int({ error: 'must be a whole number' }),
    paused: z.array(stage, { error: 'must be a list of stages' }),
  },
  { error: 'must be an object with "seq" and "paused"' },
);

/** Reads the text of `flags/control.json`. @param text null: there is no file. @throws DamagedJsonError that says what is wrong with it. */
export function parseControl(text: string | null): Control {
  if (text === null) return noControl;
  const { seq, paused } = parseJson(text, schema);
  return { seq, paused: stageNames.filter(name => paused.includes(name)) };
}
