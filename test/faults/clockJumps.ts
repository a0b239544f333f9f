import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault, FaultContext } from './fault.ts';
import { type Watched, withoutMissing } from './missedFrames.ts';

const hourMs = 3_600_000;
const intervalMs = 500;
/** Images reported between two jumps. */
const between = 5;

/** The wall clock of a pipeline with all stages jumps by an hour forward, by two back, and home; the camera keeps its pace. */
export const clockJumps: Fault = {
  name: 'clock_jumps',
  weight: 1,
  wanted: [3, 60],
  round: context => withoutMissing('clock_jumps', context.tally, () => jump(context)),
};

async function jump(context: FaultContext): Promise<Watched> {
  const { tally } = context;
  const root = await context.folder();
  const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 8 };
  const file = join(root, 'clock_offset');
  const set = async (offset: number): Promise<void> => {
    await writeFile(`${file}.new`, String(offset));
    await rename(`${file}.new`, file);
  };
  await set(0);
  const preload = new URL('./jumpingClock.ts', import.meta.url).href;
  const env = { NODE_OPTIONS: `--import=${preload}`, PHOREST_TEST_CLOCK: file };
  await writeConfig(root, experimentToml({ intervalSeconds: intervalMs / 1000, storage }));
  const program = new Program(runWords(root), { cwd: root, env });
  const goOn = async (): Promise<void> => {
    for (const stage of ['communicator', 'syncer']) {
      const before = program.doneBy(stage).length;
      await program.untilDone(stage, before + between);
    }
  };
  await goOn();
  const from = { event: program.events.length, taken: program.doneBy('collector').length };
  for (const offset of [hourMs, -hourMs, 0]) {
    await set(offset);
    await goOn();
    tally.count('clock_jumps');
  }
  const events = program.events.slice(from.event);
  const taken = new Set(program.doneBy('collector').slice(from.taken));
  const { entries } = await endOfRun(root, program.doneBy('collector'), [program], context, { storage, env });
  const meanwhile = entries.filter(({ entry_id: id }) => taken.has(id));
  const seen = new Set(meanwhile.map(hourOf));
  if (seen.size < 3) tally.problem(`the frames tell of ${seen.size} clocks: it did not jump`);
  return { entries: meanwhile, events, intervalMs };
}

/** How far an entry's clock is from its monotonic time, in hours. */
const hourOf = ({
  timestamp_utc: time,
  monotonic_ms: monotonic,
}: {
  timestamp_utc: string | null;
  monotonic_ms: number | null;
}) => Math.round((Date.parse(time!) - monotonic!) / hourMs);
