import type { ShareFailure } from './shareError.ts';

/*
 * What may be asked of a share, and what the processes on both sides of it say to each other. Paths called `remote` are
 * relative to the share's root, with `/`; paths called `local` are absolute paths of this machine.
 */

/** Find the share, or begin to use it. */
export interface EnterRequest {
  /** Id in the marker that was found at the first use; null at the first use. */
  known: string | null;
  /** Id for a share that has no marker yet. */
  fresh: string;
}

/** Copy a file that is never changed: what stands there already is never replaced. */
export interface PlaceRequest {
  local: string;
  remote: string;
}

export interface Placed {
  /** Where the copy stands, relative to the root: another name where that one was taken. */
  remote: string;
  size: number;
  sha256: string;
  /** Bytes written to the share for it. */
  sent: number;
  /** What stood under the name that was asked for. */
  found: 'nothing' | 'same' | 'other';
}

/** Bring the copy of a growing file up to date. Copies whole lines only. */
export interface AppendRequest {
  local: string;
  remote: string;
  /** Up to there only the end is compared; null: all of the copy is. */
  known: Growth | null;
  /** Most bytes to append in this call. */
  most: number;
}

/** What is known of a growing file and its copy. */
export interface Growth {
  /** Bytes that were copied and checked. */
  length: number;
  /** Modification of the copy after it was written, ms. */
  mtimeMs: number;
}

export interface Appended {
  growth: Growth;
  sent: number;
  /** There is more than `most`. */
  more: boolean;
  /** Where what stood in the copy and is not in the file is now; null when there was no such thing. */
  kept: string | null;
}

/** Put the copy of a small file, which is rewritten as a whole, in the place of the earlier one. */
export interface PublishRequest {
  local: string;
  remote: string;
  /** What the file must hold. */
  sha256: string;
  /** Hashes of what we may have put there; anything else that stands there is kept under another name. */
  ours: readonly string[];
  /** The copy there as it was seen last: if it still looks so, it need not be read. */
  seen: RemoteStat | null;
}

export interface Published {
  stat: RemoteStat;
  sent: number;
  /** Where what stood there and was not ours is now; null when there was no such thing. */
  kept: string | null;
}

export interface RemoteStat {
  size: number;
  /** Modification, ms since 1970 by the share's clock. */
  mtimeMs: number;
  /** A link, pipe or device stands there; the size is then -1. */
  strange?: true;
}

/** What a file holds. */
export interface Digest {
  size: number;
  sha256: string;
}

/** The calls by name: what each takes and gives. */
export interface ShareCalls {
  /** Resolves with the id in the marker. */
  enter: { request: EnterRequest; answer: string };
  place: { request: PlaceRequest; answer: Placed };
  append: { request: AppendRequest; answer: Appended };
  /** Null when the file holds something else by now. */
  publish: { request: PublishRequest; answer: Published | null };
  /** Reads a whole file, here or there; null where none stands on the share. */
  digest: { request: { local: string } | { remote: string }; answer: Digest | null };
  /** Null where there is no such file. */
  stats: { request: readonly string[]; answer: (RemoteStat | null)[] };
}

export type ShareCall = keyof ShareCalls;

/** From the parent to the child. */
export interface ShareQuestion<K extends ShareCall = ShareCall> {
  id: number;
  call: K;
  request: ShareCalls[K]['request'];
}

/** From the child to the parent; one without answer and failure says that the work goes on. */
export interface ShareReply {
  id: number;
  answer?: unknown;
  failure?: ShareFailure;
}

/** The child has started: the id of its first message, which has an answer of `true`. */
export const readyReply = -1;

/** How the child is started, as the JSON of its only argument. */
export interface ShareChildOptions {
  root: string;
  /** 0: no limit. */
  bytesPerSecond: number;
  /** What was written is not read back. */
  trustWrite: boolean;
  /** Module whose `files` stand in for the share's own, for tests; null: none. */
  filesModule: string | null;
}
