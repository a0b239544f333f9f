import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Longer than any lock is respected: the first of a run lasts so long, in a long run many do. Ms. */
const minuteMs = 60_000;
/** The others of a short run, at most, ms. */
const shortMs = 3_000;
/** A run of at least so many minutes has a whole minute for the first, and is long from so many on. */
const wholeMinutes = 10;
const longMinutes = 60;
const suspensionsARound = 3;

/** SIGSTOP to one of two processes that share the work, while the other goes on; then SIGCONT. */
export const suspensions: Fault = {
  name: 'suspensions',
  weight: 2,
  wanted: [6, 60],
  round: async context => {
    const { random, tally, minutes, wanted } = context;
    const root = await context.folder();
    const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 20 };
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05, storage }));
    const programs = [runWords(root), runWords(root, '--stages', 'processor,compressor')].map(
      words => new Program(words, { cwd: root }),
    );
    const longest = minutes < longMinutes ? shortMs : minuteMs;
    for (let i = 0; i < Math.min(suspensionsARound, wanted); i++) {
      const isFirst = tally.counts.suspensions === undefined;
      // The first is of the one that has all stages, their leases, and most often the lock.
      const victim = programs[isFirst ? 0 : Math.floor(random() * programs.length)]!;
      const lines = victim.lines.length + 1 + Math.floor(random() * 24);
      await victim.until(`line ${lines}`, () => victim.lines.length >= lines);
      victim.signalGroup('SIGSTOP');
      const lasted = isFirst ? minuteMs * Math.min(1, minutes / wholeMinutes) : longest * (0.3 + 0.7 * random());
      await pass(lasted);
      victim.signalGroup('SIGCONT');
      tally.figures.longest_suspension_s = Math.max(Number(tally.figures.longest_suspension_s ?? 0), lasted / 1000);
      tally.count('suspensions');
    }
    await endOfRun(
      root,
      programs.flatMap(program => program.doneBy('collector')),
      programs,
      context,
      { storage },
    );
  },
};
