import type { Acknowledgement, AlarmNotice } from '../model/alarm.ts';
import type { FramePicture } from '../model/framePicture.ts';
import type { LastResult } from '../model/lastResult.ts';
import type { ListedExperiment } from '../model/listedExperiment.ts';
import type { LogLine } from '../model/logLine.ts';
import type { ChipDesign, RoiManifest } from '../model/roi.ts';
import type { CloseHistory, RoiHistory } from '../model/roiHistory.ts';
import type { RoiLook } from '../model/roiInspection.ts';
import type { RoiQuality } from '../model/roiQuality.ts';
import type { RunMark } from '../model/runMark.ts';
import type { StatusReading } from '../model/status.ts';
import type { CommandOutput } from './consoleHost.ts';
import type { ConsoleState, Message } from './consoleState.ts';
import type { CompletedPath } from './replay/replayHost.ts';
import type { SettingsFile } from './settings/settingsState.ts';

/** What the mouse does at a place of the screen; the pointer is told of only while a button is held. */
export interface MouseInput {
  kind: 'mouse';
  what: 'press' | 'drag' | 'release' | 'wheelUp' | 'wheelDown';
  x: number;
  y: number;
}

/** Everything that can change what is shown. */
export type ConsoleInput =
  | { kind: 'status'; reading: StatusReading }
  | { kind: 'log'; lines: readonly LogLine[] }
  | { kind: 'history'; history: RoiHistory }
  | { kind: 'rois'; rois: RoiManifest | null }
  | { kind: 'chips'; chips: readonly ChipDesign[] }
  | { kind: 'marks'; marks: readonly RunMark[] }
  | { kind: 'closeHistory'; close: CloseHistory }
  | { kind: 'frame'; frame: FramePicture | null }
  | { kind: 'lastResult'; lastResult: LastResult }
  | { kind: 'qualities'; qualities: ReadonlyMap<string, RoiQuality> }
  | { kind: 'roiLook'; look: RoiLook }
  | { kind: 'experiments'; list: readonly ListedExperiment[] }
  /** ms since 1970 UTC, about once a second. */
  | { kind: 'time'; now: number }
  | { kind: 'size'; columns: number; rows: number }
  /** `key` as blessed names it; `text` is what it types, if anything. */
  | { kind: 'key'; key: string; text: string }
  | MouseInput
  | { kind: 'command'; id: number; output: CommandOutput }
  | { kind: 'tool'; output: CommandOutput }
  /** What an action came to. */
  | { kind: 'said'; level: Message['level']; text: string }
  | { kind: 'settings'; file: SettingsFile }
  | { kind: 'alarmNotices'; notices: readonly AlarmNotice[] }
  | { kind: 'acknowledged'; acknowledged: readonly Acknowledgement[] }
  | { kind: 'advice'; message: string; advice: string | null }
  /** Changes of the form are in the file, a line each. */
  | { kind: 'settingsWritten'; lines: readonly string[] }
  /** A wish for the replay is written down, with this number; null: it could not be. */
  | { kind: 'steered'; seq: number | null }
  /** What is known of the path that is being typed. */
  | { kind: 'completed'; completed: CompletedPath }
  /** A replay could not begin. */
  | { kind: 'noReplay'; why: string } /** There is no configuration to edit. */
  | { kind: 'noConfiguration' };

/** What a person does and what comes of it, and the first that is known of anything, is shown at once; the rest may wait for the next frame. */
export function isUrgent(input: ConsoleInput, before: ConsoleState): boolean {
  switch (input.kind) {
    case 'status':
      return before.reading?.connection !== input.reading.connection;
    case 'log':
      return before.log.lines.length === 0;
    case 'history':
      return before.history === null;
    case 'rois':
      return before.rois === null;
    case 'chips':
      return before.chips.length === 0;
    case 'frame':
      // What somebody asked for is shown at once.
      return before.frame === null || before.frame.file === input.frame?.file || before.frameView.held !== null;
    case 'lastResult':
      return before.lastResult === null;
    case 'qualities':
      return before.qualities.size === 0;
    case 'roiLook':
      return before.roiLook?.label !== input.look.label;
    case 'command':
    case 'tool':
      return input.output.kind === 'ended';
    case 'time':
    case 'marks':
      return false;
    default:
      return true;
  }
}
