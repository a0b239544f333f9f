import { fullTime } from '../model/namedTime.ts';
import type { FrameSpan } from '../sinks/series/chosenFrames.ts';
import { SourceError } from '../streams/folder/sourceError.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** What `--from` and `--to` name; a time of day is the last such. @throws ExitError `usage` for what is no time */
export function frameSpan({ from, to }: { from?: string; to?: string }): FrameSpan {
  try {
    const [first, last] = [from, to].map(text => text && fullTime(text, Date.now()));
    return timeRange(first, last);
  } catch (error) {
    if (error instanceof SourceError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
}
