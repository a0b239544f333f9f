import { parseIso } from '../../model/localTime.ts';
import { type StageName, stageNames } from '../../model/stageName.ts';
import type { AlarmStatus, PipelineStatus, StageStatus } from '../../model/status.ts';
import { clockTime } from './amounts.ts';

export interface Worst {
  text: string;
  tone: 'bad' | 'warning';
}

/** After so many intervals of what is asked for without a frame, ms at least: the camera brings none. */
const missedIntervals = 3;
const shortestSilenceMs = 10_000;

/**
 * The worst of what is in a pipeline that runs, and since when; null while all is well: an alarm, a stage that hangs, a camera that
 * brings no frames, a stage that rests. Of several of a kind the one that is first in the graph, and how many more.
 */
export function worstOf(status: PipelineStatus, now: number): Worst | null {
  const { alarms, stages } = status;
  const since = (iso: string | null): string => (iso === null ? '' : ` since ${clockTime(parseIso(iso), now)}`);
  const more = (count: number): string => (count > 1 ? ` (+${count - 1})` : '');
  const alarm = alarms.toSorted(firstInGraph)[0];
  if (alarm) return { text: `ALARM: ${alarm.stage}${since(alarm.since)}${more(alarms.length)}`, tone: 'bad' };
  const known = stageNames.flatMap(name => (stages[name] ? [{ name, stage: stages[name] }] : []));
  const late = known.filter(({ stage }) => stage.late !== null);
  if (late[0]) {
    const { name, stage } = late[0];
    return { text: `${stage.late?.toUpperCase()}: ${name}${since(stage.heartbeat)}${more(late.length)}`, tone: 'bad' };
  }
  if (stages.collector && bringsNothing(stages.collector, now))
    return { text: `NO FRAME${since(stages.collector.last_done)}`, tone: 'bad' };
  const paused = known.filter(({ stage }) => stage.state === 'paused');
  if (paused.length > 0) return { text: `paused: ${paused.map(({ name }) => name).join(', ')}`, tone: 'warning' };
  return null;
}

/** The health stage tells again what others tell, and how the whole is. */
const firstInGraph = (a: AlarmStatus, b: AlarmStatus): number => placeOf(a.stage) - placeOf(b.stage);
const placeOf = (stage: StageName): number => stageNames.indexOf(stage);

function bringsNothing({ state, target_per_minute: target, last_done }: StageStatus, now: number): boolean {
  if (state !== 'running' || target === null || target <= 0 || last_done === null) return false;
  return now - parseIso(last_done) > Math.max(shortestSilenceMs, (missedIntervals * 60_000) / target);
}
