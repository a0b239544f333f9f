import type { TomlEdit } from '../config/editToml.ts';
import type { FramePicture } from '../model/framePicture.ts';
import type { LastResult } from '../model/lastResult.ts';
import type { LogLine } from '../model/logLine.ts';
import type { PlaybackWish } from '../model/playback.ts';
import type { ChipDesign, RoiManifest } from '../model/roi.ts';
import type { RoiHistory } from '../model/roiHistory.ts';
import type { RoiLook } from '../model/roiInspection.ts';
import type { RoiQuality } from '../model/roiQuality.ts';
import type { StageName } from '../model/stageName.ts';
import type { StatusReading } from '../model/status.ts';
import { type AlarmsState, initialAlarms } from './alarms/alarmsState.ts';
import { type ChartState, initialChart } from './chart/chartState.ts';
import type { ConsoleHost, ConsoleTool } from './consoleHost.ts';
import type { Drawing, LookChoice } from './drawing.ts';
import { type ExperimentsPage, initialExperiments } from './experiments/experimentsPage.ts';
import { type FrameState, initialFrame } from './frame/frameState.ts';
import { emptyLog, type LogView } from './log/logView.ts';
import type { PageName } from './pages.ts';
import type { FormValues } from './replay/replayFields.ts';
import { initialReplay, type ReplayPart } from './replay/replayState.ts';
import { initialRoisPage, type RoisPage } from './rois/roisPage.ts';
import { initialSettings, type SettingsState } from './settings/settingsState.ts';
import type { TerminalGraphics } from './terminalPicture/askTerminal.ts';
import { type LookState, unknownLook } from './theme/lookState.ts';

/** What lies over the page and takes the keys. */
export type Overlay =
  | { kind: 'help'; top: number }
  /** `background`: a third answer, beside yes and no. */
  | { kind: 'question'; text: string; yes: Action; background?: Action }
  | { kind: 'rois'; cursor: number }
  | { kind: 'tools'; cursor: number }
  | { kind: 'palette'; text: string; cursor: number }
  | { kind: 'arguments'; tool: ConsoleTool; text: string; top: number }
  | { kind: 'output'; bottom: number | null }
  | { kind: 'roiFilter'; text: string }
  /** `keeps`: lines without the text are left out. */
  | { kind: 'search'; text: string; keeps?: true }
  | { kind: 'goTo'; text: string }
  /** `field`: its number, whose line is `text`. */
  | { kind: 'replayForm'; field: number; values: FormValues; text: string; isOffered: boolean }
  | { kind: 'sources'; cursor: number }
  | { kind: 'alarm'; cursor: number }
  /** `isOffered`: nothing was typed yet. */
  | { kind: 'setting'; text: string; isOffered: boolean }
  | { kind: 'line'; line: LogLine; top: number };

/** A single-shot tool that runs, or has run last. */
export interface ToolRun {
  /** As it was typed, without `phorest`. */
  title: string;
  /** The last lines of its output. */
  lines: readonly string[];
  /** How many lines came before these. */
  dropped: number;
  /** Null while it runs. */
  code: number | null;
}

export interface Message {
  level: 'info' | 'error';
  text: string;
  /** When it came, ms since 1970 UTC. */
  at: number;
}

/** A command for the pipeline that is under way: `stop`. */
export interface RunningCommand {
  id: number;
  purpose: string;
  lines: readonly string[];
}

/** Everything that the screen is made from. */
export interface ConsoleState {
  root: string;
  mode: ConsoleHost['mode'];
  tools: readonly ConsoleTool[];
  configFile: string;
  drawing: Drawing;
  experiments: ExperimentsPage;
  /** The experiment that was shown before this one; null: none. */
  cameFrom: string | null;
  look: LookState;
  /** What the terminal has told of itself, as pictures need it; null: nothing. */
  graphics: TerminalGraphics | null;
  /** Milliseconds since 1970 UTC. */
  now: number;
  columns: number;
  rows: number;
  page: PageName;
  overlay: Overlay | null;
  /** Null until the first reading. */
  reading: StatusReading | null;
  /** Stage that pause and resume mean. */
  selected: StageName | null;
  log: LogView;
  history: RoiHistory | null;
  rois: RoiManifest | null;
  /** Of the chip map. */
  chips: readonly ChipDesign[];
  frame: FramePicture | null;
  /** Known while a page shows it. */
  lastResult: LastResult | null;
  /** What the figures of the run say of each ROI; empty while there are none. */
  qualities: ReadonlyMap<string, RoiQuality>;
  roisPage: RoisPage;
  /** The ROI that is open, in the last frame. */
  roiLook: RoiLook | null;
  frameView: FrameState;
  chart: ChartState;
  settings: SettingsState;
  replay: ReplayPart;
  alarms: AlarmsState;
  /** Newest last; errors stay until they are acknowledged. */
  messages: readonly Message[];
  commands: readonly RunningCommand[];
  nextCommand: number;
  tool: ToolRun | null;
  /** The pipeline of this process was asked to finish. */
  stopAsked: boolean;
}

/** What the reducer wants done; nothing of it happens in the reducer. */
export type Action =
  /** `id` is given when it is carried out. */
  | { do: 'command'; id: number; purpose: string; words: readonly string[] }
  | { do: 'tool'; words: readonly string[] }
  | { do: 'cutTool' }
  | { do: 'edit' }
  /** `what` completes "copied …". */
  | { do: 'copy'; text: string; what: string }
  | { do: 'writeConfig' }
  /** `since` in ms since 1970 UTC: which raising of the alarm. */
  | { do: 'acknowledge'; stage: string; key: string; since: number }
  /** What does the documentation say to a message? */
  | { do: 'advise'; message: string }
  /** `seen`: the text of the file that the changes were made for. */
  | { do: 'writeSettings'; edits: readonly TomlEdit[]; seen: string | null }
  | { do: 'stopOwn' }
  | { do: 'steer'; wish: PlaybackWish }
  /** Begins a replay in the background, and shows it. */
  | { do: 'replay'; words: readonly string[] }
  | { do: 'redraw' }
  | { do: 'rememberLook'; choice: LookChoice }
  /** Shows another experiment in place of this one. */
  | { do: 'attach'; root: string }
  /** The pipeline of this process goes on in the background. */
  | { do: 'handOver' }
  /** As Ctrl-Z elsewhere. */
  | { do: 'suspend' }
  | { do: 'quit' };

/** A new state, and what is to be done besides. */
export interface Step {
  state: ConsoleState;
  actions: readonly Action[];
}

export const step = (state: ConsoleState, ...actions: Action[]): Step => ({ state, actions });

export interface InitialOptions {
  host: Pick<ConsoleHost, 'root' | 'mode' | 'tools' | 'configFile' | 'replay' | 'cameFrom'>;
  drawing: Drawing;
  look?: LookState;
  graphics?: TerminalGraphics | null;
  now: number;
  columns: number;
  rows: number;
}

export function initialState({
  host,
  drawing,
  look = unknownLook,
  graphics = null,
  now,
  columns,
  rows,
}: InitialOptions): ConsoleState {
  return {
    root: host.root,
    mode: host.mode,
    tools: host.tools,
    configFile: host.configFile,
    drawing,
    experiments: initialExperiments,
    cameFrom: host.cameFrom ?? null,
    look,
    graphics,
    now,
    columns,
    rows,
    page: 'overview',
    overlay: null,
    reading: null,
    selected: null,
    log: emptyLog,
    history: null,
    rois: null,
    chips: [],
    frame: null,
    lastResult: null,
    qualities: new Map(),
    roisPage: initialRoisPage,
    roiLook: null,
    frameView: initialFrame,
    chart: initialChart,
    settings: initialSettings,
    alarms: initialAlarms,
    replay: {
      ...initialReplay,
      ...(host.replay && {
        results: host.replay.results,
        goOn: host.replay.goOn,
        roiManifest: host.replay.roiManifest,
        canBegin: true,
      }),
    },
    messages: [],
    commands: [],
    nextCommand: 1,
    tool: null,
    stopAsked: false,
  };
}
