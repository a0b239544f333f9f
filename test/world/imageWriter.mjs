// Another program that saves images: copies those of a folder into another one, in the order of their names, each in one of three ways.
// Says on its standard output when it has begun.
import { copyFile, open, readdir, readFile, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';

const [from, to, pauseMs = '20', parts = '4', betweenMs = '0', stamp] = process.argv.slice(2);
const names = (await readdir(from)).sort();

const begun = Date.now();
/** With `stamp` each image has a time of its own, whatever the clock of the file system. */
async function stamped(name, path) {
  if (stamp) await utimes(path, new Date(), new Date(begun + names.indexOf(name)));
}

/** Parts of the file with pauses between them. Resolves when the file is there, with a function that goes on to its end. */
async function slowly(name) {
  const bytes = await readFile(join(from, name));
  const file = await open(join(to, name), 'w');
  return () => writeParts(name, file, bytes);
}

async function writeParts(name, file, bytes) {
  const step = Math.ceil(bytes.length / Number(parts));
  for (let at = 0; at < bytes.length; at += step) {
    await file.write(bytes.subarray(at, at + step));
    await pass(Number(pauseMs));
  }
  await file.close();
  await stamped(name, join(to, name));
}

async function byRename(name) {
  await copyFile(join(from, name), join(to, `${name}.tmp`));
  await stamped(name, join(to, `${name}.tmp`));
  await rename(join(to, `${name}.tmp`), join(to, name));
}

process.stdout.write('begun');
const slow = [];
for (let i = 0; i < names.length; ) {
  const way = Math.floor(i / 10) % 3;
  await pass(Number(betweenMs));
  if (way === 0) {
    // The next ones come while it is still being written, never before it is there.
    const goOn = await slowly(names[i++]);
    slow.push(goOn());
    await pass(5);
  } else if (way === 1) {
    await byRename(names[i++]);
    await pass(2);
  } else {
    const burst = names.slice(i, i + 10);
    for (const name of burst) {
      await copyFile(join(from, name), join(to, name));
      await stamped(name, join(to, name));
    }
    i += burst.length;
    await pass(10);
  }
}
await Promise.all(slow);
