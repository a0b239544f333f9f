import type { Config } from '../config/schema.ts';
import { type StageName, type StageState, stageNames } from '../model/stageName.ts';
import type { ConsoleState } from './consoleState.ts';

/** What can be asked of the pipeline in a state. */

type Known = Pick<ConsoleState, 'reading' | 'mode'>;

/** Nothing runs, as far as is known. */
export const mayStart = ({ reading, mode }: Known): boolean =>
  mode === 'attached' && reading !== null && ['none', 'stopped', 'crashed'].includes(reading.connection);

/** Something runs. */
export const mayStop = ({ reading, mode }: Known): boolean => mode === 'own' || reading?.connection === 'running';

const stagesThat = ({ reading }: Pick<ConsoleState, 'reading'>, fits: (state: StageState) => boolean): StageName[] => {
  const stages = reading?.status?.stages ?? {};
  return stageNames.filter(name => stages[name] !== undefined && fits(stages[name].state));
};

/** The stages that are on, in the order of the graph; where none is, all. */
export function stagesOf(state: Pick<ConsoleState, 'reading'>): StageName[] {
  const on = stagesThat(state, each => each !== 'off');
  return on.length > 0 ? on : stagesThat(state, () => true);
}

/** The stages that the configuration has off, where others are on. */
export function stagesOff(state: Pick<ConsoleState, 'reading'>): StageName[] {
  const off = stagesThat(state, each => each === 'off');
  return off.length === stagesThat(state, () => true).length ? [] : off;
}

/** The stage that pause and resume mean: the one that was selected, else the first. */
export function selectedStage(state: Pick<ConsoleState, 'reading' | 'selected'>): StageName | null {
  const stages = stagesOf(state);
  return state.selected !== null && stages.includes(state.selected) ? state.selected : (stages[0] ?? null);
}

/** Whether a person wants this stage to pause. */
export function isPaused({ reading }: Pick<ConsoleState, 'reading'>, stage: StageName): boolean {
  const status = reading?.status;
  if (!status) return false;
  const rests = status.stages[stage]?.state === 'paused' && restsBecause({ reading }, stage) === null;
  return status.control.paused.includes(stage) || rests;
}

/** Why a stage rests that nobody has paused; null: it does not, or a person has paused it. */
export function restsBecause({ reading }: Pick<ConsoleState, 'reading'>, stage: StageName): string | null {
  const status = reading?.status;
  if (status?.stages[stage]?.state !== 'paused' || status.control.paused.includes(stage)) return null;
  return status.alarms.find(alarm => alarm.stage === stage)?.message ?? null;
}

/** The settings that count: those of the pipeline that runs, else those of the file. Null: neither is known. */
export function countingConfig(state: Pick<ConsoleState, 'settings' | 'reading' | 'mode'>): Config | null {
  const { file } = state.settings;
  return (mayStop(state) ? file?.inForce : null) ?? file?.config ?? null;
}

/** Why the pipeline that runs does not take the file over; null: it does, as far as is known. */
export const refusalOf = (state: Pick<ConsoleState, 'reading' | 'mode'>): string | null =>
  mayStop(state) ? (state.reading?.status?.config.error ?? null) : null;
