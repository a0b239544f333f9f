/**
 * The simulated camera (`camera_type = "simulated"`, the default): frames of a moving resonance with known truth, through
 * the same path as a real camera's.
 *
 * Contract: opening computes the scene (a fraction of a second) and writes the ROI manifest that belongs to it, unless one
 * is there: a manifest of another origin is left alone and noted. `next` draws the frame for the clock's time, in steps
 * between which the event loop runs, and appends the truth of it as a line, with its faults if some were asked for; it never
 * ends. A truth line that can't be written is noted and does not cost the frame. A rejection of `next` is the signal's reason, or a
 * frame that was asked to be absent. `close` closes the truth file.
 */

import { dirname } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { trimTornTail } from '../../../files/appendDurably.ts';
import { throughOwnLink } from '../../../files/confinedFiles.ts';
import { makeFolder, trimPlace } from '../../../files/durableNames.ts';
import type { Files, OpenFile } from '../../../files/files.ts';
import { readBytes } from '../../../files/readBytes.ts';
import { writeAtomic, writeFully } from '../../../files/writeAtomic.ts';
import type { Clock } from '../../../model/clock.ts';
import type { CapturedFrame, Instant } from '../../../model/frame.ts';
import type { FrameSource } from '../../../model/frameSource.ts';
import { localIso, utcIso } from '../../../model/localTime.ts';
import { counted } from '../../../model/quantity.ts';
import { roundDecimals } from '../../../model/roundDecimals.ts';
import type { ChipLayout } from './chipLayout.ts';
import { type FaultPlan, type FrameFault, faultsOf } from './frameFaults.ts';
import { renderSteps, type SimulatedFrame } from './renderFrame.ts';
import { createScene, type Scene } from './scene.ts';
import type { SimulatorOptions } from './simulatorOptions.ts';

export interface SimulatedCameraOptions {
  /** From `simulatorOptions(preset, given)`. */
  simulator: SimulatorOptions;
  /** What shall go wrong; absent: nothing. */
  faults?: FaultPlan;
  cameraIndex: number | string;
  /** The pipeline's ROI manifest, written when there is none; null: don't. */
  roiManifestFile: string | null;
  /** `simulator_truth.jsonl`: a line a frame is appended; null: don't. */
  truthFile: string | null;
}

export interface SimulatedCameraDeps {
  clock: Clock;
  files: Files;
  note(note: { level: 'info' | 'warning'; message: string }): void;
}

/** One line of the truth file. */
export interface TruthLine {
  /** As the frame's `timestamp_iso`. */
  timestamp: string;
  utc: string;
  /** Mean position over a ROI's rows by its label: pixels from its left edge after the flip, from 0. */
  positions: Record<string, number>;
  /** Pixels to the right and down that the chip has moved in this frame, its lines and its pattern with it; absent: it has not. */
  moved?: readonly [number, number];
  /** What is wrong with the frame; absent: nothing. Of an absent frame there is no image. */
  faults?: readonly FrameFault[];
}

/**
 * Frames of cameras that may have faults, as they were asked for since the program began, by its clock: a camera that is opened anew goes on
 * counting.
 */
const askedFor = new WeakMap<Clock, number>();

/** @throws RangeError for options that make no picture; Node's error when a file can't be read or written */
export async function openSimulatedCamera(
  options: SimulatedCameraOptions,
  deps: SimulatedCameraDeps,
): Promise<FrameSource> {
  const scene = createScene(options.simulator);
  if (options.roiManifestFile !== null) await provideRoiManifest(scene, options.roiManifestFile, deps);
  return new SimulatedCamera(scene, options, deps);
}

class SimulatedCamera implements FrameSource {
  readonly pace = 'triggered';
  readonly total = null;
  readonly #scene: Scene;
  readonly #plan: FaultPlan | null;
  readonly #cameraIndex: number | string;
  readonly #clock: Clock;
  readonly #truth: TruthFile | null;

  constructor(scene: Scene, { cameraIndex, truthFile, faults }: SimulatedCameraOptions, deps: SimulatedCameraDeps) {
    this.#scene = scene;
    this.#plan = faults ?? null;
    this.#cameraIndex = cameraIndex;
    this.#clock = deps.clock;
    this.#truth = truthFile === null ? null : new TruthFile(truthFile, deps);
  }

  async next(signal: AbortSignal): Promise<CapturedFrame> {
    signal.throwIfAborted();
    const now = this.#clock.now();
    const number = this.#plan === null ? 0 : (askedFor.get(this.#clock) ?? 0) + 1;
    if (this.#plan !== null) askedFor.set(this.#clock, number);
    const faults = this.#plan === null ? [] : faultsOf(number, this.#plan, this.#scene.options);
    const frame = await this.#draw(now, faults, signal);
    const late = faults.find(({ kind }) => kind === 'late') as Extract<FrameFault, { kind: 'late' }> | undefined;
    if (late) await setTimeout(late.seconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted());
    const taken: Instant = { local: localIso(now), utc: utcIso(now), source: 'camera' };
    await this.#truth?.append(this.#truthLine(taken, frame, faults));
    if (faults.some(({ kind }) => kind === 'absent'))
      throw new Error(`the simulated camera gives no frame ${number}, as Simulator.absent_frames asks`);
    return { kind: 'captured', pixels: frame.pixels, taken, cameraIndex: this.#cameraIndex };
  }

  async close(): Promise<void> {
    await this.#truth?.close();
  }

  async #draw(now: number, faults: readonly FrameFault[], signal: AbortSignal): Promise<SimulatedFrame> {
    const steps = renderSteps(this.#scene, now, faults);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      await setImmediate();
      signal.throwIfAborted();
    }
  }

  #truthLine({ local, utc }: Instant, { positions, moved }: SimulatedFrame, faults: readonly FrameFault[]): TruthLine {
    const entries = this.#scene.layout.rois.map(({ label }, i) => [label, roundDecimals(positions[i], 4)]);
    return {
      timestamp: local,
      utc: utc as string,
      positions: Object.fromEntries(entries),
      ...(moved.some(pixels => pixels !== 0) && {
        moved: [roundDecimals(moved[0], 4), roundDecimals(moved[1], 4)] as const,
      }),
      ...(faults.length > 0 && { faults }),
    };
  }
}

/** Append-only; a failure is said when it begins and when it is over. */
class TruthFile {
  readonly #path: string;
  readonly #deps: SimulatedCameraDeps;
  #file: OpenFile | null = null;
  #isFailing = false;

  constructor(path: string, deps: SimulatedCameraDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  async append(line: TruthLine): Promise<void> {
    const { note } = this.#deps;
    try {
      this.#file ??= await this.#open();
      const file = this.#file;
      await writeFully(data => file.write(data, null), Buffer.from(`${JSON.stringify(line)}\n`), this.#path);
      if (this.#isFailing) note({ level: 'info', message: `${this.#path}: the truth is written again` });
      this.#isFailing = false;
    } catch (error) {
      const message = `${this.#path}: the simulator's truth can't be written (${(error as Error).message}); frames go on without`;
      if (!this.#isFailing) note({ level: 'warning', message });
      this.#isFailing = true;
      // Opened anew for the next line, which then begins behind what was torn. What closing adds has been said just now.
      await this.close().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  /** A line that a power cut or a full disk tore is ended first, so that it does not take its neighbour with it. */
  async #open(): Promise<OpenFile> {
    const { files } = this.#deps;
    await makeFolder(files, dirname(this.#path));
    await trimPlace(files, this.#path);
    if ((await files.stat(this.#path)) !== null) await trimTornTail(files, this.#path, () => true);
    return files.open(this.#path, 'a');
  }
}

async function provideRoiManifest(scene: Scene, path: string, { files, note }: SimulatedCameraDeps): Promise<void> {
  const text = simulatorRoiManifest(scene.layout);
  if ((await files.stat(path)) === null) {
    await makeFolder(files, dirname(path));
    await writeAtomic(files, path, text);
    note({
      level: 'info',
      message: `${path}: written for the simulated chip (${counted(scene.layout.rois.length, 'ROI')})`,
    });
    return;
  }
  if (!isOfThisChip(String(await readBytes(files, await throughOwnLink(files, path))), text))
    note({
      level: 'warning',
      message:
        `${path}: is not the simulated chip's, so positions will not be those of its resonances; it is left as it is. ` +
        'Move it away to have the right one written',
    });
}

/** The same, or what `phorest locate` has found on this chip. */
function isOfThisChip(text: string, ours: string): boolean {
  try {
    const manifest = JSON.parse(text) as { calibration?: { chip_type?: unknown } };
    if (String(manifest.calibration?.chip_type).startsWith('Simulated_')) return true;
    return isDeepStrictEqual(manifest, JSON.parse(ours));
  } catch {
    // Not even JSON: certainly not ours.
    return false;
  }
}

/** The `ROI_manifest.json` (FORMATS.md) that belongs to the frames of a layout, as text. */
export function simulatorRoiManifest(layout: ChipLayout): string {
  const manifest: Record<string, unknown> = {};
  for (const { label, flip, coords, size } of layout.rois) manifest[`ROI_${label}`] = { label, flip, coords, size };
  manifest.image_angle = layout.imageAngle;
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
