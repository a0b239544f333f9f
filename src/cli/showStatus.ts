import { nodeFiles } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { parseIso } from '../model/localTime.ts';
import { duration, number } from '../model/quantity.ts';
import type { Connection, DiskStatus, PipelineStatus } from '../model/status.ts';
import { readStatusOnce } from '../streams/status/statusReading.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadSteered } from './loadSteered.ts';

export interface StatusOptions {
  json?: true;
}

/** Prints what the pipeline does. Exit code 3 when none runs. */
export async function showStatus(context: CommandContext, { json }: StatusOptions): Promise<number> {
  const { output } = context;
  const { paths, trouble } = await loadSteered(context, () => undefined);
  const { connection, status, problem } = await readStatusOnce(paths.pipelineStatusFile);
  // The pipeline says it itself, where it has seen it.
  if (connection !== 'running' || !status?.config.error) for (const line of trouble) output.error(line);
  if (problem !== null) throw new ExitError(exitCodes.failed, problem);
  if (json) output.json(status ? (await readBytes(nodeFiles, paths.pipelineStatusFile)).toString().trimEnd() : 'null');
  else if (status === null)
    output.line(`no pipeline has run in ${paths.root} yet; "${commandLine(context, 'start')}" starts one`);
  else for (const line of statusLines(status, connection, paths.root, Date.now())) output.line(line);
  return connection === 'running' ? exitCodes.done : exitCodes.running;
}

const connectionWords: Record<Exclude<Connection, 'running'>, string> = {
  none: 'none has run yet',
  stopped: 'stopped',
  crashed: 'crashed: its process is gone; "phorest start" goes on from there',
  unreachable:
    'silent: it was not stopped, and nobody here can ask it; "phorest start" takes over from it when it stays silent',
};

/** The status in words, a line each. `now`: ms since 1970. */
function statusLines(status: PipelineStatus, connection: Connection, root: string, now: number): string[] {
  const { pid, host, started, heartbeat, config, disk, processes, alarms } = status;
  const state = connection === 'running' ? status.state : connectionWords[connection];
  const others = processes.length > 1 ? ` and ${processes.length - 1} more` : '';
  const lines = [
    `experiment ${root}`,
    `${state} · process ${pid} on ${host}${others} · started ${started} · last sign of life ${ago(heartbeat, now)}`,
  ];
  if (config.error) lines.push(`configuration: ${config.error} (the last good one stays)`);
  for (const warning of config.warnings ?? []) lines.push(`configuration: warning: ${warning}`);
  if (disk) lines.push(`disk ${diskWords(disk)}`);
  const columns = [
    'stage',
    'state',
    'queued',
    'in flight',
    'done',
    'failed',
    'discarded',
    'lost',
    'per minute',
    'last',
  ];
  const rows = Object.entries(status.stages).map(([name, s]) => [
    name,
    s.late && connection === 'running' ? `${s.state}, ${s.late}` : s.state,
    ...[s.queued, s.in_flight, s.done, s.failed, s.discarded, s.lost, s.per_minute].map(number),
    s.last_ms === null ? '' : duration(s.last_ms),
  ]);
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map(row => row[i]!.length)));
  const put = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i < 2 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  lines.push('', put(columns), ...rows.map(put));
  for (const alarm of alarms) lines.push(`ALARM ${alarm.stage} since ${alarm.since}: ${alarm.message}`);
  return lines;
}

function ago(iso: string, now: number): string {
  const ms = now - parseIso(iso);
  return Number.isFinite(ms) ? `${duration(Math.max(0, ms))} ago` : 'unknown';
}

function diskWords({ free, size, full_at }: DiskStatus): string {
  const gigabytes = (bytes: number): string => `${number(Number((bytes / 1e9).toPrecision(3)))} GB`;
  return `${gigabytes(free)} of ${gigabytes(size)} free${full_at ? ` · full on ${full_at} at this rate` : ''}`;
}
