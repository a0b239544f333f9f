import type { ListedExperiment } from './listedExperiment.ts';
import { parseIso } from './localTime.ts';
import { counted, duration, number } from './quantity.ts';

export const experimentHeads = ['state', 'what', 'last seen', 'frames'] as const;

/** An experiment as a row of a list, without its folder, a cell for each of {@link experimentHeads}. `now`: ms since 1970. */
export function experimentCells(
  { state, kind, started, heartbeat, pid, frames, alarms }: ListedExperiment,
  now: number,
): string[] {
  const words = state === 'none' ? 'not run' : state;
  const troubles = alarms > 0 ? `, ${counted(alarms, 'alarm')}` : '';
  const seen = state === 'running' ? started : (heartbeat ?? started);
  const ms = seen === null ? Number.NaN : now - parseIso(seen);
  const ago = Number.isFinite(ms) ? duration(Math.max(0, Math.floor(ms / 1000) * 1000)) : '';
  return [
    `${words}${pid === null ? '' : ` (process ${pid})`}${troubles}`,
    kind,
    ago === '' ? 'unknown' : state === 'running' ? `up ${ago}` : `${ago} ago`,
    frames === null ? '' : number(frames),
  ];
}
