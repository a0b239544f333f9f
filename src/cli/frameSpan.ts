import type { FrameSpan } from '../sinks/series/chosenFrames.ts';
import { SourceError } from '../streams/folder/sourceError.ts';
import { timeRange } from '../streams/folder/timeRange.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** What `--from` and `--to` name. @throws ExitError `usage` for what is no time */
export function frameSpan({ from, to }: { from?: string; to?: string }): FrameSpan {
  try {
    return timeRange(from, to);
  } catch (error) {
    if (error instanceof SourceError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
}
