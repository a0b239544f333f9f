import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { nearest } from '../config/nearest.ts';
import { globalOptions } from './commandDefinition.ts';
import { commands } from './commands.ts';
import { ConsoleOutput } from './consoleOutput.ts';
import { endNow } from './endNow.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { explain } from './explain.ts';
import { settleTimeZone } from './timeZone.ts';

/** When all is done, calls to files have so long to return, ms. */
const lastCallsMs = 2000;

/** The program: reads the command line, runs the command, sets the exit code. */
export async function main(words: readonly string[]): Promise<void> {
  // A limit of the size of files (`ulimit -f`) ends a process by a signal, without a word. Heard, it is an error of the write: EFBIG.
  process.on('SIGXFSZ', () => undefined);
  const output = new ConsoleOutput(process.stdout, process.stderr);
  const unknownZone = settleTimeZone(process.env, Date.now());
  if (unknownZone) output.errorText(`warning: ${unknownZone}\n`);
  const code = await run(words, output);
  process.exitCode = code;
  // A call to a device or disk that hangs would keep the process for good.
  setTimeout(() => {
    if (process.getActiveResourcesInfo().some(each => each.startsWith('FSReq'))) endNow(code);
  }, lastCallsMs).unref();
}

async function run(words: readonly string[], output: ConsoleOutput): Promise<number> {
  let code: number = exitCodes.done;
  const program = new Command('phorest')
    .description('Runs a long imaging experiment on a photonic chip, and loses nothing.')
    .version(packageJson.version)
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(false)
    .showHelpAfterError('("phorest --help" says what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 already running or not running,\n130 or 143 cut short by a signal.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: text => output.text(text),
      writeErr: text => output.errorText(text),
      outputError: (text, write) => write(withSuggestion(text, program, words)),
    });
  for (const option of globalOptions) program.addOption(option);

  for (const { usage, summary, kind, examples, declare, run: runCommand } of commands) {
    const command = program.command(usage, { hidden: kind === 'internal' }).description(summary);
    command.showHelpAfterError(`("phorest ${command.name()} --help" says what there is)`);
    command.addHelpText('after', `\nExamples:\n${examples.map(example => `  phorest ${example}`).join('\n')}`);
    declare(command).action(async () => {
      const { config, root } = program.opts<{ config?: string; root?: string }>();
      const context = { cwd: process.cwd(), environment: process.env, config, root, output, commands };
      code = await runCommand(context, command.processedArgs.flat() as string[], command.opts());
    });
  }
  try {
    await program.parseAsync(withCommand(program, words, output), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    output.progress('');
    output.errorText(`${explain(error)}\n`);
    return error instanceof ExitError ? error.code : exitCodes.failed;
  }
}

/** Names the word that was meant, where one is near. */
function withSuggestion(text: string, program: Command, words: readonly string[]): string {
  const unknown = /unknown (option|command) '(?:--)?([^'=]+)/.exec(text);
  if (!unknown) return text;
  const [, kind, word] = unknown as unknown as [string, string, string];
  const command = program.commands.find(each => words.includes(each.name()));
  const shown = program.commands.filter(each =>
    commands.some(({ kind: of, usage }) => of !== 'internal' && usage.split(' ')[0] === each.name()),
  );
  const known =
    kind === 'command'
      ? shown.map(each => each.name())
      : [...program.options, ...(command?.options ?? [])].flatMap(({ long }) => (long ? [long.slice(2)] : []));
  const near = known.find(each => word.length > 2 && each.startsWith(word)) ?? nearest(word, known);
  return near === null ? text : `${text.trimEnd()} (did you mean ${kind === 'command' ? near : `--${near}`}?)\n`;
}

/** No command at all means the console, or the status where nobody watches. */
function withCommand(program: Command, words: readonly string[], output: ConsoleOutput): string[] {
  const { operands, unknown } = program.parseOptions([...words]);
  if (operands.length > 0 || unknown.length > 0) return [...words];
  return [...words, output.isInteractive ? 'console' : 'status'];
}
