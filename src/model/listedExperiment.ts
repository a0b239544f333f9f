/**
 * How an experiment of this machine is. `none`: no pipeline has run in it yet. `gone`: its folder is not there, or its disk is not
 * plugged in. `silent`: its disk does not answer.
 */
export type ExperimentState = 'running' | 'stopped' | 'crashed' | 'unreachable' | 'none' | 'gone' | 'silent';

/** An experiment, or a replay, that has run on this machine. */
export interface ListedExperiment {
  /** Its folder, absolute. */
  root: string;
  kind: 'experiment' | 'replay';
  state: ExperimentState;
  /** When a pipeline was last started in it, UTC; null where only its process is known. */
  started: string | null;
  /** Last sign of life of its pipeline, UTC; null where it gives none. */
  heartbeat: string | null;
  /** Of its pipeline, while that runs. */
  pid: number | null;
  /** Frames collected since the pipeline started. */
  frames: number | null;
  alarms: number;
  /** The configuration that it was started with, absolute. */
  configFile: string | null;
  /** Where that was started from. */
  cwd: string | null;
}
