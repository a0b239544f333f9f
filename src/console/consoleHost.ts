import type { Observable } from 'rxjs';
import type { TomlEdit } from '../config/editToml.ts';
import type { ListedExperiment } from '../model/listedExperiment.ts';
import type { LookChoice } from './drawing.ts';
import type { ReplayHost } from './replay/replayHost.ts';

/** What a command that runs for the console tells. */
export type CommandOutput = { kind: 'line'; text: string } | { kind: 'ended'; code: number };

/** A single-shot tool of the menu, made from a command of the command line. */
export interface ConsoleTool {
  /** The word that is typed: `replay`. */
  name: string;
  /** As it is typed, with its arguments: `replay <folder>`. */
  usage: string;
  summary: string;
  /** The command's own help text, lines. */
  help: readonly string[];
  /** Arguments that stand there at first, to be run or edited. */
  offered?: string;
}

/**
 * What the console asks of the program around it. Commands run as processes of their own, so that the console's own stays
 * responsive and what they start outlives it.
 */
export interface ConsoleHost {
  /** Folder of the experiment, absolute. */
  root: string;
  /** `attached`: the pipeline runs in other processes. `own`: in this one, and ends with it. */
  mode: 'attached' | 'own';
  tools: readonly ConsoleTool[];
  /**
   * Runs `phorest` with these words (for this root and configuration) and tells its output. Cold. Completes after `ended`.
   * Teardown ends the command.
   */
  command(words: readonly string[]): Observable<CommandOutput>;
  /** A command as one would type it into a shell; `phorest …` where it is left out. */
  commandLine?(...words: string[]): string;
  /** Asks the pipeline of this process to finish, then again to cut short; only with `own`. */
  stopOwn(): void;
  /** The configuration for an editor: absolute path. */
  configFile: string;
  configExists(): boolean;
  /** Writes the shipped configuration to `configFile`, never over one that is there. */
  writeConfig(): Promise<void>;
  /** Line of the first mistake in `configFile`, else of what is first doubtful; null where all is well. */
  mistakeLine(): Promise<number | null>;
  /**
   * Changes keys of `configFile` and nothing else in it, at once, and tells what differs, a line each.
   * @param seen its text as the person saw it; null: there was none. Rejects when it has another one by now.
   */
  writeSettings(edits: readonly TomlEdit[], seen: string | null): Promise<readonly string[]>;
  /** Notes that this user has seen an alarm. `since`: ms since 1970 UTC. Rejects when it can't be written. */
  acknowledge(alarm: { stage: string; key: string; since: number }): Promise<void>;
  /** What the documentation says to do about a message; null where it says nothing. */
  advice(message: string): Promise<string | null>;
  /** Words of the editor's command line, from `VISUAL`, `EDITOR`, or what is installed; the file comes after them. */
  editor: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** The experiment that was shown before this one. */
  cameFrom?: string | null;
  /** The experiments of this machine, looked for anew while it is subscribed to. */
  experiments$?: Observable<readonly ListedExperiment[]>;
  /** Leaves the pipeline of this process in the background; only with `own`. */
  handOver?(): void;
  /** Keeps the theme of this user for the next time. */
  rememberLook?(choice: LookChoice): Promise<void>;
  /** Absent: nothing is replayed. */
  replay?: ReplayHost;
}
