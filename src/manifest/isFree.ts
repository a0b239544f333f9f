import type { Liveness } from '../files/processIdentity.ts';
import type { Entry, ProcessIdentity } from '../model/entry.ts';

/**
 * Whether an entry may be set back: nobody works on it, nor has left something of it half reported. A claim counts until
 * its process is gone; what a dead communicator had in flight stays until the next one has seen what it had reported.
 */
export function isFree({ claims }: Entry, liveness: (owner: ProcessIdentity) => Liveness): boolean {
  return Object.entries(claims).every(([stage, claim]) => stage === 'processor' && liveness(claim) === 'gone');
}
