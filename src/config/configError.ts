/** One thing that is wrong, or doubtful, in a configuration file. */
export interface ConfigProblem {
  readonly kind:
    | 'syntax'
    | 'value'
    | 'file'
    | 'unknown'
    | 'misplaced'
    | 'lost'
    | 'duplicate'
    | 'later'
    | 'impossible'
    | 'doubtful';
  /** From 1; null when it concerns the file as a whole. */
  readonly line: number | null;
  /** From 1. */
  readonly column: number | null;
  /** `Timing.collector_interval_seconds`; null when it concerns no single key. */
  readonly key: string | null;
  /** Names the key, what was found and what is allowed. */
  readonly message: string;
}

/** `configs/Phorest_config.toml:23:30: Timing.collector_interval_seconds is "five"; it must be …` */
export function describeProblem(file: string | null, { line, column, message }: ConfigProblem): string {
  const place = line === null ? '' : column === null ? `:${line}` : `:${line}:${column}`;
  return file === null ? message : `${file}${place}: ${message}`;
}

/** A configuration that can't be used; it has every problem of the file, in the file's order, one a line of the message. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
  /** What is doubtful besides; not part of the message. */
  readonly warnings: readonly ConfigProblem[];

  constructor(
    file: string,
    problems: readonly ConfigProblem[],
    { warnings = [], ...options }: ErrorOptions & { warnings?: readonly ConfigProblem[] } = {},
  ) {
    super(problems.map(problem => describeProblem(file, problem)).join('\n'), options);
    this.file = file;
    this.problems = problems;
    this.warnings = warnings;
  }
}
