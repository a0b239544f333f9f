/**
 * A process that works on a manifest as hard as it can until it is killed: `node hammerProgram.ts FOLDER NAME`. Whatever is
 * acknowledged to it, it says on stdout, a line at a time, before it does anything else.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { systemClock } from '../../src/model/clock.ts';
import { isSettled, sampleEntry } from '../world/sampleManifest.ts';

const [folder, name] = process.argv.slice(2);
const file = join(folder, 'metadata_manifest.json');
const announceChange = (line: string): number => writeSync(1, `${line}\n`);

// What follows is the manifest's time, and not that of a busy machine to load a program.
announceChange('loaded');
const manifest = await Manifest.open({
  file,
  files: nodeFiles,
  isSettled,
  note: (level, message) => level === 'error' && announceChange(`error ${message}`),
  exclusive: fileLock(file),
  liveEntries: 30,
  writer: name,
  clock: systemClock,
  own: ownIdentity,
  liveness: livenessOf,
});
for (const stage of ['processor', 'communicator'] as const) await manifest.release(manifest.orphans(stage), stage);

for (let round = 0; ; round++) {
  const added = [0, 1].map(i => sampleEntry(`${name}-${round}-${i}`));
  await Promise.all(added.map(entry => manifest.offer([entry]).then(() => announceChange(`added ${entry.entry_id}`))));
  const claimed = await manifest.claim('processor', 3);
  for (const { entry_id: id, attempt } of claimed) announceChange(`claimed ${id} ${attempt}`);
  if (round % 7 === 3) await manifest.release(claimed.splice(0, 1), 'processor');
  for (const entry of claimed) {
    const counted = await manifest.settle([entry], 'processor', {
      processing_status: 'processed',
      outcome: `${entry.attempt} by ${name}`,
    });
    if (counted === 1) announceChange(`processed ${entry.entry_id} ${entry.attempt} by ${name}`);
  }
  const results = await manifest.claim('communicator', 5);
  await manifest.settle(results, 'communicator', { data_transmitted: true });
  for (const { entry_id: id } of results) announceChange(`transmitted ${id}`);
  if (round % 5 === 0) await manifest.catchUp();
  if (round % 11 === 0) await manifest.compact();
}
