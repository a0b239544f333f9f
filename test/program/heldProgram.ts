import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * Loaded into a program before all else (`node --import`), so that a test holds it where it wants:
 * - to open a file beside which `<its name>.pipe` stands blocks the thread in native code for ever, as on a share that has gone away (the
 *   program itself opens no pipe);
 * - before it renames something to a file beside which `<its name>.hold` stands, the program removes that and stands still (SIGSTOP).
 */

/** For a program that a test holds. */
export const heldEnvironment = { NODE_OPTIONS: `--import=${fileURLToPath(import.meta.url)}` };

/** What came while it stood still has reached it after so long, ms. */
const signalMs = 200;

const { openSync, existsSync, unlinkSync } = fs;
const { rename } = fs.promises;
if (process.env.NODE_OPTIONS === heldEnvironment.NODE_OPTIONS) install();

function install(): void {
  fs.openSync = (path, ...more) => {
    const pipe = `${String(path)}.pipe`;
    return typeof path === 'string' && existsSync(pipe) ? openSync(pipe, 'r') : openSync(path, ...more);
  };
  fs.promises.rename = async (from, to) => {
    const hold = `${String(to)}.hold`;
    if (existsSync(hold)) {
      unlinkSync(hold);
      process.kill(process.pid, 'SIGSTOP');
      // Let go on, it gets first what came meanwhile: a signal that ends it does so before the renaming.
      await new Promise(resolve => setTimeout(resolve, signalMs));
    }
    return rename(from, to);
  };
  syncBuiltinESMExports();
}
