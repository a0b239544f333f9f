/** Why a stage may not work for now: something outside of it, that it can only wait for. */
export interface Hindrance {
  /** Names it in alarms. */
  key: string;
  /** What is wrong, and what would help. */
  message: string;
}
