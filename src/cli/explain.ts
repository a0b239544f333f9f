import { ConfigError, describeProblem } from '../config/configError.ts';

/** An error in words for a person: nothing twice, and no stack unless it is a fault of the program itself. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    return error.problems.map(problem => describeProblem(error.file, problem)).join('\n');
  }
  const isFault = error instanceof TypeError || error instanceof ReferenceError;
  if (isFault && error.stack) return `${error.stack}\nThis is a fault of phorest: please report it.`;
  return error instanceof Error ? error.message : String(error);
}
