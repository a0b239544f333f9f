import type { PipelineEvent } from '../model/event.ts';
import { type StageName, stageNames } from '../model/stageName.ts';
import { clockBehindKey } from '../operators/services/clockBehind.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { explain } from './explain.ts';

/** What a process in the background tells the one that started it, once. */
export type StartReport =
  | {
      kind: 'up';
      runId: string;
      root: string;
      /** How each stage came up: its state, or the alarm that stands. */
      stages: readonly { stage: StageName; state: string }[];
      /** What is wrong with the configuration, and not so wrong that it could not start. */
      warnings: readonly string[];
    }
  | { kind: 'failed'; code: number; message: string };

/** What it tells before that: for whom it waits. */
export interface StartWait {
  kind: 'waiting';
  message: string;
}

/**
 * Follows the events of a start until every stage runs, rests, or says why it can't: then `take` returns the report, once.
 */
export class StartWatch {
  readonly #waiting: Set<StageName>;
  readonly #states = new Map<StageName, string>();
  /** Why a stage can't work, while that stands. */
  readonly #alarms = new Map<StageName, string>();
  #paused: readonly StageName[] = [];
  #warnings: readonly string[] = [];
  #clock: readonly string[] = [];
  #isReported = false;

  constructor(stages: readonly StageName[]) {
    this.#waiting = new Set(stages);
  }

  take(event: PipelineEvent): Pick<Extract<StartReport, { kind: 'up' }>, 'stages' | 'warnings'> | null {
    if (event.kind === 'config') this.#warnings = event.warnings;
    // It keeps no stage from working.
    else if (event.kind === 'alarm' && event.key === clockBehindKey) this.#clock = [event.message];
    else if (event.kind === 'control') this.#paused = event.paused;
    else if (event.kind === 'well') this.#alarms.delete(event.stage);
    else if (event.kind === 'alarm') {
      this.#alarms.set(event.stage, event.message);
      this.#answer(event.stage, `alarm: ${event.message}`);
    } else if (event.kind === 'state' && event.state !== 'starting') this.#answer(event.stage, event.state);
    if (this.#isReported || this.#waiting.size > 0) return null;
    this.#isReported = true;
    const stages = stageNames.flatMap(stage => {
      const state = this.#states.get(stage);
      return state === undefined ? [] : [{ stage, state: this.#wordsOf(stage, state) }];
    });
    return { stages, warnings: [...this.#warnings, ...this.#clock] };
  }

  /** `paused` is what a person can resume; one that rests for a reason that is nobody's will says which. */
  #wordsOf(stage: StageName, state: string): string {
    const alarm = this.#alarms.get(stage);
    if (state !== 'paused' || alarm === undefined) return state;
    return this.#paused.includes(stage) ? `paused, and rests besides: ${alarm}` : `rests: ${alarm}`;
  }

  #answer(stage: StageName, state: string): void {
    this.#waiting.delete(stage);
    this.#states.set(stage, state);
  }
}

/** To the process that started this one, if it still listens. But for that it waits, it is told once. */
export function reportStart(message: StartReport | StartWait): void {
  if (!process.connected) return;
  // It may have gone away in this very moment, which is its own business.
  process.send?.(message, undefined, undefined, () => {
    if (process.connected && message.kind !== 'waiting') process.disconnect();
  });
}

/** Why it did not come up. */
export const failedStart = (error: unknown): StartReport => ({
  kind: 'failed',
  code: error instanceof ExitError ? error.code : exitCodes.failed,
  message: explain(error),
});
