import {
  asyncScheduler,
  BehaviorSubject,
  EMPTY,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
  queueScheduler,
  type SchedulerLike,
  Subject,
  Subscription,
  share,
  tap,
} from 'rxjs';
import type { Clock } from '../model/clock.ts';
import { replayWords } from '../model/replay.ts';
import type { ConsoleHost } from './consoleHost.ts';
import type { ConsoleInput } from './consoleInput.ts';
import type { ConsoleSources } from './consoleSources.ts';
import { type Action, type ConsoleState, initialState } from './consoleState.ts';
import { consoleSteps, frames } from './consoleSteps.ts';
import { chooseDrawing, type LookChoice } from './drawing.ts';
import { watchExperiments } from './experiments/watchExperiments.ts';
import { copySequence } from './log/copyText.ts';
import { performActions } from './performActions.ts';
import { pathCompletions } from './replay/pathCompletions.ts';
import { pastReplay } from './replay/replayState.ts';
import { editConfiguration } from './settings/editConfiguration.ts';
import type { TerminalAnswers } from './terminalPicture/askTerminal.ts';
import type { LookState } from './theme/lookState.ts';
import { watchedInputs } from './watchedInputs.ts';
import { openScreen, type TerminalStreams } from './widgets/openScreen.ts';
import { type Painter, paintPanels } from './widgets/paintPanels.ts';
import { typedInputs } from './widgets/typedInputs.ts';

export interface ConsoleTerminal extends TerminalStreams {
  /** What must stay off the screen meanwhile. */
  errorOutput: NodeJS.WriteStream;
  clock: Clock;
  /** The theme that was chosen; `auto` unless given. */
  look?: LookChoice;
  /** Asks the terminal what it can show; `onTyped` is told what was typed meanwhile. Without it, nothing is asked. */
  ask?: (onTyped: (text: string) => void) => Promise<TerminalAnswers>;
  scheduler?: SchedulerLike;
}

export interface ConsoleOptions {
  /** Ends the console from outside: a signal, or the end of the pipeline of this process. */
  until?: AbortSignal;
  /** Told the state after each step, for tests. */
  onState?: (state: ConsoleState) => void;
}

export interface ConsoleEnd {
  /** `quit`: a key. `closed`: from outside. `hungUp`: the terminal is gone. `attach`: another experiment is to be shown. */
  reason: 'quit' | 'closed' | 'hungUp' | 'attach';
  /** The folder of that experiment. */
  attachTo?: string;
  /** What to print on the terminal that was given back; empty: nothing. */
  text: string;
}

/**
 * Shows the console on a terminal until it is left, and gives the terminal back however it ends.
 *
 * It watches the sources from the first moment to the last, and never more than once. A source that fails is said, and the
 * console goes on. Rejects only when the terminal can't be taken, or when the console itself has failed. Ending it ends the
 * tools that it runs, and nothing else.
 */
export async function openConsole(
  sources: ConsoleSources,
  host: ConsoleHost,
  terminal: ConsoleTerminal,
  { until, onState }: ConsoleOptions = {},
): Promise<ConsoleEnd> {
  const { output, clock, scheduler = asyncScheduler } = terminal;
  let typed = '';
  const answers = await askWhileLoading(terminal, text => {
    typed += text;
  });
  const look: LookState = {
    environment: terminal.environment,
    choice: terminal.look ?? 'auto',
    background: answers?.background ?? null,
  };
  const drawing = chooseDrawing(look.environment, look.choice, look.background);
  const open = await openScreen(terminal, { drawing, typed, synchronised: answers?.synchronised ?? false });
  const letErrorsGo = holdErrors(terminal.errorOutput);
  let painter: Painter | null = null;
  const restore = (): void => {
    try {
      painter?.end();
      open.close();
    } finally {
      letErrorsGo();
    }
  };
  // Before Node prints what it ends with.
  process.on('uncaughtExceptionMonitor', restore);

  const running = new Subscription();
  const ended = new AbortController();
  try {
    return await new Promise<ConsoleEnd>((resolve, reject) => {
      const end = (reason: ConsoleEnd['reason']): void =>
        resolve({ reason, text: closingText(reason, states.value, host) });
      painter = paintPanels(open, scheduler);
      const initial = initialState({
        host,
        drawing,
        look,
        graphics: answers,
        now: clock.now(),
        columns: output.columns || 1,
        rows: output.rows || 1,
      });
      const states = new BehaviorSubject<ConsoleState>(initial);
      const actions = new Subject<Action>();
      let isLent = false;

      const paint = (): void => {
        if (!isLent) painter?.paint(states.value);
      };
      const lendTerminal = async (use: () => Promise<void>): Promise<void> => {
        painter?.hide();
        const takeBack = open.lend();
        isLent = true;
        try {
          await use();
        } finally {
          isLent = false;
          takeBack();
          painter?.forget();
          paint();
        }
      };
      const redraw = (): void => {
        open.resized();
        painter?.forget();
        paint();
      };

      const suspend = (): Promise<void> => lendTerminal(stopUntilGoneOn);
      const goOn = (): void => {
        // A shell sets its own modes when it stops what runs in it, whoever has stopped it.
        if (!isLent) void lendTerminal(() => Promise.resolve());
      };
      process.on('SIGTSTP', suspend).on('SIGCONT', goOn);
      running.add(() => process.off('SIGTSTP', suspend).off('SIGCONT', goOn));
      const results$ = actions.pipe(
        performActions({
          host,
          lendTerminal,
          edit: () => host.mistakeLine().then(line => editConfiguration(host, line, ended.signal)),
          showRoot: root => host.replay?.show(root, ended.signal) ?? Promise.resolve(),
          redraw,
          copy: text => {
            const sequence = copySequence(text, terminal.environment);
            if (sequence !== null) output.write(sequence);
            return sequence !== null;
          },
          quit: () => end('quit'),
          attach: root => resolve({ reason: 'attach', attachTo: root, text: '' }),
          suspend,
        }),
      );
      const inputs$ = merge(
        typedInputs(open, output),
        watchedInputs(sources, states, scheduler),
        host.replay ? pathCompletions(states, host.replay, scheduler) : EMPTY,
        interval(1000, scheduler).pipe(map((): ConsoleInput => ({ kind: 'time', now: clock.now() }))),
        watchExperiments(host, states),
        results$,
      ).pipe(observeOn(queueScheduler));

      const steps$ = inputs$.pipe(
        consoleSteps(initial),
        tap(({ state, resized }) => {
          states.next(state);
          onState?.(state);
          if (resized) open.resized();
        }),
        share(),
      );
      const perform$ = steps$.pipe(
        mergeMap(taken => taken.actions),
        tap(action => actions.next(action)),
      );
      running.add(merge(steps$.pipe(frames(scheduler), tap(paint)), perform$).subscribe({ error: reject }));
      running.add(() => actions.complete());
      paint();
      watchTerminal(terminal, running, () => end('hungUp'));
      if (until?.aborted) end('closed');
      until?.addEventListener('abort', () => end('closed'), { once: true, signal: ended.signal });
    });
  } finally {
    // The terminal may be gone: what is still written to it then fails, and there is nobody to tell.
    output.on('error', () => undefined);
    running.unsubscribe();
    ended.abort();
    restore();
    process.removeListener('uncaughtExceptionMonitor', restore);
  }
}

/**
 * Stops this process and those of its group, as Ctrl-Z elsewhere, until the shell lets it go on. Where there is no shell to do so, the system
 * does not stop it.
 */
async function stopUntilGoneOn(): Promise<void> {
  const handlers = process.listeners('SIGTSTP');
  process.removeAllListeners('SIGTSTP');
  process.kill(0, 'SIGTSTP');
  // The signal comes in between.
  await new Promise(resolve => setTimeout(resolve, 50));
  for (const handler of handlers) process.on('SIGTSTP', handler);
}

/** Asks the terminal while the widgets are loaded, which takes longer than most terminals take to answer. */
async function askWhileLoading(
  { input, ask }: ConsoleTerminal,
  onTyped: (text: string) => void,
): Promise<TerminalAnswers | null> {
  if (!ask) return null;
  input.setRawMode(true);
  input.resume();
  try {
    const [answers] = await Promise.all([ask(onTyped), import('blessed')]);
    input.pause();
    return answers;
  } catch (error) {
    input.setRawMode(false);
    input.pause();
    throw error;
  }
}

/** A terminal that goes away (a closed SSH session) must not take the process down with an error of its streams. */
function watchTerminal({ input, output }: TerminalStreams, running: Subscription, gone: () => void): void {
  for (const [stream, events] of [
    [input, ['end', 'close', 'error']],
    [output, ['close', 'error']],
  ] as const) {
    for (const event of events) {
      stream.on(event, gone);
      running.add(() => stream.removeListener(event, gone));
    }
  }
}

function closingText(reason: ConsoleEnd['reason'], { mode, reading, root }: ConsoleState, host: ConsoleHost): string {
  if (reason !== 'quit' || mode === 'own') return '';
  const typed = (...words: string[]): string => host.commandLine?.(...words) ?? ['phorest', ...words].join(' ');
  const past = pastReplay({ reading });
  if (past && host.replay) {
    const { replay, isFinished } = past;
    const said = isFinished
      ? `The replay in ${root} is finished.`
      : `The replay in ${root} was ended before its last frame: ${replayWords(replay)}.`;
    return [said, ...host.replay.resultLines()].join('\n');
  }
  // A command on a line of its own is not broken within a word, and can be copied.
  const lines =
    reading?.connection === 'running'
      ? [
          `The ${reading.status?.replay ? 'replay' : 'pipeline'} in ${root} goes on.`,
          `  ${typed('console')}   shows it again`,
          `  ${typed('stop')}      ends it`,
        ]
      : [`No pipeline runs in ${root}.`, `  ${typed('start')}   starts it`];
  return lines.join('\n');
}

/** So much of what is held is kept, characters. */
const keptLength = 64 * 1024;

/**
 * Keeps what the process writes to its error output off the screen, for as long as the console is there: warnings of Node
 * and of packages would be drawn over it. What is returned lets go, and writes what was held.
 */
function holdErrors(output: NodeJS.WriteStream): () => void {
  const write = output.write;
  let held = '';
  output.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    held = (held + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).slice(-keptLength);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(() => callback());
    return true;
  }) as typeof output.write;
  let isHolding = true;
  return () => {
    if (!isHolding) return;
    isHolding = false;
    output.write = write;
    if (held !== '') output.write(held);
  };
}
