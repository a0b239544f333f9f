import { type OperatorFunction, ReplaySubject } from 'rxjs';
import type { StageEvent } from '../../src/model/event.ts';
import { EventRun } from './eventRun.ts';

/** One stage at work, with all that the graph would give it. */
export class StageRun<S> extends EventRun<StageEvent> {
  readonly settings$ = new ReplaySubject<S>(1);

  constructor(settings: S, random?: () => number) {
    super(random);
    this.settings$.next(settings);
  }

  start(stage: OperatorFunction<S, StageEvent>): this {
    this.listen(this.settings$.pipe(stage));
    return this;
  }
}
