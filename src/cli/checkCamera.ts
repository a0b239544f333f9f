import { readFile } from 'node:fs/promises';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { requireSize, roiWalk } from '../analysis/roiWalk.ts';
import type { SourceSettings } from '../config/sourceSettings.ts';
import { DeviceClaims } from '../files/deviceClaims.ts';
import { nodeFiles } from '../files/files.ts';
import { ToolRunner } from '../files/runTool.ts';
import { transformPixels } from '../image/transformPixels.ts';
import { asError } from '../model/asError.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { systemClock } from '../model/clock.ts';
import type { Pixels } from '../model/frame.ts';
import { idlePatterns, labelPatterns } from '../model/labelPatterns.ts';
import { counted, duration } from '../model/quantity.ts';
import { brightfield } from '../operators/brightfield/brightfield.ts';
import { collector } from '../operators/collector/collector.ts';
import { claimCamera, openSource, type SourceDeps } from '../streams/cameras/sources.ts';
import { cameraUser } from './livingProcesses.ts';
import type { LoadedConfig } from './loadConfig.ts';

/** A camera that the configuration uses. */
export interface UsedCamera {
  /** How findings call it. */
  about: string;
  source: SourceSettings;
}

/** The cameras that the configuration uses: that of the collector, and that of the brightfield where it is another one. */
export function usedCameras({ config, paths, chosen }: LoadedConfig): UsedCamera[] {
  const [main, other] = [collector, brightfield].flatMap(stage => {
    const { enabled, source } = stage.settings(config, { paths, configFile: chosen.path, replay: null });
    // Nothing that is looked at here is kept.
    return enabled ? [{ ...source, roiManifestFile: null, truthFile: null, flags: null }] : [];
  });
  const isOne = main && other && main.cameraId === other.cameraId;
  return [
    ...(main ? [{ about: 'camera', source: main }] : []),
    ...(other && !isOne ? [{ about: 'brightfield camera', source: other }] : []),
  ];
}

export type CameraCheckDeps = Pick<SourceDeps, 'tools' | 'clock' | 'files'> & { claims: DeviceClaims };

/** Says of each camera whether it gives a frame; and whether the ROI manifest fits that. Nothing is kept. */
export async function checkCameras(
  loaded: LoadedConfig,
  deps: CameraCheckDeps = {
    tools: new ToolRunner(),
    clock: systemClock,
    files: nodeFiles,
    claims: new DeviceClaims({ root: loaded.paths.root, purpose: 'check all' }),
  },
): Promise<CheckFinding[]> {
  const cameras = usedCameras(loaded);
  if (cameras.length === 0) {
    return [{ level: 'ok', about: 'camera', message: 'no camera is used: Services.enable_camera is off' }];
  }
  const user = await cameraUser(loaded.paths.status);
  if (user !== null) {
    const message = `the pipeline of this experiment (process ${user.status.pid}) uses it: "phorest status" tells how it does`;
    return [{ level: 'ok', about: 'camera', message }];
  }
  const findings: CheckFinding[] = [];
  for (const [i, camera] of cameras.entries()) {
    const checked = await checkCamera(camera, loaded, deps);
    findings.push(...checked.findings);
    if (i === 0 && checked.pixels) {
      findings.push(
        ...(await checkRois(loaded, transformPixels(checked.pixels, loaded.config.Camera.camera_transform))),
      );
    }
  }
  return findings;
}

async function checkCamera(
  { about, source: settings }: UsedCamera,
  { config }: LoadedConfig,
  deps: CameraCheckDeps,
): Promise<{ findings: CheckFinding[]; pixels: Pixels | null }> {
  const findings: CheckFinding[] = [];
  const say = (level: CheckFinding['level'], message: string): void => void findings.push({ level, about, message });
  const isFolder = settings.type === 'file_importer' || settings.type === 'watch_folder';
  if (isFolder) {
    say('ok', `Camera.camera_type is "${settings.type}": images come from ${settings.folder}`);
    return { findings, pixels: null };
  }
  const { signal } = new AbortController();
  const note = ({ level, message }: { level: string; message: string }): void => {
    if (level === 'warning') say('warning', message);
  };
  try {
    const claim = await claimCamera(settings, { ...deps, signal, note: () => undefined });
    const source = await openSource(settings, { ...deps, signal, note });
    try {
      const begun = deps.clock.monotonic();
      const frame = await source.next(signal);
      const tookMs = deps.clock.monotonic() - begun;
      if (frame?.kind !== 'captured') throw new Error('it gave no frame');
      const { width, height, depth } = frame.pixels;
      say('ok', `it gave a frame of ${width} × ${height} pixels, ${depth} bit, in ${duration(tookMs)}`);
      const { collector_interval_seconds: interval } = config.Timing;
      if (tookMs > interval * 1000) {
        say(
          'warning',
          `a frame took ${duration(tookMs)}, and one is due every ${duration(interval * 1000)}: set Timing.collector_interval_seconds higher, or the exposure lower`,
        );
      }
      return { findings, pixels: frame.pixels };
    } finally {
      await source.close();
      claim?.release();
    }
  } catch (thrown) {
    say('error', asError(thrown).message);
    return { findings, pixels: null };
  }
}

/** Whether the ROIs lie in a frame as it is saved. */
async function checkRois({ paths, config }: LoadedConfig, pixels: Pixels): Promise<CheckFinding[]> {
  const about = paths.roiManifest;
  const text = await readFile(about, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== 'string') {
    const isMade = config.Camera.camera_type === 'simulated';
    if (text.code === 'ENOENT' && isMade)
      return [{ level: 'ok', about, message: 'the simulated camera will write it' }];
    const message =
      text.code === 'ENOENT'
        ? 'there is no ROI manifest: images are collected, and wait until there is one. Make it with "phorest locate"'
        : `it can't be read: ${text.message}`;
    return [{ level: text.code === 'ENOENT' ? 'warning' : 'error', about, message }];
  }
  try {
    const manifest = parseRoiManifest(text, about);
    requireSize(pixels, manifest);
    for (const roi of manifest.rois) roiWalk(pixels, roi, manifest.imageAngle);
    const message = `its ${manifest.rois.length} ROIs lie in the frame of ${pixels.width} × ${pixels.height} pixels`;
    return [{ level: 'ok', about, message }];
  } catch (error) {
    return [{ level: 'error', about, message: asError(error).message }];
  }
}

/** Groups of ROIs whose patterns fit none. */
export async function checkGroups({ paths, config }: LoadedConfig): Promise<CheckFinding[]> {
  const { groups } = config.Experiment;
  const text = await readFile(paths.roiManifest, 'utf8').catch(() => null);
  // What is wrong with the ROI manifest is said where the camera is looked at.
  if (text === null || Object.keys(groups).length === 0) return [];
  try {
    const labels = parseRoiManifest(text, paths.roiManifest).rois.map(({ label }) => label);
    return groupFindings(groups, labels, paths.roiManifest);
  } catch {
    return [];
  }
}

/** Pure; see {@link checkGroups}. */
export function groupFindings(
  groups: Readonly<Record<string, readonly string[]>>,
  labels: readonly string[],
  file: string,
): CheckFinding[] {
  return Object.entries(groups).flatMap(([name, patterns]): CheckFinding[] => {
    const about = `Experiment.groups.${name}`;
    const count = labels.filter(labelPatterns(patterns)).length;
    const some = labels.slice(0, 4).join(', ');
    if (count === 0)
      return [
        { level: 'warning', about, message: `no ROI of ${file} fits ${patterns.join(' ')}; labels are ${some}, …` },
      ];
    const idle = idlePatterns(patterns, labels).map(
      (pattern): CheckFinding => ({ level: 'warning', about, message: `no ROI of ${file} fits ${pattern}` }),
    );
    return [...idle, { level: 'ok', about, message: `it has ${counted(count, 'ROI')}` }];
  });
}
