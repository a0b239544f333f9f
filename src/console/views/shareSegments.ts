import { parseIso } from '../../model/localTime.ts';
import { number } from '../../model/quantity.ts';
import type { PipelineStatus } from '../../model/status.ts';
import type { Drawing } from '../drawing.ts';
import { clockTime } from './amounts.ts';
import { type Segment, seg } from './line.ts';

/** How the copy on the share is; nothing where there is none. `now`: milliseconds since 1970 UTC. */
export function shareSegments({ stages, alarms }: PipelineStatus, now: number, { marks }: Drawing): Segment[] {
  const { syncer } = stages;
  if (!syncer || syncer.state === 'off' || syncer.state === 'stopped') return [];
  const alarm = alarms.find(({ stage }) => stage === 'syncer');
  if (alarm) {
    // Without the seconds it fits beside the pages on 80 columns.
    const since = clockTime(parseIso(alarm.since), now).replace(/^(\d\d:\d\d):\d\d$/, '$1');
    return [seg(`${marks.late} share away since ${since} `, 'bad')];
  }
  if (syncer.state === 'paused') return [seg(`share paused, behind by ${number(syncer.queued)} `, 'warning')];
  return syncer.queued > 0
    ? [seg(`share behind by ${number(syncer.queued)} `, 'plain')]
    : [seg('share in sync ', 'dim')];
}
