import { NEVER, Subject } from 'rxjs';
import type { ConsoleHost } from '../../src/console/consoleHost.ts';
import type { ConsoleSources } from '../../src/console/consoleSources.ts';
import { sampleTools } from './sampleConsole.ts';

/** Sources that tell nothing, but for those that a test gives. */
export const sampleSources = (over: Partial<ConsoleSources> = {}): ConsoleSources => ({
  status$: NEVER,
  log$: NEVER,
  history$: () => NEVER,
  rois$: NEVER,
  chips$: NEVER,
  marks$: () => NEVER,
  closeHistory$: () => NEVER,
  frame$: () => NEVER,
  alarmNotices$: () => NEVER,
  acknowledged$: () => NEVER,
  settings$: () => NEVER,
  lastResult$: () => NEVER,
  qualities$: () => NEVER,
  roiLook$: () => NEVER,
  ...over,
});

/** A program around the console that does nothing, but for what a test gives. */
export const sampleHost = (over: Partial<ConsoleHost> = {}): ConsoleHost => ({
  root: '/data/run7',
  mode: 'attached',
  tools: sampleTools,
  command: () => new Subject(),
  stopOwn: () => undefined,
  configFile: '/data/run7/configs/Phorest_config.toml',
  configExists: () => true,
  writeConfig: async () => undefined,
  mistakeLine: async () => null,
  acknowledge: async () => undefined,
  advice: async () => null,
  writeSettings: async () => [],
  editor: ['true'],
  environment: {},
  ...over,
});
