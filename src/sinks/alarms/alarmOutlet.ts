import type { AlarmNews } from './alarmQueue.ts';

/** What is told of an alarm, as JSON and in words. */
export interface AlarmNotice extends AlarmNews {
  /** Folder of the experiment. */
  root: string;
  host: string;
  run_id: string;
  /** All of it in one line, for a person; the key by which many chat programs find their text. */
  text: string;
}

export interface DeliveryOptions {
  /** Aborted when nobody waits for it any more: what runs is ended at once. */
  signal: AbortSignal;
  /** It is ended after so long, ms. */
  timeoutMs: number;
}

/** It was not delivered. The message holds no argument and no part of an address but its host. */
export class DeliveryError extends Error {
  override name = 'DeliveryError';
  /** It may go well another time. */
  readonly again: boolean;

  constructor(message: string, { again, ...options }: ErrorOptions & { again: boolean }) {
    super(message, options);
    this.again = again;
  }
}
