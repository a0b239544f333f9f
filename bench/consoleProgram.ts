import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ProcessStatus } from '../src/model/status.ts';
import { experimentToml, writeConfig } from '../test/program/experiment.ts';
import { Program } from '../test/program/program.ts';
import { hasTerminal, Terminal } from '../test/program/terminal.ts';
import type { BenchRow } from './benchRow.ts';

/** How long the processor time of the console is watched, ms. */
const watchMs = 5_000;
/** Linux counts processor time in these, ms. */
const tickMs = 10;
const starts = 3;

/** What the console costs beside a pipeline that takes five images a second, and how soon it is there. */
export async function consoleProgramBench(): Promise<BenchRow[]> {
  // Without a terminal there is nothing to look at.
  if (!hasTerminal) return [];
  const root = await mkdtemp(join(tmpdir(), 'phorest-'));
  const phorest = (...words: string[]) => new Program(['--root', root, ...words], { cwd: root }).ended;
  const rows: BenchRow[] = [];
  try {
    await writeConfig(root, experimentToml({ method: 'gaussian' }));
    await phorest('start');
    const paints: number[] = [];
    const helps: number[] = [];
    const shown: number[] = [];
    for (let i = 0; i < starts; i++) {
      helps.push(await timed(() => new Program(['--help']).ended));
      shown.push(await timed(() => showing(['--help'], 'Exit codes', root)));
      paints.push(await timed(() => showing(['--root', root], 'Phorest', root)));
    }
    // What the terminal itself takes, with the looks at its screen.
    const terminalMs = Math.max(0, median(shown) - median(helps));
    rows.push(row('console.first_paint', median(paints) - terminalMs, 'ms', 'phorest --help', median(helps)));

    const terminal = new Terminal(['--root', root], { cwd: root });
    await terminal.shows('running up');
    await wait(watchMs);
    const pipeline = await pipelinePid(root);
    const before = [await ticks(terminal.pid), await ticks(pipeline)];
    await wait(watchMs);
    const busy = (await ticks(terminal.pid)) - before[0]!;
    const pipelineTicks = (await ticks(pipeline)) - before[1]!;
    rows.push(
      row('console.cpu.busy', share(busy), '% of a core', 'the pipeline that it watches', share(pipelineTicks)),
    );
    await phorest('stop');
    await terminal.shows('stopped');
    await wait(watchMs / 4);
    const resting = await ticks(terminal.pid);
    await wait(watchMs);
    const idle = (await ticks(terminal.pid)) - resting;
    rows.push(row('console.cpu.idle', share(idle), '% of a core', 'the same while it watches', share(busy)));
    terminal.close();
  } finally {
    await phorest('stop', '--now');
    await rm(root, { recursive: true, force: true });
  }
  return rows;
}

const row = (name: string, value: number, unit: string, against: string, limit: number): BenchRow => ({
  name,
  value,
  unit,
  against,
  ratio: value / limit,
});

const share = (count: number): number => (100 * count * tickMs) / watchMs;

/** Opens a terminal on the program, until its screen has a text. */
async function showing(words: readonly string[], text: string, cwd: string): Promise<void> {
  const terminal = new Terminal(words, { cwd });
  await terminal.shows(text);
  terminal.close();
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Processor time of a process with all its threads so far, ticks. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return Number(user) + Number(system);
}

async function pipelinePid(root: string): Promise<number> {
  const text = await readFile(join(root, 'flags', 'pipeline_status.json'), 'utf8');
  return (JSON.parse(text) as ProcessStatus).pid;
}
