import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { guard, opensToWrite } from './guardedCalls.ts';

/*
 * Loaded into a program before all else (`node --import`): reading the image that the file in `PHOREST_TEST_POISON` names ends the whole
 * process at once, as a decoder does that takes all the memory.
 */

const poison = process.env.PHOREST_TEST_POISON;

if (poison) {
  const bite = (path: unknown): null => {
    if (typeof path === 'string' && basename(path) === poison) process.kill(process.pid, 'SIGKILL');
    return null;
  };
  guard('open', (path, flags) => (opensToWrite(flags) ? null : bite(path)));
  guard('readFile', bite);
  syncBuiltinESMExports();
}
