import { existsSync } from 'node:fs';
import { brightestRoi } from '../analysis/brightestRoi.ts';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { fullScaleOf, type Histogram, quantileOf, saturationOf, shareFrom } from '../image/histogram.ts';
import { reduceFrame } from '../image/reducedFrame.ts';
import { type ExposureFound, type ExposureStep, type ExposureView, searchExposure } from '../image/searchExposure.ts';
import type { Pixels } from '../model/frame.ts';
import { counted, number } from '../model/quantity.ts';
import type { RoiManifest } from '../model/roi.ts';
import { readFileText } from '../streams/watched/fileText.ts';
import type { CaptureOptions } from './captureOne.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { exposureRange } from './exposureRange.ts';
import { percent } from './frameWords.ts';
import { offerChange } from './offerChange.ts';
import { type OwnCamera, ownCamera, untilSignal } from './ownCamera.ts';

const maxFrames = 12;
/** Without a ROI manifest: share of a frame's pixels that are below its brightest gratings. */
const gratingShare = 0.999;

/** Searches the exposure at which the brightest grating stays just below saturation; says what it found, and writes it when asked to. */
export async function captureExposure(context: CommandContext, options: CaptureOptions): Promise<number> {
  const { output } = context;
  const camera = await ownCamera(context, 'capture --expose');
  const { target = 85 } = options;
  refuseDeaf(camera.config.Camera);
  const start = camera.config.Camera.camera_exposure;
  if (!(start > 0))
    throw new ExitError(exitCodes.usage, `Camera.camera_exposure is ${start}: the search begins above 0`);
  const rois = await roisOf(camera.paths.roiManifest, context);
  output.line(
    rois === null
      ? `no ROIs from ${camera.paths.roiManifest}: the brightest thousandth of the frame stands for the gratings`
      : `${counted(rois.rois.length, 'ROI')} of ${camera.paths.roiManifest}`,
  );
  return untilSignal(async signal => {
    let brightest = '';
    let outside = '';
    const found = await searchExposure(
      async exposure => {
        const seen = await look(camera, exposure, rois, signal);
        if (seen.outside.length > 0 && outside === '') {
          outside = seen.outside.slice(0, 5).join(', ');
          output.error(
            `${counted(seen.outside.length, 'ROI')} (${outside}${seen.outside.length > 5 ? ', …' : ''}) ${seen.outside.length === 1 ? 'lies' : 'lie'} outside the frame: does the ROI manifest belong to this camera?`,
          );
        }
        brightest = seen.label === null ? 'the brightest thousandth' : `the brightest grating (${seen.label})`;
        return seen;
      },
      {
        ...exposureRange(camera.config, options.maxExposure),
        target: target / 100,
        maxFrames,
        onStep: step => output.line(stepLine(step, brightest)),
      },
    );
    output.line(verdictLine(found, target));
    if (found.verdict === 'no reaction') return exitCodes.failed;
    return (await offer(found, start, camera, options, context, signal)) ? exitCodes.done : exitCodes.failed;
  });
}

/** Words of a camera that say nothing of the exposure: it stays as it is, whatever is written. @throws ExitError */
function refuseDeaf({ camera_type: type, camera_command, camera_pipeline }: OwnCamera['config']['Camera']): void {
  const words = { command: camera_command, gstreamer: camera_pipeline }[type as string];
  if (!words || words.length === 0 || words.some(word => word.includes('{exposure}'))) return;
  const key = type === 'command' ? 'camera_command' : 'camera_pipeline';
  const message = `Camera.${key} does not say where the exposure goes: write {exposure} in it, in its place`;
  throw new ExitError(exitCodes.usage, message);
}

type Seen = ExposureView & { label: string | null; outside: readonly string[] };

async function look(camera: OwnCamera, exposure: number, rois: RoiManifest | null, signal: AbortSignal): Promise<Seen> {
  const source = await camera.open(signal, { settings: { camera_exposure: exposure } });
  try {
    const frame = await source.next(signal);
    if (!frame) throw new Error('the camera gave no frame');
    const pixels = await camera.pixels(frame);
    const { histogram } = await reduceFrame(pixels, signal);
    return viewOf(pixels, histogram, rois);
  } finally {
    await source.close();
  }
}

/** How bright the gratings are: those of the ROI manifest, else the frame's brightest pixels. */
function viewOf(pixels: Pixels, histogram: Histogram, rois: RoiManifest | null): Seen {
  const fullScale = fullScaleOf(histogram);
  const clip = pixels.depth === 8 ? Math.min(255, saturationOf(histogram)) : saturationOf(histogram);
  const count = pixels.width * pixels.height;
  const brightest = rois && brightestRoi(pixels, rois, clip);
  if (rois && !brightest)
    throw new Error(
      `no ROI of the manifest lies in a frame of ${pixels.width} × ${pixels.height}: the manifest belongs to other images`,
    );
  const { label, level, saturated, outside } = brightest ?? {
    label: null,
    outside: [],
    level: quantileOf(histogram, count, gratingShare),
    saturated: shareFrom(histogram, clip, count),
  };
  return { label, level, saturated, outside, fullScale, clip };
}

async function roisOf(file: string, { output }: CommandContext): Promise<RoiManifest | null> {
  if (!existsSync(file)) return null;
  const read = await readFileText(file);
  try {
    if (read.kind !== 'text') throw new Error(`${file} ${read.kind === 'missing' ? 'is gone' : read.reason}`);
    const manifest = parseRoiManifest(read.text, file);
    return manifest.rois.length === 0 ? null : manifest;
  } catch (error) {
    output.error(`${(error as Error).message}; the ROI manifest is left aside`);
    return null;
  }
}

function stepLine({ exposure, level, clip, fullScale, saturated }: ExposureStep, brightest: string): string {
  const scale = Math.min(clip, fullScale);
  return `exposure ${number(exposure)}: ${brightest} at ${number(Math.round(level))} of ${number(scale)} (${percent(level / scale)}), saturated ${percent(saturated)}`;
}

function verdictLine({ verdict, best, fullScale, isScaleSure, frames }: ExposureFound, target: number): string {
  const reached = `${percent(best.level / fullScale)} of ${number(fullScale)}${isScaleSure ? '' : ', if that is the full scale: no frame was saturated'}`;
  const after = `after ${counted(frames, 'frame')}`;
  switch (verdict) {
    case 'found':
      return `found ${after}: camera_exposure ${best.exposure} (${reached})`;
    case 'near':
      return `the nearest ${after}: camera_exposure ${best.exposure} (${reached}; ${target} % was wanted)`;
    case 'too dark':
      return `too little light: at the longest exposure, ${best.exposure}, the gratings reach ${reached}. More light, more gain, or a longer --max-exposure`;
    case 'too bright':
      return `too much light: the shortest exposure tried, ${best.exposure}, gives ${reached}. Less light or less gain`;
    case 'no reaction':
      return `another exposure gives the same picture: the camera does not follow camera_exposure. Is its automatic exposure on, or the lamp the limit?`;
  }
}

/** Whether there is something to write that was written, or that somebody has decided on. */
async function offer(
  { verdict, best }: ExposureFound,
  now: number,
  camera: OwnCamera,
  options: CaptureOptions,
  context: CommandContext,
  signal: AbortSignal,
): Promise<boolean> {
  if (verdict === 'too bright') return false;
  if (best.exposure === now) {
    context.output.line('the configuration has it already');
    return verdict !== 'too dark';
  }
  await offerChange({ path: ['Camera', 'camera_exposure'], value: best.exposure }, camera, options, context, signal);
  return verdict !== 'too dark';
}
