import { type StageName, stageNames } from '../model/stageName.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/** Stages that a pipeline runs unless told otherwise, upstream first. */
export const graphStages: readonly StageName[] = stageNames;

/** Those that a replay needs: its images are originals, and its results stay where they are. */
export const replayStages: readonly StageName[] = ['collector', 'processor', 'communicator'];

/**
 * `collector,processor`; absent: all.
 * @param what how a message calls the words. @throws ExitError `usage` for a word that is no stage.
 */
export function parseStages(list: string | undefined, what = '--stages'): readonly StageName[] {
  if (list === undefined) return graphStages;
  const words = list.split(',').map(word => word.trim());
  const wrong = words.find(word => !graphStages.includes(word as StageName));
  if (wrong !== undefined) {
    throw new ExitError(exitCodes.usage, `${what}: "${wrong}" is no stage; there are ${graphStages.join(', ')}`);
  }
  return graphStages.filter(stage => words.includes(stage));
}
