import { existsSync } from 'node:fs';
import { nodeFiles } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { moment, parseIso, zoneHere } from '../model/localTime.ts';
import { bytes, duration, estimate, number } from '../model/quantity.ts';
import { rateText, unitBeside } from '../model/rate.ts';
import type { StageName } from '../model/stageName.ts';
import type { Connection, DiskStatus, PipelineStatus, StageStatus, Throughput } from '../model/status.ts';
import { percent, stageWord, throughputWords } from '../model/throughputWords.ts';
import { readStatusOnce } from '../streams/status/statusReading.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadSteered } from './loadSteered.ts';
import { otherRootOf } from './rootOfProcess.ts';
import { textTable } from './textTable.ts';

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
  else if (status === null) output.line(noneRan(paths.root, commandLine(context, 'start'), existsSync(paths.root)));
  else {
    const other = connection === 'running' ? otherRootOf(status, paths.root) : null;
    if (other !== null) {
      output.line(
        `process ${status.pid} runs ${other}; ${paths.root} is a copy that was made while it ran, and nothing runs here`,
      );
      return exitCodes.running;
    }
    for (const line of statusLines(status, connection, paths.root, Date.now(), commandLine(context, 'start')))
      output.line(line);
  }
  return connection === 'running' ? exitCodes.done : exitCodes.running;
}

/** @param start the command. */
export const noneRan = (root: string, start: string, isThere: boolean): string =>
  isThere
    ? `no pipeline has run in ${root} yet; "${start}" starts one`
    : `there is no folder ${root}: it was moved, its disk is not mounted, or no pipeline has run in it yet; "${start}" makes it and starts one`;

/** @param start the command. */
const connectionWords = (start: string): Record<Exclude<Connection, 'running'>, string> => ({
  none: 'none has run yet',
  stopped: 'stopped',
  crashed: `crashed: its process is gone; "${start}" goes on from there`,
  unreachable: `silent: it was not stopped, and nobody here can ask it; "${start}" takes over from it when it stays silent`,
});

/** The status in words, a line each. `now`: ms since 1970. @param start the command. */
export function statusLines(
  status: PipelineStatus,
  connection: Connection,
  root: string,
  now: number,
  start: string,
): string[] {
  const { pid, host, started, heartbeat, config, disk, processes, alarms } = status;
  const state = connection === 'running' ? status.state : connectionWords(start)[connection];
  const live = connection === 'running';
  const others = processes.length > 1 ? ` and ${processes.length - 1} more` : '';
  const lines = [
    `experiment ${root}`,
    `${state} · process ${pid} on ${host}${others} · started ${local(started)} ${zoneHere(now)} · last sign of life ${ago(heartbeat, now)}`,
  ];
  // Of one that has ended, `check config` knows better how the file is by now.
  if (config.error && live) lines.push(`configuration: ${config.error} (the last good one stays)`);
  for (const warning of config.warnings ?? []) lines.push(`configuration: warning: ${warning}`);
  if (disk) lines.push(`disk ${diskWords(disk)}`);
  if (live && status.throughput) lines.push(...throughputLines(status.throughput, status, now));
  lines.push('', ...stageRows(status, connection));
  for (const alarm of alarms) lines.push(`ALARM ${alarm.stage} since ${local(alarm.since)}: ${alarm.message}`);
  return lines;
}

/** How fast the whole is, in the words of the console. */
function throughputLines(throughput: Throughput, status: PipelineStatus, now: number): string[] {
  const words = throughputWords(throughput, status, now);
  const facts = [
    `now ${words.now}`,
    words.peak && `peak ${words.peak}`,
    words.folder,
    `waiting ${words.waiting}`,
    words.latency && `result after ${words.latency}`,
    words.rows && `rows ${words.rows}`,
    `disk ${words.disk}`,
    words.share && `share ${words.share}`,
    words.busiest && `busiest ${words.busiest}`,
  ].filter(fact => fact !== null);
  return [facts.slice(0, 4).join(' · '), facts.slice(4).join(' · ')];
}

interface Column {
  head: string;
  cell: (stage: StageStatus) => string;
  /** Absent: always shown. */
  isUsed?: (stage: StageStatus) => boolean;
}

const rateOr = (perSecond: number | null): string => (perSecond === null ? '' : rateText(perSecond));

function nowCell({ per_second: now, target_per_minute: target }: StageStatus): string {
  return now === null ? '' : rateText(now, unitBeside(now, target === null ? null : target / 60));
}

/** As in the console; the rates only of a pipeline that runs. */
const columnsOf = (live: boolean): readonly Column[] => [
  ...(live
    ? [
        { head: 'now', cell: nowCell },
        {
          head: 'asked',
          cell: ({ target_per_minute: target }: StageStatus) => (target === null ? '' : rateText(target / 60)),
          isUsed: ({ target_per_minute: target }: StageStatus) => target !== null,
        },
        { head: 'peak', cell: ({ peak_per_second: peak }: StageStatus) => rateOr(peak) },
        { head: 'busy', cell: ({ busy }: StageStatus) => (busy === null ? '' : percent(busy)) },
      ]
    : []),
  { head: 'waiting', cell: ({ queued }) => number(queued) },
  ...(live
    ? [
        {
          head: 'gone in',
          cell: ({ queued, clears_in_ms: clears }: StageStatus) =>
            queued === 0 || clears === null || clears === undefined
              ? ''
              : clears === 'never'
                ? clears
                : estimate(clears),
          isUsed: ({ queued }: StageStatus) => queued > 0,
        },
      ]
    : []),
  { head: 'in work', cell: stage => number(stage.in_flight) },
  { head: 'done', cell: ({ done }) => number(done) },
  { head: 'failed', cell: ({ failed }) => number(failed) },
  { head: 'skipped', cell: ({ discarded }) => number(discarded), isUsed: ({ discarded }) => discarded > 0 },
  { head: 'lost', cell: ({ lost }) => number(lost), isUsed: ({ lost }) => lost > 0 },
  { head: 'took', cell: ({ last_ms: ms }) => (ms === null ? '' : duration(ms)) },
];

/** The stages that are on as a table, and a line for those that are off. */
function stageRows(status: PipelineStatus, connection: Connection): string[] {
  const { stages } = status;
  const live = connection === 'running';
  const stateOf = (name: StageName, { late }: StageStatus): string =>
    `${stageWord(name, status, connection)}${late && live ? `, ${late}` : ''}`;
  const all = Object.entries(stages) as [StageName, StageStatus][];
  const on = all.filter(([, { state }]) => state !== 'off');
  const off = all.filter(([, { state }]) => state === 'off').map(([name]) => name);
  const columns = columnsOf(live).filter(({ isUsed }) => !isUsed || on.some(([, stage]) => isUsed(stage)));
  const table = [
    ['stage', 'state', ...columns.map(({ head }) => head)],
    ...on.map(([name, stage]) => [name, stateOf(name, stage), ...columns.map(({ cell }) => cell(stage))]),
  ];
  return [...textTable(table, 2), ...(off.length > 0 ? [`off: ${off.join(', ')}`] : [])];
}

/** Of a time of the status file, as people read it. */
const local = (iso: string): string => moment(parseIso(iso));

function ago(iso: string, now: number): string {
  const ms = now - parseIso(iso);
  return Number.isFinite(ms) ? `${estimate(Math.max(0, ms))} ago` : 'unknown';
}

function diskWords({ free, size, full_at }: DiskStatus): string {
  return `${bytes(free)} of ${bytes(size)} free${full_at ? ` · full on ${local(full_at).slice(0, 16)} at this rate` : ''}`;
}
