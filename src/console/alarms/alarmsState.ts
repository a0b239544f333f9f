import type { Acknowledgement, AlarmNotice } from '../../model/alarm.ts';
import { parseIso } from '../../model/localTime.ts';
import type { AlarmStatus, StatusReading } from '../../model/status.ts';
import { worstFirst } from '../views/worstOf.ts';

/** What the alarms page knows. */
export interface AlarmsState {
  /** What the log says of alarms, oldest first. */
  notices: readonly AlarmNotice[];
  acknowledged: readonly Acknowledgement[];
  /** {@link ShownAlarm.id} of the selected alarm; null: the first. */
  selected: string | null;
  /** What the documentation says to some messages; null where it says nothing. */
  advice: Readonly<Record<string, string | null>>;
}

export const initialAlarms: AlarmsState = { notices: [], acknowledged: [], selected: null, advice: {} };

/** So many notices are kept, and so many alarms that are over are shown. */
const mostNotices = 2000;
const mostOver = 200;

/** An alarm, standing or over. Times in ms since 1970 UTC. */
export interface ShownAlarm {
  id: string;
  stage: string;
  key: string;
  message: string;
  since: number;
  /** How often it was raised. */
  times: number;
  /** When it was over; null while it stands, and where the pipeline ended before it was. */
  overAt: number | null;
  isStanding: boolean;
  acknowledged: Acknowledgement | null;
}

/** Adds what the log says: its past and its news may say the same. */
export function withNotices(alarms: AlarmsState, more: readonly AlarmNotice[]): AlarmsState {
  if (more.length === 0) return alarms;
  const all = new Map(
    [...alarms.notices, ...more].map(notice => [`${notice.at} ${notice.stage} ${notice.key} ${notice.state}`, notice]),
  );
  const notices = [...all.values()].sort((a, b) => a.at - b.at).slice(-mostNotices);
  return { ...alarms, notices };
}

/** The alarms that stand, the worst first, then those that are over, newest first. */
export function shownAlarms({ reading, alarms }: { reading: StatusReading | null; alarms: AlarmsState }): ShownAlarm[] {
  const standing = standingAlarms({ reading, alarms });
  const open = new Set(reading?.connection === 'running' ? standing.map(alarmName) : []);
  const over = pastAlarms(alarms.notices, open).sort((a, b) => b.since - a.since);
  return [...standing, ...over.slice(0, mostOver)];
}

/** The alarms that stand, the worst first. */
export function standingAlarms({ reading, alarms }: Parameters<typeof shownAlarms>[0]): ShownAlarm[] {
  const standing = reading?.status ? worstFirst(reading.status) : [];
  return standing.map(alarm => standingAlarm(alarm, alarms.acknowledged));
}

const alarmName = ({ stage, key }: Pick<ShownAlarm, 'stage' | 'key'>): string => `${stage} ${key}`;

function standingAlarm(
  { stage, key, message, since, times }: AlarmStatus,
  seen: readonly Acknowledgement[],
): ShownAlarm {
  const at = parseIso(since);
  const acknowledged =
    seen.find(each => each.stage === stage && each.key === key && parseIso(each.since) === at) ?? null;
  return {
    id: `${stage} ${key} ${at}`,
    stage,
    key,
    message,
    since: at,
    times,
    overAt: null,
    isStanding: true,
    acknowledged,
  };
}

/** @param open names of those that stand: the last raising of each is no past. */
function pastAlarms(notices: readonly AlarmNotice[], open: ReadonlySet<string>): ShownAlarm[] {
  const past: ShownAlarm[] = [];
  const raised = new Map<string, ShownAlarm>();
  for (const { at, stage, key, state, message } of notices) {
    const name = alarmName({ stage, key });
    const before = raised.get(name);
    if (state === 'over') {
      // One whose raising is older than what is known of the log is left out.
      if (before) past.push({ ...before, overAt: at });
      raised.delete(name);
    } else if (before) {
      raised.set(name, { ...before, message, times: before.times + 1 });
    } else {
      const id = `${stage} ${key} ${at}`;
      raised.set(name, {
        id,
        stage,
        key,
        message,
        since: at,
        times: 1,
        overAt: null,
        isStanding: false,
        acknowledged: null,
      });
    }
  }
  return [...past, ...[...raised].filter(([name]) => !open.has(name)).map(([, alarm]) => alarm)];
}

/** Index of the selected alarm; 0 where none is, or where it is gone. */
export const selectedIndex = (list: readonly ShownAlarm[], { selected }: AlarmsState): number =>
  Math.max(
    0,
    list.findIndex(({ id }) => id === selected),
  );
