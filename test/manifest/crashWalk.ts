import { expect } from 'vitest';
import { EntryReader } from '../../src/manifest/entryReader.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';
import { identity, ids, manifestFile, openSample, sampleEntry, sampleOptions } from '../world/sampleManifest.ts';

/** What the scenario was told counts, in the order in which it was told. */
interface Told {
  added: string[];
  /** Entry to the fields that must stand there. */
  fields: Map<string, Partial<Entry>>;
}

/** Offer, claim, settle, compact, settle more than may stay live (archive) and claim while that is compacted, hand edit, compact. */
async function scenario(files: FaultyFiles, told: Told): Promise<void> {
  const manifest = await openSample(files, { liveEntries: 2, writer: 'first' });
  const settle = async (entries: readonly Entry[], stage: 'processor' | 'communicator', set: Partial<Entry>) => {
    expect(await manifest.settle(entries, stage, set)).toBe(entries.length);
    for (const { entry_id: id } of entries) told.fields.set(id, { ...told.fields.get(id), ...set });
  };
  const offer = async (...names: string[]) => {
    await manifest.offer(names.map(name => sampleEntry(name)));
    told.added.push(...names);
  };
  await offer('a', 'b', 'c');
  await settle(await manifest.claim('processor', 2), 'processor', { processing_status: 'processed' });
  await manifest.compact();
  await settle(await manifest.claim('communicator', 2), 'communicator', { data_transmitted: true });
  await offer('d', 'e');
  // The third settled entry is one too many: the oldest go to the archive.
  await settle(await manifest.claim('processor', 1), 'processor', { processing_status: 'failed' });
  const claimed = await manifest.claim('processor', 1);
  // A person edits what was published.
  await manifest.compact();
  edit(files, 'e', { remark: 'by hand' });
  await manifest.catchUp();
  told.fields.set('e', { remark: 'by hand' });
  await settle(claimed, 'processor', { processing_status: 'failed' });
  await manifest.close({ compact: true });
}

/** As an editor does that replaces the file; a person is no step of the process that may crash. */
function edit(files: FaultyFiles, id: string, set: Partial<Entry>): void {
  const entries = JSON.parse(files.content(manifestFile)!.toString()) as Entry[];
  for (const entry of entries) if (entry.entry_id === id) Object.assign(entry, set);
  files.put(manifestFile, JSON.stringify(entries));
}

async function everything(manifest: Manifest): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
  for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
  return found;
}

/** What the next process finds: all that was acknowledged, nothing stuck, and the same state when it is read again. */
async function mustBeSound(files: FaultyFiles, told: Told): Promise<void> {
  const notes: string[] = [];
  const manifest = await openSample(files, {
    liveEntries: 2,
    own: identity(2),
    liveness: owner => (owner.pid === 1 ? 'gone' : 'alive'),
    note: (level, message) => level === 'error' && notes.push(message),
  });
  expect(notes).toEqual([]);
  const found = await everything(manifest);
  expect(ids(found.values())).toEqual(expect.arrayContaining(told.added));
  for (const [id, fields] of told.fields) expect(found.get(id)).toMatchObject(fields);
  for (const stage of ['processor', 'communicator'] as const) {
    await manifest.release(manifest.orphans(stage), stage);
    const waiting = await manifest.claim(stage, 10);
    const outcome = stage === 'processor' ? { processing_status: 'processed' as const } : { data_transmitted: true };
    expect(await manifest.settle(waiting, stage, outcome)).toBe(waiting.length);
  }
  for (const entry of manifest.entries()) {
    expect(entry.claims).toEqual({});
    expect(['processed', 'failed']).toContain(entry.processing_status);
  }
  const reader = new EntryReader(sampleOptions(files));
  await reader.catchUp();
  expect([...reader.live.entries()]).toEqual([...manifest.entries()]);
  await manifest.close({ compact: true });
  expect([...(await everything(manifest)).keys()].sort()).toEqual([...found.keys()].sort());
}

/** Crashes the scenario at every step, with so many prefixes of each write. Resolves with the number of crashes. */
export async function crashWalk(prefixes: number): Promise<{ crashes: number; points: number }> {
  let points = 0;
  const crashes = await atEveryCrash<Told>({
    context: () => ({ added: [], fields: new Map() }),
    start: emptyDisk(),
    work: async (files, told) => {
      await scenario(files, told);
      points = files.steps.length;
    },
    check: mustBeSound,
    prefixes,
  });
  return { crashes, points };
}

function emptyDisk(): FaultyFiles {
  const files = new FaultyFiles();
  files.put('/root/data/other.txt', '');
  return files;
}
