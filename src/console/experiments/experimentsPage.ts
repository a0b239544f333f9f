import type { ListedExperiment } from '../../model/listedExperiment.ts';

/** The page of the experiments of this machine. */
export interface ExperimentsPage {
  /** Null until they were looked for. */
  list: readonly ListedExperiment[] | null;
  /** Folder that the pointer is on; null: the one that is shown. */
  chosen: string | null;
}

export const initialExperiments: ExperimentsPage = { list: null, chosen: null };

/** Index of the experiment that the pointer is on. */
export function chosenIndex({ list, chosen }: ExperimentsPage, root: string): number {
  const at = list?.findIndex(each => each.root === (chosen ?? root)) ?? -1;
  return Math.max(0, at);
}
