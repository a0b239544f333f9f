/** Why a stage must rest for now: something outside of it, that it can only wait for. */
export interface PauseReason {
  /** Names it in alarms. */
  key: string;
  /** What is wrong, and what would help. */
  message: string;
}
