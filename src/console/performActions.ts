import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  Subject,
  takeUntil,
  tap,
} from 'rxjs';
import { plainErrors } from '../model/systemErrors.ts';
import type { CommandOutput, ConsoleHost } from './consoleHost.ts';
import type { ConsoleInput } from './consoleInput.ts';
import type { Action } from './consoleState.ts';
import { beginReplay } from './replay/beginReplay.ts';

/** Exit code of a tool that was cut short, as a shell gives it for Ctrl-C. */
const cutCode = 130;

export interface PerformOptions {
  host: ConsoleHost;
  /** Gives the terminal away while `use` runs. */
  lendTerminal: (use: () => Promise<void>) => Promise<void>;
  edit: () => Promise<void>;
  /** Shows another experiment until it is left. */
  showRoot: (root: string) => Promise<void>;
  redraw: () => void;
  /** Asks the terminal to put a text on its clipboard; false when it is too long. */
  copy: (text: string) => boolean;
  quit: () => void;
  attach: (root: string) => void;
  /** Gives the terminal to the shell until this process goes on. */
  suspend: () => Promise<void>;
}

/**
 * Does what the reducer asks for, and tells what came of it. One action each; the commands of `actions$` run side by side.
 * Never errors: what fails is said. Teardown ends the commands that run.
 */
export function performActions({
  host,
  lendTerminal,
  edit,
  showRoot: show,
  redraw,
  copy,
  quit,
  attach,
  suspend,
}: PerformOptions): (actions$: Observable<Action>) => Observable<ConsoleInput> {
  const cut = new Subject<void>();

  const failed = (error: unknown): ConsoleInput & { kind: 'said' } => ({
    kind: 'said',
    level: 'error',
    text: plainErrors(error instanceof Error ? error.message : String(error)),
  });

  const editing = (): Observable<ConsoleInput> =>
    concat(
      defer(() => from(lendTerminal(edit))).pipe(ignoreElements()),
      of<ConsoleInput>({
        kind: 'said',
        level: 'info',
        text: 'back from the editor: a change without a mistake takes effect at once',
      }),
    );

  const showRoot = (root: string): Promise<void> => lendTerminal(() => show(root));

  const perform = (action: Action): Observable<ConsoleInput> => {
    switch (action.do) {
      case 'command': {
        const { id } = action;
        return host.command(action.words).pipe(
          map((output): ConsoleInput => ({ kind: 'command', id, output })),
          catchError(error =>
            from<ConsoleInput[]>([
              { kind: 'command', id, output: { kind: 'line', text: failed(error).text } },
              { kind: 'command', id, output: { kind: 'ended', code: 1 } },
            ]),
          ),
        );
      }
      case 'tool':
        return runTool(action.words);
      case 'cutTool':
        cut.next();
        return EMPTY;
      case 'edit':
        return host.configExists() ? editing() : of({ kind: 'noConfiguration' });
      case 'writeConfig':
        return concat(defer(() => from(host.writeConfig())).pipe(ignoreElements()), editing());
      case 'writeSettings':
        return defer(() => from(host.writeSettings(action.edits, action.seen))).pipe(
          map((lines): ConsoleInput => ({ kind: 'settingsWritten', lines })),
        );
      case 'acknowledge': {
        const { stage, key, since } = action;
        return concat(
          defer(() => from(host.acknowledge({ stage, key, since }))).pipe(ignoreElements()),
          of<ConsoleInput>({ kind: 'said', level: 'info', text: `acknowledged: ${stage} ${key}` }),
        );
      }
      case 'advise':
        return defer(() => from(host.advice(action.message))).pipe(
          map((advice): ConsoleInput => ({ kind: 'advice', message: action.message, advice })),
        );
      case 'stopOwn':
        host.stopOwn();
        return EMPTY;
      case 'replay':
        return host.replay ? beginReplay(host.command([...action.words, '--background', '--json']), showRoot) : EMPTY;
      case 'steer':
        return concat(
          defer(() => from(host.replay?.steer(action.wish) ?? Promise.resolve(null))).pipe(
            map((seq): ConsoleInput => ({ kind: 'steered', seq })),
            catchError(error => from<ConsoleInput[]>([failed(error), { kind: 'steered', seq: null }])),
          ),
        );
      case 'copy':
        return of<ConsoleInput>(
          copy(action.text)
            ? { kind: 'said', level: 'info', text: `copied ${action.what}: ${action.text.length} characters` }
            : { kind: 'said', level: 'error', text: `${action.what} is too long for the terminal's clipboard` },
        );
      case 'redraw':
        redraw();
        return EMPTY;
      case 'rememberLook':
        return defer(() => from(host.rememberLook?.(action.choice) ?? Promise.resolve())).pipe(ignoreElements());
      case 'attach':
        attach(action.root);
        return EMPTY;
      case 'handOver':
        host.handOver?.();
        return EMPTY;
      case 'suspend':
        return defer(() => from(suspend())).pipe(ignoreElements());
      case 'quit':
        quit();
        return EMPTY;
    }
  };

  const runTool = (words: readonly string[]): Observable<ConsoleInput> => {
    const ended = (code: number): ConsoleInput => ({ kind: 'tool', output: { kind: 'ended', code } });
    let hasEnded = false;
    const output$ = host.command(words).pipe(
      catchError(error =>
        from<CommandOutput[]>([
          { kind: 'line', text: failed(error).text },
          { kind: 'ended', code: 1 },
        ]),
      ),
      tap(({ kind }) => {
        hasEnded ||= kind === 'ended';
      }),
      map((output): ConsoleInput => ({ kind: 'tool', output })),
      takeUntil(cut),
    );
    return concat(
      output$,
      defer(() => (hasEnded ? EMPTY : of(ended(cutCode)))),
    );
  };

  return actions$ =>
    actions$.pipe(mergeMap(action => defer(() => perform(action)).pipe(catchError(error => of(failed(error))))));
}
