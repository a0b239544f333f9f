import type { Observable } from 'rxjs';
import type { Acknowledgement, AlarmNotice } from '../model/alarm.ts';
import type { FramePicture, PictureRequest } from '../model/framePicture.ts';
import type { LastResult } from '../model/lastResult.ts';
import type { LogLine } from '../model/logLine.ts';
import type { ChipDesign, RoiManifest } from '../model/roi.ts';
import type { CloseHistory, CloseRequest, RoiHistory } from '../model/roiHistory.ts';
import type { RoiLook } from '../model/roiInspection.ts';
import type { RoiQuality } from '../model/roiQuality.ts';
import type { RunMark } from '../model/runMark.ts';
import type { StatusReading } from '../model/status.ts';
import type { SettingsFile } from './settings/settingsState.ts';

/**
 * What the console watches. Read-only, from outside the pipeline's process or inside it. Each is cold and subscribed to once;
 * emits what is known at once (or as soon as it is read), then what changes, and nothing while nothing does. None completes
 * or errors: what can't be read is a line of `log$`.
 */
export interface ConsoleSources {
  status$: Observable<StatusReading>;
  /** New lines, oldest first; the first emission holds the last ones of the past. */
  log$: Observable<readonly LogLine[]>;
  /** Where the resonances were. Costs nothing until somebody wants it. */
  history$(wanted$: Observable<boolean>): Observable<RoiHistory>;
  /** The ROI manifest, for the chip map; null while there is none. */
  rois$: Observable<RoiManifest | null>;
  /** What the chip map has of each chip, for the same; empty while there is none. */
  chips$: Observable<readonly ChipDesign[]>;
  /** Starts, edits, pauses and marks of the run, in order of time. Costs nothing while nobody wants them. */
  marks$(wanted$: Observable<boolean>): Observable<readonly RunMark[]>;
  /** A part of the past more closely than the history has it. Costs nothing while nobody asks for any (null). */
  closeHistory$(requests$: Observable<CloseRequest | null>): Observable<CloseHistory>;
  /** The newest frame, or the one that is asked for. Costs nothing while nobody asks for any (null). */
  frame$(requests$: Observable<PictureRequest | null>): Observable<FramePicture | null>;
  /** What the log says of alarms, as it is found from its end backwards. Costs nothing while nobody wants it. */
  alarmNotices$(wanted$: Observable<boolean>): Observable<readonly AlarmNotice[]>;
  /** Alarms that somebody has acknowledged, now and after each change. Costs nothing while nobody wants them. */
  acknowledged$(wanted$: Observable<boolean>): Observable<readonly Acknowledgement[]>;
  /** The configuration file, now and after each change. Costs nothing while nobody wants it. */
  settings$(wanted$: Observable<boolean>): Observable<SettingsFile>;
  /** What the newest result says of each ROI. Costs nothing while nobody wants it. */
  lastResult$(wanted$: Observable<boolean>): Observable<LastResult>;
  /** What the figures of the run say of each ROI, now and after each change. Costs nothing while nobody wants it. */
  qualities$(wanted$: Observable<boolean>): Observable<ReadonlyMap<string, RoiQuality>>;
  /** The ROI of a label in the newest frame that was analysed, looked into anew. Costs nothing while the label is null. */
  roiLook$(label$: Observable<string | null>): Observable<RoiLook>;
}
