import type { PlaybackWish } from '../../model/playback.ts';

/** What is known of a path that is being typed. */
export interface CompletedPath {
  field: 'folder' | 'rois';
  /** As it was typed. */
  text: string;
  /** What it may go on with, whole paths as they would be typed; a folder ends with a slash. */
  items: readonly string[];
  /** What is there already; empty: nothing. */
  said: string;
}

/** What the console asks for replays of the program around it. */
export interface ReplayHost {
  /** Folder of the results of this experiment, absolute. */
  results: string;
  /** Its files of results, a line each. */
  resultLines(): readonly string[];
  /** Words of a command that goes on with the replay of this root, without its speed; null where it is none. */
  goOn: readonly string[] | null;
  /** File that the ROI manifest of the replay in this root is a copy of; null where nobody knows. */
  roiManifest: string | null;
  /** Asks the replay that runs for something. Resolves with the number of the wish; 0 where it is so already. One after another. */
  steer(wish: PlaybackWish): Promise<number>;
  complete(field: CompletedPath['field'], text: string): Promise<CompletedPath>;
  /** Shows the experiment in another folder in a console of its own, on this terminal, until it is left. */
  show(root: string, until: AbortSignal): Promise<void>;
}
