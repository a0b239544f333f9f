import { readFile } from 'node:fs/promises';
import { parseIso } from '../model/localTime.ts';
import { duration, number } from '../sinks/eventLines.ts';
import type { PipelineStatus } from '../sinks/mergeStatuses.ts';
import { livenessOf } from '../storage/processIdentity.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';

/** A process whose machine can't be asked is taken for running while its heartbeat is younger than this, ms. */
const freshMs = 15_000;

/** `status`: what the pipeline of this experiment does, or last did. Exit code 3 when none runs. */
export const status: CommandDefinition<{ json?: true }> = {
  usage: 'status',
  summary: 'show what the pipeline does',
  declare: command => command.option('--json', 'print the status file as it is'),
  run: async (context, _args, { json }) => {
    const { output } = context;
    const { paths } = await loadConfig(context);
    let text: string;
    try {
      text = await readFile(paths.pipelineStatusFile, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (json) output.line('null');
      else output.line(`no pipeline has run in ${paths.root} yet; "phorest run" starts one`);
      return exitCodes.running;
    }
    const found = JSON.parse(text) as PipelineStatus;
    const running = found.processes.some(isRunning);
    if (json) output.text(`${text.trimEnd()}\n`);
    else for (const line of statusLines(found, running, paths.root, Date.now())) output.line(line);
    return running ? exitCodes.done : exitCodes.running;
  },
};

function isRunning(process: PipelineStatus['processes'][number]): boolean {
  if (process.state === 'stopped') return false;
  const liveness = livenessOf(process);
  if (liveness !== 'unknown') return liveness === 'alive';
  return Math.abs(Date.now() - parseIso(process.heartbeat)) < freshMs;
}

/** The status in words, a line each. `now`: ms since 1970. */
export function statusLines(found: PipelineStatus, running: boolean, root: string, now: number): string[] {
  const state = running || found.state === 'stopped' ? found.state : 'crashed: its process is gone';
  const lines = [
    `experiment ${root}`,
    `${state} · process ${found.pid} on ${found.host} · started ${found.started} · last sign of life ${duration(Math.max(0, now - parseIso(found.heartbeat)))} ago`,
  ];
  if (found.config.error) lines.push(`configuration: ${found.config.error} (the last good one stays)`);
  const columns = ['stage', 'state', 'waiting', 'in work', 'done', 'failed', 'left out', 'lost', 'a minute', 'last'];
  const rows = Object.entries(found.stages).map(([name, s]) => [
    name,
    s.state,
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
  for (const alarm of found.alarms) lines.push(`ALARM ${alarm.stage} since ${alarm.since}: ${alarm.message}`);
  return lines;
}
