import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * Loaded into a program before all else (`node --import`): to open a file beside which `<its name>.pipe` stands blocks the thread in
 * native code for ever, as on a share that has gone away. (The program itself opens no pipe.)
 */

/** For a program whose reading may hang. */
export const hangingEnvironment = { NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}` };

const { openSync, existsSync } = fs;
if (process.env.NODE_OPTIONS === hangingEnvironment.NODE_OPTIONS) install();

function install(): void {
  fs.openSync = (path, ...more) => {
    const pipe = `${String(path)}.pipe`;
    return typeof path === 'string' && existsSync(pipe) ? openSync(pipe, 'r') : openSync(path, ...more);
  };
  syncBuiltinESMExports();
}
