/**
 * `npm run bench`: every figure is set against another that was taken in the same run, since machines are noisy.
 *
 *     npm run bench                      all but those that take minutes (cadence), as a table
 *     npm run bench -- fits manifest     those whose name begins so
 *     npm run bench -- --json            one JSON object a line
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchRow } from './benchRow.ts';

// What the program remembers of experiments is not for the home of whoever runs this.
process.env.XDG_STATE_HOME = join(tmpdir(), 'phorest-test-state');

/** Beginning of the names of the rows → what measures them, loaded when its turn comes. The console comes first: what others load is no memory of it. */
const benches: Record<string, () => Promise<BenchRow[]>> = {
  console: async () => [
    ...(await (await import('./consoleProgram.ts')).consoleProgramBench()),
    ...(await (await import('./console.ts')).consoleBench()),
  ],
  fits: async () => (await import('./fits.ts')).fitsBench(),
  analysis: async () => (await import('./analysis.ts')).analysisBench(),
  frames: async () => (await import('./frames.ts')).framesBench(),
  cadence: async () => (await import('./cadence.ts')).cadenceBench(),
  movement: async () => (await import('./movement.ts')).movementBench(),
  replay: async () => (await import('./replay.ts')).replayBench(),
  manifest: async () => (await import('./manifest.ts')).manifestBench(),
  import: async () => (await import('./import.ts')).importBench(),
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
/** Those that take minutes: only when they are named. */
const long = ['cadence'];
const chosen = Object.entries(benches).filter(([name]) =>
  positionals.length === 0
    ? !long.includes(name)
    : positionals.some(word => name.startsWith(word) || word.startsWith(name)),
);
if (chosen.length === 0) {
  console.error(`no bench begins with ${positionals.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

const columns: [title: string, text: (row: BenchRow) => string][] = [
  ['name', row => row.name],
  ['value', row => row.value.toPrecision(4)],
  ['unit', row => row.unit],
  ['ratio', row => row.ratio.toPrecision(3)],
  ['against', row => row.against],
];
const rows: BenchRow[] = [];
for (const [, bench] of chosen) {
  for (const row of await bench()) {
    if (values.json) console.log(JSON.stringify(row));
    rows.push(row);
  }
}
if (!values.json) {
  const cells = [columns.map(([title]) => title), ...rows.map(row => columns.map(([, text]) => text(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map(row => (row[i] as string).length)));
  for (const row of cells)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] as number))
        .join('  ')
        .trimEnd(),
    );
}
