import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { exifTime } from '../../src/streams/folder/exifTime.ts';

/**
 * Decodes images of a folder, one after the other, and prints what was said of each, and how far the process's memory grew at most.
 * Arguments: the folder, bytes that an image may take.
 */
const [folder, limit] = process.argv.slice(2) as [string, string];
const peak = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

const before = peak();
const said: Record<string, string> = {};
for (const name of readdirSync(folder)) {
  const path = join(folder, name);
  await exifTime(path);
  said[name] = await decodeFrame(path, path, undefined, Number(limit)).then(
    () => 'decoded',
    ({ message }: Error) => message,
  );
}
process.stdout.write(JSON.stringify({ said, grown: peak() - before }));
