import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** Longest suspension, ms: in a long run a minute, which is longer than any lock is respected. */
const longestMs = { short: 3_000, long: 60_000 };
const longMinutes = 60;
const suspensionsARound = 3;

/** SIGSTOP to one of two processes that share the work, while the other goes on; then SIGCONT. */
export const suspensions: Fault = {
  name: 'suspensions',
  weight: 2,
  wanted: [10, 60],
  round: async context => {
    const { random, tally, minutes, wanted } = context;
    const root = await context.folder();
    const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 20 };
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05, storage }));
    const programs = [runWords(root), runWords(root, '--stages', 'processor,compressor')].map(
      words => new Program(words, { cwd: root }),
    );
    const longest = minutes < longMinutes ? longestMs.short : longestMs.long;
    for (let i = 0; i < Math.min(suspensionsARound, wanted); i++) {
      const victim = programs[Math.floor(random() * programs.length)]!;
      const lines = victim.lines.length + 1 + Math.floor(random() * 24);
      await victim.until(`line ${lines}`, () => victim.lines.length >= lines);
      victim.signalGroup('SIGSTOP');
      await pass(longest * (0.3 + 0.7 * random()));
      victim.signalGroup('SIGCONT');
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
