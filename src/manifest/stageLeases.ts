import { join } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import type { Exclusive } from '../files/fileLock.ts';
import { type Files, nodeFiles } from '../files/files.ts';
import { type Liveness, sameProcess } from '../files/processIdentity.ts';
import { processIdentitySchema, readValidJson, validValues } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { ProcessIdentity } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';

/** Somebody else runs a stage of which a root may have only one. */
export class StageHeldError extends Error {
  override name = 'StageHeldError';
  readonly stage: StageName;
  readonly holder: ProcessIdentity;

  constructor(stage: StageName, holder: ProcessIdentity, file: string, isHere: boolean) {
    super(
      `the ${stage} of this experiment is already run by process ${holder.pid} on ${holder.host} (${file}); stop it ${isHere ? 'first' : 'there first'}`,
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
  /** Waits until a holder that nobody can ask is `gone`; false when it shows a sign of life instead. Absent: it counts as living. */
  untilSilent?: (holder: ProcessIdentity) => Promise<boolean>;
}

/** The exclusive stages that this process holds. */
export interface HeldStages {
  release(): Promise<void>;
  /** Somebody who could not ask this process has taken one of them over meanwhile; null: nobody has. Errors are the file system's. */
  lost(): Promise<StageHeldError | null>;
}

export type Holders = Partial<Record<StageName, ProcessIdentity>>;

/** Path of the file that says which process holds which exclusive stage. */
export function leasesFile(flagFolder: string): string {
  return join(flagFolder, 'stages.json');
}

/**
 * Takes exclusive stages, all or none. A holder that is gone (crash, power cut) holds nothing; one that nobody
 * can ask is waited for until it is known to be gone.
 *
 * @throws StageHeldError that names the holder.
 */
export async function takeStages(stages: readonly StageName[], options: StageLeasesOptions): Promise<HeldStages> {
  const { folder, files, exclusive, own, liveness, untilSilent } = options;
  const file = leasesFile(folder);
  await makeFolder(files, folder);

  const change = (edit: (holders: Holders) => void): Promise<void> =>
    exclusive(async () => {
      const holders = await readHolders(file);
      edit(holders);
      await writeAtomic(files, file, `${JSON.stringify(holders, null, 2)}\n`);
    });
  const heldByOther = (holders: Holders): StageHeldError | null => {
    for (const stage of stages) {
      const holder = holders[stage];
      const answer = holder && !sameProcess(holder, own) ? liveness(holder) : 'gone';
      if (answer !== 'gone') return new StageHeldError(stage, holder!, file, answer === 'alive');
    }
    return null;
  };

  for (;;) {
    // Before the lock is taken: a wait may be long.
    const held = heldByOther(await readHolders(file));
    if (held === null) break;
    if (liveness(held.holder) === 'alive' || !(await untilSilent?.(held.holder))) throw held;
  }
  await change(holders => {
    const held = heldByOther(holders);
    if (held) throw held;
    for (const stage of stages) holders[stage] = own;
  });
  return {
    release: () =>
      change(holders => {
        for (const stage of stages) {
          const holder = holders[stage];
          if (holder && sameProcess(holder, own)) delete holders[stage];
        }
      }),
    lost: async () => {
      const holders = await readHolders(file);
      const stage = stages.find(each => holders[each] && !sameProcess(holders[each], own));
      return stage === undefined ? null : new StageHeldError(stage, holders[stage]!, file, false);
    },
  };
}

const holdersSchema = validValues(processIdentitySchema);

/** A file that is missing or damaged (its owner was killed on a disk that lost the write) holds nothing. */
export async function readHolders(file: string, files: Pick<Files, 'open'> = nodeFiles): Promise<Holders> {
  return (await readValidJson(files, file, holdersSchema)) ?? {};
}
