/** Something that happened to the experiment as a whole: for charts. */
export interface RunMark {
  /** Milliseconds since 1970 UTC. */
  time: number;
  kind: 'start' | 'stop' | 'edit' | 'pause' | 'resume' | 'mark';
  /** In words, without what the kind says. */
  text: string;
}
