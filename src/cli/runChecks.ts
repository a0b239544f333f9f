import type { CheckFinding } from '../model/checkFinding.ts';
import { counted } from '../model/quantity.ts';
import { checkCameras, checkGroups, usedCameras } from './checkCamera.ts';
import { checkConfig, configFindings } from './checkConfig.ts';
import { checkSensors } from './checkSensors.ts';
import { checkStorage } from './checkStorage.ts';
import { ownMachine, systemFindings } from './checkSystem.ts';
import type { CommandContext } from './commandDefinition.ts';
import { endNow } from './endNow.ts';
import { exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';

export interface CheckOptions {
  json?: true;
}

/** What can be checked. */
export type Checked = 'config' | 'storage' | 'all';

/** Cameras whose devices belong to the group `video`. */
const videoCameras: readonly string[] = ['libcamera', 'hawkeye', 'logitech', 'argus', 'tis', 'gstreamer'];

/** Runs `check`. Exit code 2 for a mistake in the configuration and a folder that can never be used, 1 for any other error. */
export async function runChecks(context: CommandContext, what: Checked, { json }: CheckOptions): Promise<number> {
  const { output } = context;
  const loaded = await loadConfig(context);
  if (what === 'config' && !json) return checkConfig(context, loaded);
  const levels: CheckFinding['level'][] = [];
  const said = new Set<string>();
  const tell = (check: string, all: readonly CheckFinding[]): void => {
    // Two checks may look at one folder.
    const findings = all.filter(({ message }) => !said.has(message));
    for (const { message } of findings) said.add(message);
    levels.push(...findings.map(({ level }) => level));
    if (!json) output.line(check);
    for (const finding of findings) {
      const { level, about, message } = finding;
      if (json) output.json(JSON.stringify({ check, ...finding }));
      else output.line(`  ${level.padEnd(7)}  ${message.startsWith(about) ? '' : `${about}: `}${message}`);
    }
  };
  let isStuck = false;
  let code: number = exitCodes.done;
  if (what !== 'storage') {
    const config = await configFindings(context, loaded);
    isStuck ||= config.isStuck;
    code = config.code;
    tell('config', config.findings);
  }
  if (what === 'all') {
    const needsVideo = usedCameras(loaded).some(({ source }) => videoCameras.includes(source.type));
    tell('system', systemFindings(await ownMachine(), needsVideo));
    tell('camera', await checkCameras(loaded));
    const groups = await checkGroups(loaded);
    if (groups.length > 0) tell('groups of ROIs', groups);
    const sensors = await checkSensors(loaded.config);
    isStuck ||= sensors.isStuck;
    tell('sensors', sensors.findings);
  }
  if (what !== 'config') {
    const storage = await checkStorage(loaded);
    isStuck ||= storage.isStuck;
    tell('storage', storage.findings);
  }
  const count = (wanted: CheckFinding['level']): number => levels.filter(level => level === wanted).length;
  const [errors, warnings] = [count('error'), count('warning')];
  code = Math.max(code, errors > 0 ? exitCodes.failed : exitCodes.done);
  if (json) output.json(JSON.stringify({ check: what, errors, warnings, exit_code: code }));
  else output.line(`${errors === 0 ? 'no errors' : counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  // What hangs would keep the process for good.
  if (isStuck) endNow(code);
  return code;
}
