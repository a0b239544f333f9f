import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../program/crashLoop.ts';
import { Program, running } from '../program/program.ts';
import { type Fault, type FaultContext, Unavailable } from './fault.ts';
import { faults } from './faults.ts';
import { Tally } from './tally.ts';

/**
 * `npm run test:faults -- --minutes N --seed S [--only kills,soak]`: the real program under faults, for about so long. Prints
 * what it does, and as its last line JSON: the count of each fault, and of what was lost, doubled, stuck, or another error.
 * Exit code 1 unless these are all zero.
 */

// What the program remembers of experiments is not for the home of whoever runs this.
process.env.XDG_STATE_HOME = join(tmpdir(), 'phorest-test-state');

/** Runs of this length do what CI asks for, and the full counts. */
const shortMinutes = 10;
const fullMinutes = 240;
/** The counts come first: on a slow machine a run takes so many times as long before it leaves some of them out. */
const maxTimesAsLong = 2.5;
/** A machine that others use too stands still for a while, ms. */
Program.patienceMs = 90_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    only: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed))
  throw new Error('--minutes takes a number above 0, --seed a whole number');
const names = values.only?.split(',') ?? faults.map(({ name }) => name);
const chosen = faults.filter(({ name }) => names.includes(name));
if (chosen.length < names.length) throw new Error(`--only takes some of ${faults.map(({ name }) => name).join(', ')}`);

const tally = new Tally();
const random = seededRandom(seed);
const begun = performance.now();
const elapsedMs = (): number => performance.now() - begun;
const say = (message: string): unknown => process.stdout.write(`${(elapsedMs() / 1000).toFixed(0)} s  ${message}\n`);

function wantedOf({ wanted: [short, full] }: Fault): number {
  if (minutes <= shortMinutes) return Math.max(1, Math.round((short * minutes) / shortMinutes));
  const share = Math.min(1, (minutes - shortMinutes) / (fullMinutes - shortMinutes));
  return Math.round(short + (full - short) * share);
}

async function runFault(fault: Fault, untilMs: number): Promise<void> {
  const { name } = fault;
  const wanted = wantedOf(fault);
  const done = (): number => tally.counts[name] ?? 0;
  do {
    const folders: string[] = [];
    const context: FaultContext = {
      random,
      tally,
      minutes,
      say,
      wanted: wanted - done(),
      folder: async () => {
        const folder = await mkdtemp(join(tmpdir(), 'phorest-faults-'));
        folders.push(folder);
        return folder;
      },
    };
    const before = done();
    const told = tally.problems.length;
    try {
      await fault.round(context);
    } catch (error) {
      if (error instanceof Unavailable) {
        tally.unavailable[name] = error.message;
        return say(`${name}: not done here: ${error.message}`) as never;
      }
      tally.problem(`${name}: ${(error as Error).stack ?? String(error)}`);
    } finally {
      for (const program of [...running]) {
        program.signalGroup('SIGKILL');
        await program.ended;
      }
      for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    }
    for (const problem of tally.problems.slice(told)) say(problem);
    say(`${name}: ${done()} of ${wanted}; ${JSON.stringify(tally.harm)}`);
    if (done() === before) return;
  } while (done() < wanted && elapsedMs() < untilMs);
}

let weightLeft = chosen.reduce((sum, { weight }) => sum + weight, 0);
for (const fault of chosen) {
  // What one leaves of its time goes to those behind it.
  const left = minutes * 60_000 * maxTimesAsLong - elapsedMs();
  await runFault(fault, elapsedMs() + (left * fault.weight) / weightLeft);
  weightLeft -= fault.weight;
}

const harmed = Object.values(tally.harm).some(count => count > 0);
const counts = { ...Object.fromEntries(chosen.map(({ name }) => [name, 0])), ...tally.counts };
const tooFew = Object.fromEntries(
  chosen
    .filter(({ name }) => !(name in tally.unavailable))
    .map(fault => [fault.name, [tally.counts[fault.name] ?? 0, wantedOf(fault)]] as const)
    .filter(([, [done, wanted]]) => done < wanted),
);
process.stdout.write(
  `${JSON.stringify({
    minutes,
    seed,
    seconds: Math.round(elapsedMs() / 1000),
    ...counts,
    ...tally.harm,
    ...tally.figures,
    ...(Object.keys(tooFew).length > 0 && { too_few: tooFew }),
    ...(Object.keys(tally.unavailable).length > 0 && { not_done: tally.unavailable }),
  })}\n`,
);
process.exitCode = harmed ? 1 : 0;
