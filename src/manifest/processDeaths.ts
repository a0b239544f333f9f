import type { Entry } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';

/** What was in flight each time when the process died so often within one boot is tried alone; when it dies once more, it has failed. */
const maxProcessDeaths = 3;

/** Stages whose work on an image can end the process: they read what others have made. */
const riskyStages: readonly StageName[] = ['processor', 'compressor', 'syncer'];

function deathsOf({ process_deaths: deaths }: Entry, stage: StageName, bootId: string): number {
  const counted = deaths?.[stage];
  return counted?.boot_id === bootId ? counted.count : 0;
}

/**
 * Fields of an entry whose claim ends because its process is gone. A death counts only within this boot: after a power cut, or on another
 * machine, nobody knows that the process died of itself.
 */
export function afterDeath(entry: Entry, stage: StageName, bootId: string): Partial<Entry> {
  if (!riskyStages.includes(stage) || entry.claims[stage]?.boot_id !== bootId) return {};
  const count = deathsOf(entry, stage, bootId) + 1;
  return { process_deaths: { ...entry.process_deaths, [stage]: { boot_id: bootId, count } } };
}

/** Whether nothing else may be in flight beside it: if the process dies again, everybody knows of what. */
export function isTriedAlone(entry: Entry, stage: StageName, bootId: string): boolean {
  return deathsOf(entry, stage, bootId) === maxProcessDeaths;
}

/** Why an entry must not be tried again; null when it may be. */
export function deadlyWork(entry: Entry, stage: StageName, bootId: string): string | null {
  const deaths = deathsOf(entry, stage, bootId);
  if (deaths <= maxProcessDeaths) return null;
  return `the process died ${deaths} times while the ${stage} had this image in work, the last time with nothing else`;
}
