import type { StageName } from './stageName.ts';

/** Somebody has seen an alarm. It stands for this raising of it alone: the same alarm at another time is another one. Times are UTC. */
export interface Acknowledgement {
  stage: StageName;
  key: string;
  /** Since when the alarm stood. */
  since: string;
  at: string;
  /** User and machine. */
  by: string;
}

/** That an alarm was raised or has ended, as the log has it. */
export interface AlarmNotice {
  /** ms since 1970 UTC. */
  at: number;
  stage: string;
  key: string;
  state: 'raised' | 'over';
  /** What stood in the way; of one that is over it says nothing new. */
  message: string;
}
