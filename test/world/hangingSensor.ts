import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Loaded into a program before all else (`node --import`): whoever opens a file that stands below the folder in `PHOREST_TEST_HANGING` waits
 * for the other end of the pipe that is there, as in a driver that hangs: a thread of its process is gone.
 */
const folder = process.env.PHOREST_TEST_HANGING;
if (folder) {
  const { open } = fs;
  fs.open = (path, flags, mode) => open(path, String(path).startsWith(folder) ? constants.O_RDONLY : flags, mode);
  syncBuiltinESMExports();
}
