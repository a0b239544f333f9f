/** Takes the lock of a path, says so on stdout, and holds it until it is killed: `node holdLockProgram.ts PATH`. */
import { writeSync } from 'node:fs';
import { fileLock } from '../../src/files/fileLock.ts';

await fileLock(process.argv[2])(async () => {
  writeSync(1, `${process.pid}\n`);
  await new Promise(resolve => setTimeout(resolve, 600_000));
});
