import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConsoleOutput } from './consoleOutput.ts';

/** What every command is given. */
export interface CommandContext {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `--config` and `--root`, as they were given. */
  readonly config: string | undefined;
  readonly root: string | undefined;
  readonly output: ConsoleOutput;
  /** Every command of the program, for those that tell of the others. */
  readonly commands: readonly CommandDefinition<never>[];
}

/**
 * One command of the program. The command line's help and the console's menu are made from these. The module of a
 * definition is loaded at every start: what the command needs to run is imported when it runs.
 */
export interface CommandDefinition<Options extends object = object> {
  /** As it is typed, with its arguments: `replay <folder>`. */
  readonly usage: string;
  readonly summary: string;
  /** As they would be typed, after `phorest`; the help shows them. */
  readonly examples: readonly string[];
  /** The words that its argument may be, where there are only a few. */
  readonly words?: readonly string[];
  /**
   * `tool`: does one thing and ends, so that the console offers it in its menu. `internal`: started by the program itself,
   * and not shown in the help.
   */
  readonly kind?: 'tool' | 'internal';
  /** Options that the console's menu offers first: `--auto`. */
  readonly offered?: string;
  /** Adds options, and further help. */
  readonly declare: (command: Command) => Command;
  /**
   * Runs it and resolves with the exit code.
   * @throws ExitError to end with a code and a message; any other error ends with code 1 and its message.
   */
  readonly run: (context: CommandContext, args: readonly string[], options: Options) => Promise<number>;
}

/** Options of every command: which experiment it is about. */
export const globalOptions: readonly Option[] = [
  new Option('--config <file>', 'configuration (default: configs/Phorest_config.toml, or PHOREST_CONFIG)'),
  new Option('--root <folder>', "folder of the experiment, instead of the configuration's root_dir"),
];

/** Reads the value of an option that takes a whole number above 0. @throws InvalidArgumentError for any other */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a whole number greater than 0.');
}

/** Reads the value of an option that takes a number above 0. @throws InvalidArgumentError for any other */
export function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number greater than 0.');
}
