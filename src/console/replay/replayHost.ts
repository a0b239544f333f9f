import type { PlaybackWish } from '../../model/playback.ts';

/** What the console asks for replays of the program around it. */
export interface ReplayHost {
  /** Folder of the results of this experiment, absolute. */
  results: string;
  /** Its files of results, a line each. */
  resultLines(): readonly string[];
  /** Words of a command that goes on with the replay of this root, without its speed; null where it is none. */
  goOn: readonly string[] | null;
  /** Asks the replay that runs for something. Resolves with the number of the wish. One after another. */
  steer(wish: PlaybackWish): Promise<number | null>;
}
