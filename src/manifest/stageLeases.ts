import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from '../model/entry.ts';
import { exclusiveStages, type StageName } from '../model/stage.ts';
import type { Exclusive } from '../storage/exclusive.ts';
import type { Files } from '../storage/files.ts';
import { type Liveness, sameProcess } from '../storage/processIdentity.ts';
import { writeAtomic } from '../storage/writeAtomic.ts';

/** Somebody else runs a stage of which a root may have only one. */
export class StageHeldError extends Error {
  override name = 'StageHeldError';
  readonly stage: StageName;
  readonly holder: ProcessIdentity;

  constructor(stage: StageName, holder: ProcessIdentity, file: string) {
    super(
      `the ${stage} of this experiment is already run by process ${holder.pid} on ${holder.host} (${file}); stop it first`,
    );
    this.stage = stage;
    this.holder = holder;
  }
}

export interface StageLeasesOptions {
  /** `flag_dir`. */
  folder: string;
  files: Files;
  exclusive: Exclusive;
  own: ProcessIdentity;
  liveness: (holder: ProcessIdentity) => Liveness;
}

export type Holders = Partial<Record<StageName, ProcessIdentity>>;

/** Path of the file that says which process holds which exclusive stage. */
export function leasesFile(flagFolder: string): string {
  return join(flagFolder, 'stages.json');
}

/**
 * Takes those of the stages that are exclusive, all or none. A holder that is gone (crash, power cut) holds nothing.
 *
 * @returns a function that gives them back.
 * @throws StageHeldError that names the holder.
 */
export async function takeStages(
  stages: readonly StageName[],
  options: StageLeasesOptions,
): Promise<() => Promise<void>> {
  const { folder, files, exclusive, own, liveness } = options;
  const file = leasesFile(folder);
  const wanted = stages.filter(stage => exclusiveStages.includes(stage));
  await files.makeFolder(folder);

  const change = (edit: (holders: Holders) => void): Promise<void> =>
    exclusive(async () => {
      const holders = await readHolders(file);
      edit(holders);
      await writeAtomic(files, file, `${JSON.stringify(holders, null, 2)}\n`);
    });

  await change(holders => {
    for (const stage of wanted) {
      const holder = holders[stage];
      if (holder && !sameProcess(holder, own) && liveness(holder) !== 'gone')
        throw new StageHeldError(stage, holder, file);
    }
    for (const stage of wanted) holders[stage] = own;
  });
  return () =>
    change(holders => {
      for (const stage of wanted) {
        const holder = holders[stage];
        if (holder && sameProcess(holder, own)) delete holders[stage];
      }
    });
}

/** A file that is missing or damaged (its owner was killed on a disk that lost the write) holds nothing. */
export async function readHolders(file: string): Promise<Holders> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holders;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}
