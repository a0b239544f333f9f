import type { Config } from '../config/schema.ts';
import { type Files, nodeFiles } from '../files/files.ts';
import { CallGate, filesWithDeadline } from '../files/filesWithDeadline.ts';

/** A share that does not answer for so long is away, ms: nobody waits longer for a picture. */
const mostPatientMs = 5_000;

/** Files of the share for a command that only looks: a call that hangs ends with an error. */
export function shareReader({ Sync }: Pick<Config, 'Sync'>): Files {
  const deadlineMs = Math.min(mostPatientMs, Sync.deadline_seconds * 1000);
  return filesWithDeadline(nodeFiles, new CallGate(deadlineMs), () => true);
}
