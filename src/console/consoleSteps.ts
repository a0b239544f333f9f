import { connect, filter, merge, type OperatorFunction, type SchedulerLike, scan, throttleTime } from 'rxjs';
import { type ConsoleInput, isUrgent } from './consoleInput.ts';
import { type ConsoleState, type Step, step } from './consoleState.ts';
import { reduce } from './reduce.ts';

/** Data is drawn at most this often, ms; what a person does is answered at once. */
const frameMs = 500;

export interface TakenStep extends Step {
  /** It must be on the screen at once. */
  urgent: boolean;
  /** The window has another size. */
  resized: boolean;
}

/** The console's state after each input, with what is to be done besides. Pure. */
export function consoleSteps(initial: ConsoleState): OperatorFunction<ConsoleInput, TakenStep> {
  return scan<ConsoleInput, TakenStep>(
    ({ state }, input) => ({
      ...reduce(state, input),
      urgent: isUrgent(input, state),
      resized: input.kind === 'size',
    }),
    { ...step(initial), urgent: true, resized: false },
  );
}

/** The steps after which it is time to draw: each urgent one, of the others at most one in {@link frameMs}, and the last. */
export function frames(scheduler: SchedulerLike): OperatorFunction<TakenStep, TakenStep> {
  return connect(steps$ =>
    merge(
      steps$.pipe(filter(({ urgent }) => urgent)),
      steps$.pipe(
        filter(({ urgent }) => !urgent),
        throttleTime(frameMs, scheduler, { leading: true, trailing: true }),
      ),
    ),
  );
}
