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
 * The worst of what is in a pipeline that runs, and since when, with how much else there is; null while all is well: an alarm, a stage that
 * hangs, a camera that brings no frames, a stage that rests, and what the health check has found. Of one kind that comes first which is
 * first in the graph.
 */
export function worstOf(status: PipelineStatus, now: number): Worst | null {
  const { stages, health } = status;
  const since = (iso: string | null): string => (iso === null ? '' : ` since ${clockTime(parseIso(iso), now)}`);
  const known = stageNames.flatMap(name => (stages[name] ? [{ name, stage: stages[name] }] : []));
  const alarms = worstFirst(status);
  const toAlarm = (alarm: AlarmStatus): Worst => ({
    text: `ALARM: ${alarm.stage}${since(alarm.since)}`,
    tone: toneOf(alarm, health),
  });
  const all: Worst[] = [
    ...alarms.filter(({ stage }) => stage !== 'health').map(toAlarm),
    ...known
      .filter(({ stage }) => stage.late !== null)
      .map(
        ({ name, stage }): Worst => ({
          text: `${stage.late?.toUpperCase()}: ${name}${since(stage.heartbeat)}`,
          tone: 'bad',
        }),
      ),
    ...(stages.collector && bringsNothing(stages.collector, now)
      ? [{ text: `NO FRAME${since(stages.collector.last_done)}`, tone: 'bad' } as const]
      : []),
    ...known
      .filter(({ stage }) => stage.state === 'paused')
      .map(({ name }): Worst => ({ text: `paused: ${name}`, tone: 'warning' })),
    ...alarms.filter(({ stage }) => stage === 'health').map(toAlarm),
  ];
  const worst = all.find(({ tone }) => tone === 'bad') ?? all[0];
  if (!worst) return null;
  return all.length === 1 ? worst : { ...worst, text: `${worst.text} (+${all.length - 1})` };
}

/**
 * The alarms that stand, the worst first: those of the stages that work, first in the graph first, then what the health check has found, red
 * before amber; of one stage the newest first.
 */
export function worstFirst({ alarms, health }: Pick<PipelineStatus, 'alarms' | 'health'>): AlarmStatus[] {
  const rank = (alarm: AlarmStatus): number =>
    alarm.stage === 'health' ? stageNames.length + (toneOf(alarm, health) === 'bad' ? 0 : 1) : placeOf(alarm.stage);
  return alarms.toSorted((a, b) => rank(a) - rank(b) || parseIso(b.since) - parseIso(a.since));
}

const placeOf = (stage: StageName): number => stageNames.indexOf(stage);

/** An alarm of the health check is as bad as what it has found. */
function toneOf({ stage, key }: AlarmStatus, health: PipelineStatus['health']): Worst['tone'] {
  const isAmber = stage === 'health' && health?.findings.find(each => each.key === key)?.light === 'amber';
  return isAmber ? 'warning' : 'bad';
}

function bringsNothing({ state, target_per_minute: target, last_done }: StageStatus, now: number): boolean {
  if (state !== 'running' || target === null || target <= 0 || last_done === null) return false;
  return now - parseIso(last_done) > Math.max(shortestSilenceMs, (missedIntervals * 60_000) / target);
}
