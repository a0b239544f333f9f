import type { ConsoleHost, ConsoleTool } from '../../src/console/consoleHost.ts';
import { type ConsoleState, initialState } from '../../src/console/consoleState.ts';
import { chooseDrawing } from '../../src/console/drawing.ts';
import type { FramePicture } from '../../src/model/framePicture.ts';
import type { LogLine } from '../../src/model/logLine.ts';
import type { RoiManifest } from '../../src/model/roi.ts';
import type { RoiHistory, RoiSample } from '../../src/model/roiHistory.ts';
import type { StageName } from '../../src/model/stageName.ts';
import { type AlarmStatus, historyBuckets, type PipelineStatus, type StageStatus } from '../../src/model/status.ts';

/** 2026-11-22 11:00:00 UTC. */
export const noon = Date.UTC(2026, 10, 22, 11);
const iso = (ms: number): string => new Date(ms).toISOString();

export const unicode = chooseDrawing({ TERM: 'xterm-256color', LANG: 'en_GB.UTF-8' });
export const ascii = chooseDrawing({ TERM: 'linux', LANG: 'C' });
export const colourless = chooseDrawing({ TERM: 'xterm-256color', LANG: 'C.UTF-8', NO_COLOR: '1' });

export function sampleStage(over: Partial<StageStatus> = {}): StageStatus {
  return {
    state: 'running',
    queued: 3,
    expected: null,
    in_flight: 1,
    done: 12_345,
    failed: 2,
    discarded: 1,
    lost: 0,
    per_minute: 11.8,
    target_per_minute: 12,
    per_second: 11.8 / 60,
    peak_per_second: 0.21,
    busy: 0.08,
    most_per_second: 2.5,
    rows_per_second: null,
    bytes_per_second: null,
    last_done: iso(noon - 1000),
    clears_in_ms: 1200,
    history: Array.from({ length: historyBuckets }, (_, i) => i % 3),
    last_ms: 412.5,
    last_error: null,
    heartbeat: iso(noon - 1000),
    late: null,
    ...over,
  };
}

export const sampleAlarm = (over: Partial<AlarmStatus> = {}): AlarmStatus => ({
  stage: 'communicator',
  key: 'disk',
  message: 'results/communicating_results.csv can not be written: the disk is full',
  since: iso(noon - 60_000),
  times: 3,
  ...over,
});

export function sampleStatus(over: Partial<PipelineStatus> = {}): PipelineStatus {
  const own = { host: 'pi', pid: 4242, boot_id: 'b', pid_start: 1 };
  const stages: Partial<Record<StageName, StageStatus>> = {
    collector: sampleStage(),
    processor: sampleStage({
      target_per_minute: null,
      per_minute: 25.25,
      per_second: 25.25 / 60,
      last_error: 'image_1.png: not an image',
    }),
    communicator: sampleStage({ late: 'hung', per_minute: 4, per_second: 4 / 60 }),
  };
  return {
    ...own,
    started: iso(noon - 3 * 3_600_000),
    state: 'running',
    heartbeat: iso(noon - 1000),
    run_id: 'run',
    config: { file: '/data/run7/configs/Phorest_config.toml', loaded: iso(noon - 3_600_000), error: null },
    control: { seq: 1, paused: [] },
    disk: { free: 12.3e9, size: 64e9, full_at: iso(noon + 80 * 3_600_000) },
    alarms: [],
    last_image: null,
    stages,
    latency: { median_ms: 640, p95_ms: 1_850, results: 100 },
    throughput: {
      stage: 'processor',
      per_second: 11.8 / 60,
      peak_per_second: 0.21,
      target_per_minute: 12,
      rows_per_second: 63.2,
      disk_bytes_per_second: 3.1e6,
      share_bytes_per_second: null,
      latency: { median_ms: 640, p95_ms: 1_850, results: 100 },
      waiting: 3,
      clears_in_ms: 1200,
      finished: 12_347,
      expected: null,
      busiest: { stage: 'processor', busy: 0.31 },
    },
    processes: [{ ...own, started: iso(noon), state: 'running', heartbeat: iso(noon), stages: ['collector'] }],
    ...over,
  };
}

export const sampleRois = (count = 40): RoiManifest => ({
  imageAngle: 1.5,
  rois: Array.from({ length: count }, (_, i) => ({
    label: `G${i}_N`,
    flip: false,
    coords: [200 + Math.floor(i / 8) * 300, 200 + (i % 8) * 400] as const,
    size: [145, 354] as const,
  })),
});

/** One image at noon, with what a test says of it. */
export const sampleOf = (over: Partial<RoiSample>): RoiSample => ({
  at: noon,
  frames: 1,
  lasted: 0,
  positions: new Float32Array(0),
  shifts: new Float32Array(0),
  shiftUncertainties: new Float32Array(0),
  flags: new Uint16Array(0),
  spread: null,
  chipShift: null,
  temperatures: {},
  ...over,
});

export function sampleHistory(labels: readonly string[], samples = 100): RoiHistory {
  const baseline = Float64Array.from(labels, (_, i) => 100 + i);
  return {
    labels,
    baseline,
    flagNames: ['low_signal', 'saturated'],
    samples: Array.from(
      { length: samples },
      (_, k): RoiSample =>
        sampleOf({
          at: noon - (samples - k) * 5000,
          positions: Float32Array.from(baseline, (from, i) => from + 0.1 * Math.sin(k / 10 + i)),
          shifts: Float32Array.from(labels, (_, i) => 0.1 * Math.sin(k / 10 + i)),
          temperatures: { 'Sensor 1': 21 + k / samples },
        }),
    ),
  };
}

export function sampleFrame(width = 40, height = 30, over: Partial<FramePicture> = {}): FramePicture {
  return {
    file: '/data/run7/data/20261122/image_1.png',
    at: noon,
    frameWidth: 4000,
    frameHeight: 3000,
    depth: 16,
    brightness: 1234.5,
    contrast: 600,
    saturated: 0.0012,
    width,
    height,
    grey: Uint8Array.from({ length: width * height }, (_, i) => i % 256),
    rois: sampleRois(),
    histogram: { bins: Array.from({ length: 256 }, (_, i) => 1000 - i), top: 4095, saturation: null },
    saturatedRois: [],
    atTop: null,
    region: { left: 0, top: 0, width: 4000, height: 3000 },
    size: { width, height },
    recent: null,
    ...over,
  };
}

export const sampleLines = (count: number, over: Partial<LogLine> = {}): LogLine[] =>
  Array.from({ length: count }, (_, i) => ({
    at: noon + i * 1000,
    level: 'info',
    source: 'collector',
    text: `line ${i}`,
    ...over,
  }));

export const sampleTools: readonly ConsoleTool[] = [
  {
    name: 'replay',
    usage: 'replay <folder>',
    summary: 'streams a folder of images',
    help: ['Usage: replay', '  --speed N'],
  },
  { name: 'check', usage: 'check [what]', summary: 'says what is wrong', help: ['Usage: check'] },
];

export function sampleState(over: Partial<ConsoleState> = {}): ConsoleState {
  const host: Pick<ConsoleHost, 'root' | 'mode' | 'tools' | 'configFile'> = {
    root: '/data/experiments/run7',
    mode: 'attached',
    tools: sampleTools,
    configFile: '/data/run7/configs/Phorest_config.toml',
  };
  const initial = initialState({ host, drawing: unicode, now: noon, columns: 80, rows: 24 });
  return { ...initial, reading: { connection: 'running', status: sampleStatus() }, ...over };
}
