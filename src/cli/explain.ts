import { ConfigError, describeProblem } from '../config/configError.ts';
import { withAccessHint } from '../files/accessHint.ts';
import { manyLines, oneLine } from '../model/shownText.ts';

/**
 * An error in words for a person: nothing twice, and no stack unless it is a fault of the program itself. One line, of a
 * configuration a line for each problem: names in a message can't make one of their own.
 */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    return error.problems.map(problem => oneLine(describeProblem(error.file, problem))).join('\n');
  }
  // What was made of one has its lines, each clean already.
  if (isOfConfig(error)) return manyLines((error as Error).message);
  const isFault = error instanceof TypeError || error instanceof ReferenceError;
  if (isFault && error.stack) return `${error.stack}\nThis is a fault of phorest: please report it.`;
  return oneLine(error instanceof Error ? withAccessHint(error) : String(error));
}

function isOfConfig(error: unknown): boolean {
  return error instanceof Error && (error instanceof ConfigError || isOfConfig(error.cause));
}
