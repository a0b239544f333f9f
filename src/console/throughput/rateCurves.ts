import { parseIso } from '../../model/localTime.ts';
import { type RateUnit, rateUnit } from '../../model/rate.ts';
import { type StageName, stageNames } from '../../model/stageName.ts';
import { historyBucketMs, type PipelineStatus } from '../../model/status.ts';
import type { InkName } from '../views/line.ts';
import { roundUp, smoothRates } from './rateGraph.ts';

/** How fast several stages were in the last minutes, beside each other. */
export interface RateCurves {
  /** Of the values. */
  unit: RateUnit;
  /** The highest of the scale, a round number. */
  top: number;
  /** How long ago each point was, `-4:35`; oldest first. */
  labels: string[];
  /** What is asked of the whole first, the stage in front last. */
  curves: { name: StageName | 'asked'; colour: InkName; values: number[] }[];
}

/** Fewer points make no curve. */
const leastPoints = 3;

/**
 * The rates of all stages that have work, since the process started, five minutes at most. The span that goes on is left out. Null: too little
 * is known yet.
 */
export function rateCurves(
  { stages, started, heartbeat, throughput }: Pick<PipelineStatus, 'stages' | 'started' | 'heartbeat' | 'throughput'>,
  front: StageName,
): RateCurves | null {
  const ran = Math.floor((parseIso(heartbeat) - parseIso(started)) / historyBucketMs);
  const rates = stageNames.flatMap((name, i) => {
    const stage = stages[name];
    if (!stage || stage.state === 'off') return [];
    const known = stage.history.slice(0, -1).slice(-Math.max(1, ran));
    const asked = stage.target_per_minute === null ? null : stage.target_per_minute / 60;
    if (asked === null && !known.some(count => count > 0)) return [];
    return [{ name, colour: `curve${i % 8}` as InkName, values: smoothRates(known, asked) }];
  });
  const points = Math.max(0, ...rates.map(({ values }) => values.length));
  if (ran < leastPoints || points < leastPoints) return null;
  const asked = (throughput?.target_per_minute ?? 0) / 60;
  const most = Math.max(asked, ...rates.flatMap(({ values }) => values));
  const unit = rateUnit(most);
  const all: RateCurves['curves'] = [
    ...(asked > 0
      ? [{ name: 'asked' as const, colour: 'emptyText' as const, values: Array<number>(points).fill(asked) }]
      : []),
    ...rates.filter(({ name }) => name !== front),
    ...rates.filter(({ name }) => name === front),
  ];
  return {
    unit,
    top: roundUp(most * unit.seconds || 1),
    labels: Array.from({ length: points }, (_, i) => ago(((points - i) * historyBucketMs) / 1000)),
    curves: all.map(curve => ({ ...curve, values: curve.values.map(value => value * unit.seconds) })),
  };
}

const ago = (seconds: number): string =>
  `-${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
