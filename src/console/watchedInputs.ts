import {
  catchError,
  debounceTime,
  distinctUntilChanged,
  type MonoTypeOperatorFunction,
  map,
  merge,
  type Observable,
  of,
  type SchedulerLike,
  throttleTime,
} from 'rxjs';
import { plainErrors } from '../model/systemErrors.ts';
import { closeRequest, isChartShown } from './chart/closeRequest.ts';
import type { ConsoleInput } from './consoleInput.ts';
import type { ConsoleSources } from './consoleSources.ts';
import type { ConsoleState } from './consoleState.ts';
import { pictureRequest } from './frame/framePlaces.ts';
import { layoutOf } from './layout.ts';
import { openedRoi } from './rois/roiDetail.ts';

/** Charts and pictures are large to draw, and nobody reads them twice a second: they change at most this often, ms. */
const chartMs = 2000;
/** A picture changes with each key that moves it. */
const pictureMs = 100;

/** The panels that show where the resonances were. */
const isHistoryShown = (state: ConsoleState): boolean => {
  const places = layoutOf(state);
  return (['chart', 'chip', 'ROIs', 'frame'] as const).some(name => places?.[name]);
};

/** A chart that moves on is not read closely: it has stood so long, ms. */
const closeMs = 150;

/**
 * What is watched, as inputs: each source once, from subscription to teardown. A picture is asked for only while the layout
 * has room for one.
 */
export function watchedInputs(
  sources: ConsoleSources,
  states$: Observable<ConsoleState>,
  scheduler: SchedulerLike,
): Observable<ConsoleInput> {
  const atMostEvery = <T>(ms: number): MonoTypeOperatorFunction<T> =>
    throttleTime(ms, scheduler, { leading: true, trailing: true });
  const requests$ = states$.pipe(
    map(pictureRequest),
    distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
  );
  const wantsHistory$ = states$.pipe(map(isHistoryShown), distinctUntilChanged());
  const wantsResult$ = states$.pipe(
    map(({ page }) => page === 'ROIs' || page === 'chip'),
    distinctUntilChanged(),
  );
  const wantsQualities$ = states$.pipe(
    map(({ page }) => page === 'ROIs'),
    distinctUntilChanged(),
  );
  const wantsSettings$ = states$.pipe(
    // Outlines over a frame follow the chip where the settings say so.
    map(state => state.page === 'settings' || pictureRequest(state) !== null),
    distinctUntilChanged(),
  );
  const wantsAlarms$ = states$.pipe(
    map(({ page }) => page === 'alarms'),
    distinctUntilChanged(),
  );
  // Wherever alarms are shown or counted, it is told which of them somebody has seen.
  const wantsAcknowledged$ = states$.pipe(
    map(({ page, reading }) => page === 'alarms' || (reading?.status?.alarms.length ?? 0) > 0),
    distinctUntilChanged(),
  );
  const openRoi$ = states$.pipe(map(openedRoi), distinctUntilChanged());
  const wantsMarks$ = states$.pipe(map(isChartShown), distinctUntilChanged());
  const closeRequests$ = states$.pipe(
    map(closeRequest),
    distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
    debounceTime(closeMs, scheduler),
  );
  /** One that fails, against its contract, is said; the others go on. */
  const inputs = <T>(source$: Observable<T>, input: (value: T) => ConsoleInput): Observable<ConsoleInput> =>
    source$.pipe(
      map(input),
      catchError((error: Error) =>
        of<ConsoleInput>({ kind: 'said', level: 'error', text: plainErrors(error.message) }),
      ),
    );
  return merge(
    inputs(sources.status$, reading => ({ kind: 'status', reading })),
    inputs(sources.log$, lines => ({ kind: 'log', lines })),
    inputs(sources.history$(wantsHistory$).pipe(atMostEvery(chartMs)), history => ({ kind: 'history', history })),
    inputs(sources.rois$, rois => ({ kind: 'rois', rois })),
    inputs(sources.alarmNotices$(wantsAlarms$), notices => ({ kind: 'alarmNotices', notices })),
    inputs(sources.acknowledged$(wantsAcknowledged$), acknowledged => ({ kind: 'acknowledged', acknowledged })),
    inputs(sources.settings$(wantsSettings$), file => ({ kind: 'settings', file })),
    inputs(sources.chips$, chips => ({ kind: 'chips', chips })),
    inputs(sources.marks$(wantsMarks$), marks => ({ kind: 'marks', marks })),
    inputs(sources.closeHistory$(closeRequests$), close => ({ kind: 'closeHistory', close })),
    inputs(sources.lastResult$(wantsResult$).pipe(atMostEvery(chartMs)), lastResult => ({
      kind: 'lastResult',
      lastResult,
    })),
    inputs(sources.qualities$(wantsQualities$), qualities => ({ kind: 'qualities', qualities })),
    inputs(sources.roiLook$(openRoi$), look => ({ kind: 'roiLook', look })),
    inputs(sources.frame$(requests$).pipe(atMostEvery(pictureMs)), frame => ({ kind: 'frame', frame })),
  );
}
