import { isDeepStrictEqual } from 'node:util';
import { distinctUntilChanged, filter, type Observable, scan } from 'rxjs';
import { z } from 'zod';
import { parseJson } from '../../files/readJson.ts';
import { type Control, noControl } from '../../model/control.ts';
import { fastestReplay, type Playback, slowestReplay } from '../../model/playback.ts';
import { parsePlace, placeExamples } from '../../model/replayPlace.ts';
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
    distinctUntilChanged<Control>(isDeepStrictEqual),
  );
}

const stage = z.enum(stageNames, {
  error: ({ input }) =>
    `names ${typeof input === 'object' ? 'a list or an object' : JSON.stringify(input)}, which is no stage; there are ${stageNames.join(', ')}`,
});
const count = z.int({ error: 'must be a whole number from 0 up' }).min(0, 'must be a whole number from 0 up');
const playback = z.object(
  {
    speed: z
      .custom<number | 'max'>(
        value => value === 'max' || (typeof value === 'number' && value >= slowestReplay && value <= fastestReplay),
        { error: `must be "max" or a number from ${slowestReplay} to ${fastestReplay}` },
      )
      .optional(),
    paused: z.boolean({ error: 'must be true or false' }).optional(),
    steps: count.optional(),
    seek: z
      .object({
        number: count,
        to: z
          .string({ error: 'must be a text' })
          .refine(text => parsePlace(text) !== null, { error: `is no place in a recording, such as ${placeExamples}` }),
      })
      .optional(),
  },
  { error: 'must be an object with "speed", "paused", "steps" and "seek"' },
);
const schema = z.object(
  {
    seq: z.int({ error: 'must be a whole number' }),
    paused: z.array(stage, { error: 'must be a list of stages' }),
    playback: playback.optional(),
  },
  { error: 'must be an object with "seq" and "paused"' },
);

/** Reads the text of `flags/control.json`. @param text null: there is no file. @throws DamagedJsonError that says what is wrong with it. */
export function parseControl(text: string | null): Control {
  if (text === null) return noControl;
  const { seq, paused, playback } = parseJson(text, schema);
  return {
    seq,
    paused: stageNames.filter(name => paused.includes(name)),
    ...(playback && { playback: playback as Playback }),
  };
}
