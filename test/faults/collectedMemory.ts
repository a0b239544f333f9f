import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * Loaded into a program before all else (`node --import`): collects all garbage every few seconds, and writes the memory that is
 * resident then, in bytes, into the file that `PHOREST_TEST_MEMORY` names. What the engine has not collected yet tells nothing: it
 * waits for longer the more room there is. (Worker threads collect by themselves.)
 */

const everyMs = 5_000;
const file = process.env.PHOREST_TEST_MEMORY!;

// The processes that the program starts inherit this, and are not meant.
if (process.argv.includes('run')) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: {
    type: 'major';
    execution: 'sync';
    flavor: 'last-resort';
  }) => void;
  const timer = setInterval(() => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    writeFileSync(file, String(process.memoryUsage.rss()));
  }, everyMs);
  timer.unref();
}
