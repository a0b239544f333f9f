import { localIso, parseIso, zoneHere } from '../../model/localTime.ts';
import { bytes, duration, estimate } from '../../model/quantity.ts';
import type { PipelineStatus } from '../../model/status.ts';
import type { ConsoleState } from '../consoleState.ts';
import { clockTime } from './amounts.ts';
import { cleanText } from './cleanText.ts';
import { type Line, lineWidth, type Segment, seg, spread, type Tone } from './line.ts';
import { tabsLine } from './tabsLine.ts';
import { worstOf } from './worstOf.ts';

/** Experiment and state; configuration and disk; pages and alarms. */
export function headerLines(state: ConsoleState, width: number): Line[] {
  const health = stateSegments(state);
  const room = width - lineWidth(health) - 11;
  return [
    spread(
      [seg(' Phorest ', 'heading'), seg(shortPath(cleanText(state.root, state.drawing), room, state))],
      health,
      width,
      state.drawing,
    ),
    configurationLine(state, width),
    tabsLine(state, width),
  ];
}

/** Its end says more than its beginning. */
function shortPath(path: string, room: number, { drawing }: ConsoleState): string {
  if (path.length <= room) return path;
  return room > drawing.ellipsis.length
    ? drawing.ellipsis + path.slice(path.length - room + drawing.ellipsis.length)
    : '';
}

/** In a narrower window, what is wrong and the experiment's folder come before uptime and pid. */
const columnsForAll = 100;

function stateSegments({ reading, now, drawing, mode, columns }: ConsoleState): Segment[] {
  if (!reading) return [seg('looking ', 'dim')];
  const { connection, status } = reading;
  const { marks } = drawing;
  const seen = status ? ` since ${clockTime(parseIso(status.heartbeat), now)}` : '';
  switch (connection) {
    case 'none':
      return [seg(`${marks.off} none yet `, 'warning')];
    case 'stopped':
      return [seg(`${marks.stopped} stopped${seen} `, 'warning')];
    case 'crashed':
      return [seg(`${marks.late} CRASHED${seen} `, 'bad')];
    case 'unreachable':
      return [seg(`${marks.late} NOT REACHABLE${seen} `, 'bad')];
    case 'running': {
      if (!status) return [seg('running ', 'good')];
      const up = duration(Math.max(0, Math.round((now - parseIso(status.started)) / 1000) * 1000));
      const worst = worstOf(status, now);
      const state: Segment[] = worst
        ? [seg(`${worst.tone === 'bad' ? marks.late : marks.paused} ${cleanText(worst.text, drawing)}`, worst.tone)]
        : [seg(`${marks[status.state]} ${status.state}`, status.state === 'running' ? 'good' : 'warning')];
      const isTight = worst !== null && columns < columnsForAll;
      return isTight
        ? [...state, seg(' ')]
        : [...state, seg(` up ${up}`), seg(` ${mode === 'own' ? 'in this terminal, ' : ''}${pids(status)} `, 'dim')];
    }
  }
}

/** Where many processes share the root, the first three are named. */
function pids({ pid, processes }: PipelineStatus): string {
  const alive = processes.filter(({ state }) => state !== 'stopped').map(process => process.pid);
  const known = alive.length > 0 ? alive : [pid];
  const more = known.length > 3 ? ` +${known.length - 3}` : '';
  return `pid ${known.slice(0, 3).join(' ')}${more}`;
}

function configurationLine({ reading, now, drawing, configFile }: ConsoleState, width: number): Line {
  const status = reading?.status;
  if (!status) return spread([seg(' config ', 'dim'), seg(cleanText(configFile, drawing))], [], width, drawing);
  const disk = diskSegments(status, now);
  const { file, loaded, error, warnings = [] } = status.config;
  const [warning] = warnings;
  if (error !== null || warning !== undefined) {
    // What is wrong is what matters: the disk gives way when both have no room.
    const more = error === null && warnings.length > 1 ? `${warnings.length} warnings: ` : '';
    const words: Line = [
      seg(' config ', 'dim'),
      seg(
        `${drawing.marks.late} ${more}${cleanText(withoutFolder(error ?? (warning as string)), drawing)}`,
        error === null ? 'warning' : 'bad',
      ),
    ];
    return spread(words, lineWidth(words) + lineWidth(disk) < width ? disk : [], width, drawing);
  }
  const name = file === null ? 'shipped values, no file' : cleanText(file.slice(file.lastIndexOf('/') + 1), drawing);
  const zone = zoneHere(now);
  const loadedAt =
    loaded === null || file === null ? `, times are ${zone}` : ` loaded ${clockTime(parseIso(loaded), now)} ${zone}`;
  const words: Line = [seg(' config ', 'dim'), seg(name)];
  const hasRoom = lineWidth(words) + loadedAt.length + lineWidth(disk) < width;
  return spread(hasRoom ? [...words, seg(loadedAt, 'dim')] : words, disk, width, drawing);
}

/** `configs/Phorest_config.toml:12:3: …` → `Phorest_config.toml:12:3: …`: line and key matter more than the folder. */
function withoutFolder(error: string): string {
  const path = /^[^:]*/.exec(error)?.[0] ?? '';
  return error.slice(path.lastIndexOf('/') + 1);
}

/** Less than this to go is worth a warning, ms; and less free than this share. */
const soonMs = 24 * 3_600_000;
const littleShare = 0.05;

function diskSegments({ disk }: PipelineStatus, now: number): Segment[] {
  if (!disk) return [];
  const left = disk.full_at === null ? Number.POSITIVE_INFINITY : parseIso(disk.full_at) - now;
  const tone: Tone = disk.free < disk.size * littleShare || left < soonMs ? 'warning' : 'plain';
  const full = Number.isFinite(left)
    ? `, full in ${left > 0 ? `${estimate(left)} (${when(now + left, now)})` : 'no time'}`
    : '';
  return [seg('disk ', 'dim'), seg(`${tone === 'warning' ? 'low: ' : ''}${bytes(disk.free)} free${full} `, tone)];
}

/** Local time of what comes soon, else the date. */
function when(ms: number, now: number): string {
  const text = localIso(ms);
  if (ms - now < soonMs) return text.slice(11, 16);
  return text.slice(0, ms - now < halfYearMs ? 10 : 7);
}

const halfYearMs = 182 * 86_400_000;
