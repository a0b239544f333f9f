import type { Clock } from '../../model/clock.ts';
import type { StageEvent } from '../../model/event.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Outcome } from './stage.ts';

/** What is told of an outcome. `startedMs`: when the work on it began, by the monotonic clock. */
export function outcomeEvent(
  stage: StageName,
  outcome: Outcome,
  { clock, startedMs }: { clock: Clock; startedMs: number },
): StageEvent {
  const common = { stage, at: clock.now() };
  if (outcome.kind === 'discarded') return { ...common, ...outcome };
  return { ...common, ...outcome, ms: clock.monotonic() - startedMs };
}
