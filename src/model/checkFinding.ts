/** What a check says of one thing: a sentence that says what was found and, where something is wrong, what to do. */
export interface CheckFinding {
  /** `error`: the experiment can't do its work so. `warning`: it can, and may come to regret it. */
  level: 'ok' | 'warning' | 'error';
  /** Camera, sensor, path or mount that it is about. */
  about: string;
  message: string;
}
