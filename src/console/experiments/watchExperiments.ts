import { distinctUntilChanged, EMPTY, map, type Observable, switchMap } from 'rxjs';
import type { ConsoleHost } from '../consoleHost.ts';
import type { ConsoleInput } from '../consoleInput.ts';
import type { ConsoleState } from '../consoleState.ts';

/** The experiments of this machine, looked for only while their page is shown, or the palette, which finds them too. */
export const watchExperiments = (
  { experiments$ }: Pick<ConsoleHost, 'experiments$'>,
  states$: Observable<ConsoleState>,
): Observable<ConsoleInput> =>
  states$.pipe(
    map(({ page, overlay }) => page === 'experiments' || overlay?.kind === 'palette'),
    distinctUntilChanged(),
    switchMap(isShown => (isShown && experiments$ ? experiments$ : EMPTY)),
    map((list): ConsoleInput => ({ kind: 'experiments', list })),
  );
