import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
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
const starts = 3;
/** How long the bytes on the wire are counted, ms. */
const wireMs = 20_000;
const size = { cols: 120, rows: 40 };

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

    const terminal = new Terminal(['--root', root], { cwd: root, ...size });
    await terminal.shows('running up');
    await wait(watchMs);
    const pipeline = await pipelinePid(root);
    const before = [await worked(terminal.pid), await worked(pipeline)];
    await wait(watchMs);
    const busy = (await worked(terminal.pid)) - before[0]!;
    const pipelineBusy = (await worked(pipeline)) - before[1]!;
    rows.push(row('console.cpu.busy', share(busy), '% of a core', 'the pipeline that it watches', share(pipelineBusy)));
    const recorded = join(root, 'recorded');
    terminal.record(recorded);
    await wait(wireMs);
    const bytes = (await stat(recorded)).size / (wireMs / 1000);
    rows.push(row('console.wire', bytes, 'bytes/s', 'a byte for each cell of its window', size.cols * size.rows));
    await phorest('stop');
    await terminal.shows('stopped');
    await wait(watchMs / 4);
    const resting = await worked(terminal.pid);
    await wait(watchMs);
    const idle = (await worked(terminal.pid)) - resting;
    rows.push(row('console.cpu.idle', share(idle), '% of a core', 'the same while it watches', share(busy)));
    terminal.close();
  } finally {
    await phorest('stop', '--now');
    // A plot that was begun may just be put there.
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
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

const share = (ms: number): number => (100 * ms) / watchMs;

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

/** Processor time of a process with all its threads so far, ms. */
async function worked(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    // A thread may end meanwhile.
    threads.map(thread => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')),
  );
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

async function pipelinePid(root: string): Promise<number> {
  const text = await readFile(join(root, 'flags', 'pipeline_status.json'), 'utf8');
  return (JSON.parse(text) as ProcessStatus).pid;
}
