import { readFileSync } from 'node:fs';
import { clockSynced } from '../files/clockSynced.ts';
import { userName } from '../files/processIdentity.ts';
import { ToolRunner } from '../files/runTool.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { systemClock } from '../model/clock.ts';
import { powerFindings, readThrottled, type Throttled } from '../operators/health/powerSupply.ts';

/** What the machine says of itself; see {@link ownMachine}. */
export interface Machine {
  /** As Node calls it: `arm64`, `arm`, … */
  architecture: string;
  /** Milliseconds since 1970. */
  now: number;
  /** Null: the system does not say. */
  isClockSynced: boolean | null;
  user: string;
  isRoot: boolean;
  /** Numbers of the groups of this process. */
  groups: readonly number[];
  /** Text of `/etc/group`. */
  groupFile: string;
  throttled: Throttled | null;
}

/** Nobody ran this program before then, ms since 1970. */
const earliest = Date.UTC(2025, 0, 1);

/** Says what is wrong with the machine. Pure. @param needsVideo whether the camera is one for which its user must be in the group `video` */
export function systemFindings(machine: Machine, needsVideo: boolean): CheckFinding[] {
  const { architecture, throttled } = machine;
  const is64 = !['arm', 'ia32', 'x32'].includes(architecture);
  const power = powerFindings(throttled);
  return [
    is64
      ? { level: 'ok', about: 'system', message: `it has 64 bits (${architecture})` }
      : {
          level: 'error',
          about: 'system',
          message: `it has 32 bits (${architecture}), in which large frames find no memory: install the 64-bit Raspberry Pi OS`,
        },
    clockFinding(machine),
    ...(needsVideo ? [groupFinding(machine)] : []),
    ...power.map(
      ({ message, light }): CheckFinding => ({ level: light === 'red' ? 'error' : 'warning', about: 'power', message }),
    ),
    ...(throttled !== null && power.length === 0
      ? [
          {
            level: 'ok' as const,
            about: 'power',
            message: 'the voltage was high enough since the start of the machine',
          },
        ]
      : []),
  ];
}

function clockFinding({ now, isClockSynced }: Machine): CheckFinding {
  const about = 'clock';
  const shown = new Date(now).toISOString().slice(0, 19);
  const set =
    'connect the machine to a network with a time server, or set it (sudo timedatectl set-time "2026-01-31 12:00:00")';
  if (now < earliest) return { level: 'error', about, message: `it says ${shown} UTC, which is wrong: ${set}` };
  if (isClockSynced === false) {
    return {
      level: 'warning',
      about,
      message: `it says ${shown} UTC, and no time server has set it since the start: ${set}`,
    };
  }
  const by = isClockSynced
    ? 'a time server has set it'
    : 'the system does not tell who has set it: see whether that is right';
  return { level: 'ok', about, message: `it says ${shown} UTC; ${by}` };
}

function groupFinding({ user, isRoot, groups, groupFile }: Machine): CheckFinding {
  const about = 'group video';
  const [, , number, members] = /^video:.*$/m.exec(groupFile)?.[0].split(':') ?? [];
  if (number === undefined) return { level: 'ok', about, message: 'this system has no such group' };
  if (isRoot || groups.includes(Number(number))) return { level: 'ok', about, message: `${user} may use cameras` };
  if (members?.split(',').includes(user)) {
    return { level: 'error', about, message: `${user} is in it since the last login: log out and in again` };
  }
  const message = `${user} is not in it, and may not use cameras: sudo usermod -aG video ${user}, then log out and in again`;
  return { level: 'error', about, message };
}

export async function ownMachine(): Promise<Machine> {
  let groupFile = '';
  try {
    groupFile = readFileSync('/etc/group', 'utf8');
  } catch {
    // No Linux.
  }
  return {
    architecture: process.arch,
    now: systemClock.now(),
    isClockSynced: clockSynced(),
    user: userName(),
    isRoot: process.getuid?.() === 0,
    groups: process.getgroups?.() ?? [],
    groupFile,
    throttled: await readThrottled(new ToolRunner(), new AbortController().signal),
  };
}
