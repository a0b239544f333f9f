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
  const alarms = status.alarms.toSorted(firstInGraph);
  const found = (key: string): Worst['tone'] =>
    health?.findings.find(each => each.key === key)?.light === 'amber' ? 'warning' : 'bad';
  const all: Worst[] = [
    ...alarms
      .filter(({ stage }) => stage !== 'health')
      .map(({ stage, since: from }): Worst => ({ text: `ALARM: ${stage}${since(from)}`, tone: 'bad' })),
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
    ...alarms
      .filter(({ stage }) => stage === 'health')
      .map(({ key, since: from }): Worst => ({ text: `ALARM: health${since(from)}`, tone: found(key) })),
  ];
  const worst = all.find(({ tone }) => tone === 'bad') ?? all[0];
  if (!worst) return null;
  return all.length === 1 ? worst : { ...worst, text: `${worst.text} (+${all.length - 1})` };
}

const firstInGraph = (a: AlarmStatus, b: AlarmStatus): number => placeOf(a.stage) - placeOf(b.stage);
const placeOf = (stage: StageName): number => stageNames.indexOf(stage);

function bringsNothing({ state, target_per_minute: target, last_done }: StageStatus, now: number): boolean {
  if (state !== 'running' || target === null || target <= 0 || last_done === null) return false;
  return now - parseIso(last_done) > Math.max(shortestSilenceMs, (missedIntervals * 60_000) / target);
}
