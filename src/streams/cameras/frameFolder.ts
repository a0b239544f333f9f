import { mkdtemp, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../files/processIdentity.ts';

/** A folder in memory: an SD card would wear with each frame. */
const inMemory = '/dev/shm';
/** What must be free there, bytes: some frames of 64 megapixels. */
const roomBytes = 512 * 2 ** 20;
/** What another machine or container works with is not so old, ms. */
const abandonedMs = 3_600_000;
const ownName = /^phorest-frame_(\d+)_/;

/**
 * Gives a program a folder of its own to write a frame to, in memory where there is room, and removes it afterwards. Folders of processes that
 * were killed are removed too.
 * @param places where it may be, the best first; the last one is taken where no other has room
 */
export async function inFrameFolder<T>(
  work: (folder: string) => Promise<T>,
  places: readonly string[] = [inMemory, tmpdir()],
): Promise<T> {
  const place = await roomyPlace(places);
  await removeAbandoned(place);
  const folder = await mkdtemp(join(place, `phorest-frame_${process.pid}_`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function roomyPlace(places: readonly string[]): Promise<string> {
  for (const place of places.slice(0, -1)) {
    const free = await statfs(place).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => 0,
    );
    if (free >= roomBytes) return place;
  }
  return places.at(-1)!;
}

async function removeAbandoned(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = ownName.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const folder = join(place, name);
    const age = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    // Another user's stays.
    if (age > abandonedMs) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
