import { catchError, concatMap, defer, from, last, map, type Observable, of, scan } from 'rxjs';
import { plainErrors } from '../../model/systemErrors.ts';
import type { CommandOutput } from '../consoleHost.ts';
import type { ConsoleInput } from '../consoleInput.ts';

/** Lines of a failure that are shown. */
const saidLines = 3;

/** Waits until a replay has begun in the background, and shows it until it is left. */
export function beginReplay(
  output$: Observable<CommandOutput>,
  show: (root: string) => Promise<void>,
): Observable<ConsoleInput> {
  return output$.pipe(
    scan<CommandOutput, { lines: string[]; code: number | null }>(
      ({ lines }, output) =>
        output.kind === 'line' ? { lines: [...lines, output.text], code: null } : { lines, code: output.code },
      { lines: [], code: null },
    ),
    last(),
    concatMap(({ lines, code }) => {
      const root = code === 0 ? rootIn(lines) : null;
      if (root === null) return of<ConsoleInput>({ kind: 'noReplay', why: whyNot(lines) });
      return defer(() => from(show(root))).pipe(
        map((): ConsoleInput => ({ kind: 'said', level: 'info', text: `the replay is in ${root}` })),
      );
    }),
    catchError((error: Error) =>
      of<ConsoleInput>({ kind: 'noReplay', why: `${notBegun}${plainErrors(error.message)}` }),
    ),
  );
}

/** How what is said of a replay begins that did not. */
export const notBegun = 'the replay could not begin: ';

const whyNot = (lines: readonly string[]): string =>
  `${notBegun}${lines.slice(-saidLines).join(' ') || 'it said nothing'}`;

/** What the command prints of it. */
function rootIn(lines: readonly string[]): string | null {
  try {
    const { out } = JSON.parse(lines.at(-1) ?? '') as { out?: unknown };
    return typeof out === 'string' ? out : null;
  } catch {
    return null;
  }
}
