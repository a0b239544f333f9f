import {
  catchError,
  combineLatest,
  defer,
  EMPTY,
  first,
  from,
  map,
  merge,
  mergeAll,
  type Observable,
  of,
  Subject,
  switchMap,
  tap,
} from 'rxjs';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { parseChipMap } from '../calibration/chipMap.ts';
import type { ConsoleSources } from '../console/consoleSources.ts';
import { nodeFiles } from '../files/files.ts';
import { systemClock } from '../model/clock.ts';
import type { Pixels } from '../model/frame.ts';
import { type LastResult, lastResultOf } from '../model/lastResult.ts';
import type { LogLine } from '../model/logLine.ts';
import type { RoiManifest } from '../model/roi.ts';
import type { CloseHistory, CloseRequest } from '../model/roiHistory.ts';
import { parseRoiQualities } from '../model/roiQuality.ts';
import type { LastImage } from '../model/status.ts';
import { conflate } from '../rx/conflate.ts';
import { quantitiesFile } from '../sinks/quantities/quantitiesFile.ts';
import { acknowledgedFile, parseAcknowledgements } from '../streams/alarms/acknowledgements.ts';
import { alarmNotices } from '../streams/console/alarmNotices.ts';
import { logTail$ } from '../streams/console/logTail.ts';
import { looked$, roiHistory$ } from '../streams/console/roiHistory.ts';
import { roiLook$ } from '../streams/console/roiLook.ts';
import { statusReading$ } from '../streams/status/statusReading.ts';
import { watchedFile$, watchedText$ } from '../streams/watched/watchedFile.ts';
import { lastGoodFile, settingsThatCount } from './knownExperiment.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { loadPart } from './loadPart.ts';

/**
 * What the console watches of a pipeline from outside: its files. What can't be read is a line in the console's log.
 * @param chosen the configuration file, for its page.
 * @param troubles what is wrong already, for the log.
 * @param own status and log of a pipeline that runs in this process, instead of those in its files.
 */
export function openConsoleSources(
  { paths, chosen }: Pick<LoadedConfig, 'paths' | 'chosen'>,
  own: Partial<Pick<ConsoleSources, 'status$' | 'log$'>> = {},
  troubles: readonly string[] = [],
): ConsoleSources {
  const line = (text: string): LogLine => ({ at: systemClock.now(), level: 'warning', source: 'console', text });
  const problems$ = new Subject<readonly LogLine[]>();
  const onError = ({ message }: Error): void => problems$.next([line(message)]);
  const status$ = own.status$ ?? statusReading$({ file: paths.pipelineStatusFile, onError });
  let lastImage: LastImage | null = null;
  const openHistory = async () => {
    const [{ SeriesHistory }, { seriesFolder }] = await Promise.all([
      import('../sinks/series/seriesHistory.ts'),
      import('../sinks/series/seriesReader.ts'),
    ]);
    return new SeriesHistory(nodeFiles, seriesFolder(paths.results));
  };
  const rois$ = (): Observable<RoiManifest | null> =>
    watchedText$(paths.roiManifest, onError).pipe(
      map(text => parsed(text, paths.roiManifest, parseRoiManifest, onError)),
    );
  return {
    status$: status$.pipe(
      tap(({ status }) => {
        lastImage = status?.last_image ?? null;
      }),
    ),
    log$: merge(of(troubles.map(line)), problems$, own.log$ ?? logTail$({ folder: paths.logs, onError })),
    history$: wanted$ =>
      onceWanted(wanted$, async () => {
        const history = await openHistory();
        return roiHistory$({ look: () => history.look(), onError });
      }),
    rois$: rois$(),
    marks$: wanted$ =>
      onceWanted(wanted$, async () => {
        const [{ auditFile }, { runMarks$ }] = await Promise.all([
          import('../sinks/audit/audit.ts'),
          import('../streams/console/runMarks.ts'),
        ]);
        return wanted$.pipe(switchMap(isWanted => (isWanted ? runMarks$(auditFile(paths.logs), onError) : EMPTY)));
      }),
    closeHistory$: requests$ =>
      onceWanted(requests$, async () => {
        const history = await openHistory();
        const read = (request: CloseRequest): Observable<CloseHistory> =>
          defer(() => history.between(request)).pipe(
            catchError((error: Error) => {
              onError(error);
              return EMPTY;
            }),
          );
        return requests$.pipe(conflate(request => (request === null ? EMPTY : read(request))));
      }),
    chips$: watchedText$(paths.chipMap, onError).pipe(
      map(text => parsed(text, paths.chipMap, parseChipMap, onError) ?? []),
    ),
    lastResult$: wanted$ =>
      onceWanted(wanted$, async () => {
        const { lastResultReader } = await import('../sinks/results/readLastResult.ts');
        const read = lastResultReader(nodeFiles, paths.results);
        const look = async (): Promise<LastResult | null> => {
          const line = await read();
          return line && lastResultOf(line);
        };
        return wanted$.pipe(switchMap(isWanted => (isWanted ? looked$({ look, onError }) : EMPTY)));
      }),
    qualities$: wanted$ => {
      const file = quantitiesFile(paths.results);
      return wanted$.pipe(
        switchMap(isWanted => (isWanted ? watchedText$(file, onError) : EMPTY)),
        map(text => parsed(text, file, parseRoiQualities, onError) ?? new Map()),
      );
    },
    alarmNotices$: wanted$ =>
      wanted$.pipe(
        // The news comes with the log: the past is read once.
        first(isWanted => isWanted),
        switchMap(() => from(alarmNotices({ folder: paths.logs, files: nodeFiles }))),
        catchError((error: Error) => {
          onError(error);
          return EMPTY;
        }),
      ),
    acknowledged$: wanted$ =>
      wanted$.pipe(
        switchMap(isWanted => (isWanted ? watchedText$(acknowledgedFile(paths.flags), onError) : EMPTY)),
        map(text => parsed(text, acknowledgedFile(paths.flags), parseAcknowledgements, onError) ?? []),
      ),
    settings$: wanted$ =>
      onceWanted(wanted$, async () => {
        const { settingsFile } = await import('../console/settings/settingsFile.ts');
        return wanted$.pipe(
          switchMap(isWanted =>
            isWanted
              ? combineLatest([
                  watchedFile$(chosen.path, { onError }).pipe(map(read => settingsFile(read, chosen.shown))),
                  watchedText$(lastGoodFile(paths.flags), onError).pipe(map(settingsThatCount)),
                ])
              : EMPTY,
          ),
          map(([file, inForce]) => ({ ...file, inForce })),
        );
      }),
    roiLook$: label$ =>
      roiLook$(
        {
          look: defer(async () => (await import('./lastLook.ts')).lastLook(paths, loadImageDecoder)),
          onError,
        },
        label$,
      ),
    frame$: requests$ =>
      onceWanted(requests$, async () => {
        const [{ lastFrame$ }, { findImage }] = await Promise.all([
          import('../streams/console/lastFrame.ts'),
          import('../image/findImage.ts'),
        ]);
        return lastFrame$(
          {
            lastImage: () => lastImage,
            dataFolder: paths.data,
            rois$: rois$(),
            loadDecoder: loadImageDecoder,
            onError,
            findImage: camera => findImage(camera, paths.data, nodeFiles),
          },
          requests$,
        );
      }),
  };
}

/** What a page shows is loaded, and then watched, from the moment at which it is first wanted. */
const onceWanted = <T>(wanted$: Observable<unknown>, load: () => Promise<Observable<T>>): Observable<T> =>
  wanted$.pipe(
    first(Boolean),
    switchMap(() => loadPart(load)),
    mergeAll(),
  );

/** The decoder of the analysis, in one thread, without a cache. */
async function loadImageDecoder(): Promise<(path: string) => Promise<Pixels>> {
  const [{ decodeFrame }, { default: sharp }] = await Promise.all([import('../image/decodeFrame.ts'), import('sharp')]);
  sharp.cache(false);
  sharp.concurrency(1);
  return path => decodeFrame(path);
}

/** Null while it is missing, or bad: what is wrong with it is said. */
function parsed<T>(
  text: string | null,
  file: string,
  parse: (text: string, file: string) => T,
  onError: (error: Error) => void,
): T | null {
  if (text === null) return null;
  try {
    return parse(text, file);
  } catch (error) {
    onError(error as Error);
    return null;
  }
}
