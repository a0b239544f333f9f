import type { EntryArchive } from './entryArchive.ts';
import type { Manifest } from './manifest.ts';

/**
 * The durable queue between the stages: the first face of the manifest, and all that most stages know of it. Another implementation (a
 * queue across machines) can take its place.
 */
export type Queue = Pick<
  Manifest,
  | 'offer'
  | 'addOrphans'
  | 'claim'
  | 'settle'
  | 'release'
  | 'releaseEventually'
  | 'orphans'
  | 'deadlyWork'
  | 'changes$'
  | 'catchUp'
  | 'waiting'
  | 'inFlight'
  | 'isFor'
  | 'get'
  | 'entries'
  | 'size'
  | 'localImages'
  | 'compact'
  | 'compactIfDue'
>;

/** What has left it. */
export type Archive = Omit<EntryArchive, 'waiting'>;
