import { existsSync, readdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { type EventLine, Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault, FaultContext } from './fault.ts';
import { type Watched, withoutMissing } from './missedFrames.ts';
import { isOldImage, writeOldImages } from './oldImages.ts';
import { entriesIn, type VfatLimits } from './vfatLimits.ts';

/** vfat's 4 GiB, scaled down so that what grows gets there in a minute, and its 65,536 entries. */
const maxBytes = { '': 4 << 20, processing_results: 220 << 10, communicating_results: 40 << 10 };
const maxEntries = 600;
/** Fewer entries than this take no further image. */
const roomForNone = 4;

const intervalMs = 500;
const oldImages = 8;
const keep = 12;

/**
 * All stages on file systems with vfat's limits, here and on the share: a folder that takes no more names, which others have
 * filled; results and table that have grown as long as a file may be. The camera keeps its pace.
 */
export const vfat: Fault = {
  name: 'vfat_limits',
  weight: 1,
  wanted: [4, 80],
  round: context => withoutMissing('vfat_limits', context.tally, () => meetLimits(context)),
};

async function meetLimits(context: FaultContext): Promise<Watched> {
  const { tally } = context;
  const root = await context.folder();
  const share = join(await context.folder(), 'share');
  const storage: StorageOptions = { share, keep };
  const limits: VfatLimits = { folders: [root, share], maxBytes, maxEntries };
  const preload = new URL('./vfatLimits.ts', import.meta.url).href;
  const env = { NODE_OPTIONS: `--import=${preload}`, PHOREST_TEST_VFAT: JSON.stringify(limits) };
  await writeConfig(root, experimentToml({ intervalSeconds: intervalMs / 1000, storage }));
  await writeOldImages(root, oldImages);
  const program = new Program(runWords(root), { cwd: root, env });
  const copied = (): number => program.doneBy('syncer').length;
  await program.until('first copies', () => copied() >= oldImages + 2);
  const from = { event: program.events.length, taken: program.doneBy('collector').length };

  const data = join(root, 'data');
  const full = newestDay(data);
  await fill(join(data, full));
  const isElsewhere = (): boolean => imageFolders(data).some(name => name > full && imagesIn(join(data, name)) > 2);
  await program.until(`images in another folder than ${full}`, isElsewhere);
  tally.count('vfat_limits');

  // Where the copies of those images go.
  const crowded = join(share, 'data', newestDay(data));
  await program.until(`copies in ${crowded}`, () => existsSync(crowded));
  const before = program.events.length;
  const fillers = await fill(crowded);
  const isAlarm = ({ kind, stage, key }: EventLine): boolean =>
    kind === 'alarm' && stage === 'syncer' && key === 'ENOSPC';
  await program.untilEvent('alarm of a folder of the share that is full', isAlarm, before);
  tally.count('vfat_limits');
  for (const path of fillers) await rm(path);
  const then = copied();
  await program.until('copies into the folder that has room again', () => copied() > then);

  for (const output of ['processing_results.1.jsonl', 'communicating_results.1.csv']) {
    await program.until(output, () => existsSync(join(root, 'results', output)));
    tally.count('vfat_limits');
  }
  const events = program.events.slice(from.event);
  const taken = new Set(program.doneBy('collector').slice(from.taken));
  const { entries } = await endOfRun(root, program.doneBy('collector'), [program], context, { storage, env });
  const old = entries.filter(isOldImage);
  if (old.length !== oldImages) tally.problem(`${oldImages - old.length} of ${oldImages} old images are gone`);
  return { entries: entries.filter(({ entry_id: id }) => taken.has(id)), events, intervalMs };
}

const imageFolders = (data: string): string[] => readdirSync(data).filter(name => /^\d{8}(?:_\d+)?$/.test(name));

const imagesIn = (folder: string): number => readdirSync(folder).filter(name => name.endsWith('.png')).length;

const newestDay = (data: string): string => imageFolders(data).sort().at(-1)!;

/** Fills a folder with names of others; the pipeline may add and remove names meanwhile, until there is no room for one. */
async function fill(folder: string): Promise<string[]> {
  const made: string[] = [];
  for (let names = await readdir(folder); maxEntries - entriesIn(names) >= roomForNone; names = await readdir(folder)) {
    const missing = Math.ceil((maxEntries - entriesIn(names)) / roomForNone);
    for (let i = 0; i < missing; i++) {
      const path = join(folder, `of another program, ${String(made.length).padStart(4, '0')}.txt`);
      await writeFile(path, '');
      made.push(path);
    }
  }
  return made;
}
