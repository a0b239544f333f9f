import { clockJumps } from './clockJumps.ts';
import { copiedExperiments } from './copiedExperiments.ts';
import { damagedManifests } from './damagedManifests.ts';
import { doubleStarts } from './doubleStarts.ts';
import { failingDisks } from './failingDisks.ts';
import type { Fault } from './fault.ts';
import { filledByOthers } from './filledByOthers.ts';
import { fullDataDisk, fullResultsDisk } from './fullDisk.ts';
import { kills } from './kills.ts';
import { mistakesDuringRun } from './mistakes.ts';
import { movedDisk } from './movedDisk.ts';
import { movedTables } from './movedTables.ts';
import { mutants } from './mutants.ts';
import { plantedLinks } from './plantedLinks.ts';
import { poison } from './poison.ts';
import { powerCuts } from './powerCuts.ts';
import { fullShare, shareHangs, shareStale, shareUnmounted, shareVanishes } from './shareFaults.ts';
import { soak } from './soak.ts';
import { suspensions } from './suspensions.ts';
import { vfat } from './vfat.ts';

/** Every kind of fault. A new one is a file and a line here. */
export const faults: readonly Fault[] = [
  kills,
  suspensions,
  doubleStarts,
  mutants,
  mistakesDuringRun,
  fullDataDisk,
  fullResultsDisk,
  filledByOthers,
  failingDisks,
  movedDisk,
  poison,
  fullShare,
  shareVanishes,
  shareUnmounted,
  shareStale,
  shareHangs,
  plantedLinks,
  copiedExperiments,
  movedTables,
  damagedManifests,
  clockJumps,
  vfat,
  powerCuts,
  soak,
];
