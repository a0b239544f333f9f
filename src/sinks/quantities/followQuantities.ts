import { setTimeout as wait } from 'node:timers/promises';
import { concat, defer, filter, merge, mergeMap, Observable, of, throttle, timer } from 'rxjs';
import { withAccessHint } from '../../files/accessHint.ts';
import type { Files } from '../../files/files.ts';
import { asError } from '../../model/asError.ts';
import type { Clock } from '../../model/clock.ts';
import type { PipelineEvent } from '../../model/event.ts';
import type { RunFigures } from '../../quantities/quantities.ts';
import { conflate } from '../../rx/conflate.ts';
import { QuantitiesFollower } from './quantitiesFollower.ts';
import type { QuantitySettings } from './readQuantities.ts';

export interface FollowQuantitiesOptions {
  /** The first value comes at once. */
  settings$: Observable<QuantitySettings>;
  files: Files;
  /** `results_dir`. */
  results: string;
  clock: Clock;
}

const stage = 'communicator';

/**
 * Keeps the figures of the run up with what the communicator has reported; see {@link QuantitiesFollower}. Off the main path: what fails is a note, once
 * for each reason, and is tried again with the next results. Emits notes, and the alarms of the control chart, one for each group.
 *
 * Completes when the events have, after a last round of a few seconds at most; errors only with the events. Teardown ends a round.
 */
export function followQuantities(
  events$: Observable<PipelineEvent>,
  { settings$, files, results, clock }: FollowQuantitiesOptions,
): Observable<PipelineEvent> {
  return new Observable<PipelineEvent>(subscriber => {
    const gone = new AbortController();
    const told = new ToldOf(clock);
    let settings: QuantitySettings | null = null;
    let follower: QuantitiesFollower | null = null;
    const configured = settings$.subscribe(latest => {
      settings = latest;
      follower ??= new QuantitiesFollower(latest, {
        files,
        results,
        monotonic: () => clock.monotonic(),
        wait: ms => wait(ms),
        signal: gone.signal,
      });
      follower.configure(latest);
    });
    const round = async (isLast: boolean): Promise<PipelineEvent[]> => {
      if (!follower || !settings) return [];
      try {
        const figures = await follower.round(isLast);
        return [...told.isWell(), ...(figures ? told.charts(figures, settings) : [])];
      } catch (error) {
        return gone.signal.aborted ? [] : told.failed(asError(error));
      }
    };
    const rounds$ = concat(
      merge(
        of(null),
        events$.pipe(filter(({ kind, ...event }) => kind === 'done' && 'stage' in event && event.stage === stage)),
      ).pipe(
        throttle(() => timer(follower?.pauseMs ?? 0), { leading: true, trailing: true }),
        conflate(() => round(false)),
      ),
      defer(() => round(true)),
    ).pipe(mergeMap(events => events));
    const running = rounds$.subscribe(subscriber);
    return () => {
      gone.abort();
      configured.unsubscribe();
      running.unsubscribe();
    };
  });
}

/** What was said, so that it is said once. */
class ToldOf {
  readonly #clock: Clock;
  readonly #raised = new Set<string>();
  #reason: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  failed(error: Error): PipelineEvent[] {
    const message = withAccessHint(error);
    if (message === this.#reason) return [];
    this.#reason = message;
    return [this.#note('warning', `the figures of the run are not kept up: ${message}; it is tried again`)];
  }

  isWell(): PipelineEvent[] {
    if (this.#reason === null) return [];
    this.#reason = null;
    return [this.#note('info', 'the figures of the run are kept up again')];
  }

  /** An alarm begins beyond the limit and ends within half of it. */
  charts({ groups }: RunFigures, { alarmSigmas }: QuantitySettings): PipelineEvent[] {
    const events: PipelineEvent[] = [];
    for (const { name, chart } of groups) {
      const key = `control_chart_${name}`;
      const distance = chart && alarmSigmas > 0 ? Math.abs(chart.average - chart.level) / chart.sigma : 0;
      const common = { stage, key, at: this.#clock.now() } as const;
      if (distance > alarmSigmas && !this.#raised.has(name)) {
        this.#raised.add(name);
        const moved = `${(chart!.average - chart!.level).toFixed(4)} px`;
        const message = `the shift of ${name} has left its level by ${moved}, ${distance.toFixed(1)} standard errors; [Quantities] alarm_sigmas is ${alarmSigmas}`;
        events.push({ ...common, kind: 'alarm', message, retryInMs: 0 });
      } else if (distance <= alarmSigmas / 2 && this.#raised.delete(name)) events.push({ ...common, kind: 'well' });
    }
    return events;
  }

  #note(level: 'info' | 'warning', message: string): PipelineEvent {
    return { kind: 'note', at: this.#clock.now(), level, stage, message };
  }
}
