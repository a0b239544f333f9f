import type { Playback } from './playback.ts';
import type { StageName } from './stageName.ts';

/** `flags/control.json`: what a person wants of the running pipeline. Each change has the next number. */
export interface Control {
  seq: number;
  paused: readonly StageName[];
  /** Only where somebody steers a replay. */
  playback?: Playback;
}

/** Nobody has asked for anything. */
export const noControl: Control = { seq: 0, paused: [] };
