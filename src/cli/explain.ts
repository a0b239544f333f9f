import { ConfigError, describeProblem } from '../config/configError.ts';

/** An error in words for a person: no stack, and nothing twice. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    return error.problems.map(problem => describeProblem(error.file, problem)).join('\n');
  }
  return error instanceof Error ? error.message : String(error);
}
