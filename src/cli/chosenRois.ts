import { idlePatterns, labelPatterns } from '../model/labelPatterns.ts';
import { NothingChosenError, refuseNoRoi } from '../sinks/series/chosenFrames.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/**
 * Which ROIs `--rois` names; says which of its patterns fit none.
 * @throws ExitError `usage` where all of them fit none
 */
export function chosenRois(
  patterns: readonly string[],
  labels: readonly string[],
  { output }: Pick<CommandContext, 'output'>,
): (label: string) => boolean {
  try {
    refuseNoRoi(patterns, labels);
  } catch (error) {
    if (error instanceof NothingChosenError) throw new ExitError(exitCodes.usage, error.message, { cause: error });
    throw error;
  }
  for (const pattern of idlePatterns(patterns, labels)) output.error(`no ROI fits ${pattern}`);
  return labelPatterns(patterns);
}
