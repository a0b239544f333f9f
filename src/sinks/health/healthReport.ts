import { join } from 'node:path';
import { defer, EMPTY, exhaustMap, filter, finalize, from, ignoreElements, type Observable } from 'rxjs';
import type { Files } from '../../files/files.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import type { Clock } from '../../model/clock.ts';
import type { PipelineEvent } from '../../model/event.ts';
import type { LogLine } from '../../model/logLine.ts';
import { sayOnce } from '../../model/sayOnce.ts';
import { drawSvg } from '../drawing/drawProcess.ts';
import { healthPicture } from './healthPicture.ts';

type HealthEvent = Extract<PipelineEvent, { kind: 'health' }>;

export interface HealthReportOptions {
  /** `results_dir`. */
  folder: string;
  files: Files;
  clock: Pick<Clock, 'monotonic'>;
  /** Folder of the experiment; stands in the picture. */
  root: string;
  /** The newest lines of the log, oldest first. */
  readLog: () => Promise<readonly LogLine[]>;
  /** Told once for each new reason why there is no new picture; the pipeline goes on. */
  onError: (error: Error) => void;
  /** How SVG becomes PNG; for tests. */
  draw?: (svg: string, signal: AbortSignal) => Promise<Uint8Array>;
}

const healthReportName = 'health_report.png';

/** A picture of which only the numbers are others is drawn anew so often, ms. */
const redrawMs = 300_000;

/**
 * Draws `health_report.png` from what the health stage sees: at its first look, when a light or a finding is another, and every
 * five minutes. The picture says when it was.
 *
 * Emits nothing. Drawn by a process of its own, one picture at a time; looks that come meanwhile are left out, since another
 * follows. Completes when the events have completed and the picture in flight stands; errors only with them. Teardown leaves the
 * picture as it is.
 */
export function healthReport(events$: Observable<PipelineEvent>, options: HealthReportOptions): Observable<never> {
  const { folder, files, clock, root, readLog, onError, draw = drawHealth } = options;
  const path = join(folder, healthReportName);
  let drawn: { look: string; at: number } | null = null;
  const report = sayOnce(error => onError(new Error(`${path} was not drawn: ${error.message}`, { cause: error })));

  async function renew({ report: health, pipeline }: HealthEvent, look: string, signal: AbortSignal): Promise<void> {
    try {
      const log = await readLog();
      const picture = await draw(healthPicture({ report: health, pipeline, log, root }), signal);
      // A picture that a power cut takes is drawn again: no fsync.
      await writeAtomic(files, path, picture, { durable: false });
      drawn = { look, at: clock.monotonic() };
      report(null);
    } catch (error) {
      if (!signal.aborted) report(error as Error);
    }
  }

  return events$.pipe(
    filter(event => event.kind === 'health'),
    exhaustMap(event => {
      const look = JSON.stringify([event.report.stages, event.report.findings]);
      if (drawn?.look === look && clock.monotonic() - drawn.at < redrawMs) return EMPTY;
      return defer(() => {
        const leaving = new AbortController();
        return from(renew(event, look, leaving.signal)).pipe(finalize(() => leaving.abort()));
      });
    }),
    ignoreElements(),
  );
}

const drawHealth = (svg: string, signal: AbortSignal): Promise<Uint8Array> => drawSvg(svg, { signal });
