import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { parseRoiManifest } from '../analysis/parseRoiManifest.ts';
import { RoiOutsideFrameError } from '../analysis/roiOutsideFrameError.ts';
import type { Config } from '../config/schema.ts';
import { chooseDrawing } from '../console/drawing.ts';
import { differenceLines, inspectionParts, roiFigures, roiPicture } from '../console/rois/roiParts.ts';
import { cleanText } from '../console/views/cleanText.ts';
import { type Line, lineText, line as textLine } from '../console/views/line.ts';
import { sgr } from '../console/widgets/sgr.ts';
import { nodeFiles } from '../files/files.ts';
import { readBytes } from '../files/readBytes.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { decodeFrame } from '../image/decodeFrame.ts';
import { encodePng } from '../image/encodeImage.ts';
import type { AnalysisMethod, Estimator } from '../model/method.ts';
import type { RoiManifest } from '../model/roi.ts';
import type { LookedInto, RoiInspection } from '../model/roiInspection.ts';
import { findFrame, NoSuchFrameError } from '../provenance/findFrame.ts';
import { NoFrameError, type OpenFrame, openPlainFrame, openRecordedFrame } from '../provenance/openFrame.ts';
import { originOf, type ResultOrigin } from '../provenance/resultOrigin.ts';
import { drawInspection } from '../sinks/inspection/drawInspection.ts';
import { imagePanel } from '../sinks/inspection/inspectionPicture.ts';
import { askGraphics } from './askGraphics.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

import { loadExperiment, loadSteered, type SteeredExperiment } from './loadSteered.ts';
import { shareReader } from './shareReader.ts';

export interface InspectOptions {
  out?: string;
  rois?: string;
  method?: AnalysisMethod;
  estimator?: Estimator;
}

/** Shows one ROI of a frame on the terminal, or writes it as a picture. */
export async function inspectRoi(
  context: CommandContext,
  { frame: wanted, roi }: { frame: string; roi: string },
  options: InspectOptions,
): Promise<number> {
  const { output, cwd } = context;
  const out = options.out === undefined ? null : resolve(cwd, options.out);
  if (out !== null) refuseFile(out);
  // A file with its ROI manifest needs no experiment.
  const loaded = await (options.rois === undefined ? loadExperiment : loadSteered)(context);
  const { frame, origin } = await openWanted(context, wanted, options, loaded);
  const looked = lookAt(frame, roi);
  const head = headWords(frame, origin, looked);
  if (out !== null) {
    await writeAtomic(
      nodeFiles,
      out,
      await picture(looked.inspection, `${roi} in ${frame.path.split('/').at(-1)}`, head),
    );
    output.line(out);
    for (const words of head) output.line(words);
  } else await show(context, looked, roi, head);
  return exitCodes.done;
}

function refuseFile(path: string): void {
  if (extname(path).toLowerCase() !== '.png')
    throw new ExitError(exitCodes.usage, `--out ${path}: the name of the picture ends with .png`);
  if (existsSync(path))
    throw new ExitError(exitCodes.usage, `--out ${path}: there is such a file; choose another name`);
}

/** The image that is meant: one of the experiment, else a file. */
async function openWanted(
  { cwd }: CommandContext,
  wanted: string,
  options: InspectOptions,
  { config, paths }: SteeredExperiment,
): Promise<{ frame: OpenFrame; origin: ResultOrigin | null }> {
  const decode = (path: string) => decodeFrame(path);
  try {
    if (options.rois === undefined && existsSync(paths.manifestFile)) {
      const warn = (): void => undefined;
      const entry = await findFrame(wanted, { manifestFile: paths.manifestFile, files: nodeFiles, warn }).catch(
        (error: unknown) => {
          if (error instanceof NoSuchFrameError && existsSync(resolve(cwd, wanted))) return null;
          throw error;
        },
      );
      if (entry) {
        const origin = await originOf(entry, { paths, config, files: nodeFiles, shareFiles: shareReader(config) });
        const rois = await readRois(paths.roiManifest);
        return { frame: await openRecordedFrame(origin, { config, rois }, { files: nodeFiles, decode }), origin };
      }
    }
    return {
      frame: await openFile(resolve(cwd, wanted), options, { cwd, config, manifest: paths.roiManifest }),
      origin: null,
    };
  } catch (error) {
    if (error instanceof NoSuchFrameError || error instanceof NoFrameError || error instanceof RoiOutsideFrameError)
      throw new ExitError(exitCodes.failed, error.message, { cause: error });
    throw error;
  }
}

async function openFile(
  path: string,
  { rois: given, method, estimator }: InspectOptions,
  { cwd, config, manifest }: { cwd: string; config: Config; manifest: string },
): Promise<OpenFrame> {
  if (!existsSync(path))
    throw new NoFrameError(`${path} is not there, and the experiment has no image that is called so`);
  const file = given === undefined ? manifest : resolve(cwd, given);
  const rois = await readRois(file);
  if (rois === null) throw new NoFrameError(`${file} is not there: "--rois FILE" names the ROI manifest of ${path}`);
  const { Data_Analysis: analysis } = config;
  const settings = {
    ...config,
    Data_Analysis: { ...analysis, method: method ?? analysis.method, estimator: estimator ?? analysis.estimator },
  };
  return openPlainFrame(path, { config: settings, rois }, each => decodeFrame(each));
}

async function readRois(path: string): Promise<RoiManifest | null> {
  if (!existsSync(path)) return null;
  return parseRoiManifest((await readBytes(nodeFiles, path)).toString(), path);
}

function lookAt(frame: OpenFrame, label: string): LookedInto {
  if (frame.labels.includes(label)) {
    try {
      return frame.look(label);
    } catch (error) {
      if (!(error instanceof RoiOutsideFrameError)) throw error;
      throw new ExitError(exitCodes.failed, `${frame.path}: ${error.message}`, { cause: error });
    }
  }
  const near = frame.labels.filter(each => each.toLowerCase().includes(label.toLowerCase())).slice(0, 8);
  const named = near.length > 0 ? near : frame.labels.slice(0, 8);
  throw new ExitError(exitCodes.usage, `no ROI is called "${label}"; there are ${named.join(', ')} and others`);
}

/** What is said of the frame, a line each. */
function headWords(
  frame: OpenFrame,
  origin: ResultOrigin | null,
  { recorded, differences, inspection }: LookedInto,
): string[] {
  const plain = chooseDrawing({ LANG: 'C.UTF-8', TERM: 'dumb' });
  const taken = origin?.entry.camera_data?.timestamp_iso;
  const words = [taken ? `taken ${taken.replace('T', ' ')}, ${frame.path}` : frame.path];
  words.push(...roiFigures(inspection, plain).map(each => lineText(each).trim()));
  if (origin) words.push(...origin.missing);
  if (recorded) words.push(...differenceLines(differences, 10_000, plain).map(each => lineText(each).trim()));
  else words.push('no result line has this ROI of this image: analysed with the settings as they are now');
  return words;
}

async function show(
  context: CommandContext,
  { inspection, recorded, differences }: LookedInto,
  roi: string,
  head: readonly string[],
): Promise<void> {
  const { output, environment } = context;
  const drawing = chooseDrawing(environment);
  const width = Math.min(output.width, 120) - 1;
  const print = (lines: readonly Line[]): void => {
    for (const each of lines) {
      if (output.isTerminal) output.draw(`${sgr(each, drawing)}\n`);
      else output.line(lineText(each));
    }
  };
  print([textLine(cleanText(`ROI ${roi}`, drawing), 'heading'), textLine(cleanText(` ${head[0]}`, drawing), 'dim')]);
  print(roiFigures(inspection, drawing));
  print(recorded ? differenceLines(differences, width, drawing) : [textLine(` ${head.at(-1)}`, 'warning')]);
  const [pixels, ...parts] = inspectionParts(inspection, drawing);
  const graphics = output.isInteractive ? await askGraphics(context) : null;
  print([[], textLine(` ${pixels!.title}`, 'heading')]);
  if (graphics && !graphics.isText) {
    const rows = Math.max(5, Math.min(20, output.size.rows - 10));
    const columns = Math.min(width, 100);
    const drawn = roiPicture(inspection, graphics.picture.pixels({ columns, rows }));
    // Room below the cursor first: a picture does not scroll.
    const taken = Math.ceil(drawn.height / graphics.cellHeight);
    output.draw(`${'\n'.repeat(taken)}\u001b[${taken}A${graphics.picture.draw(drawn)}\r\u001b[${taken}B`);
  } else print(pixels!.lines(width, 16));
  for (const part of parts) {
    print([[], textLine(` ${part.title}`, 'heading')]);
    print(part.lines(width, Math.min(part.most, 12)));
  }
}

async function picture(inspection: RoiInspection, title: string, words: readonly string[]): Promise<Uint8Array> {
  const { roi, pixels, rows } = inspection;
  const left = new Float64Array(pixels.length).fill(Number.NaN);
  for (const { from, to, fit } of rows) {
    if (!fit) continue;
    for (let row = Math.floor(from); row < Math.ceil(to); row++)
      for (let x = 0; x < fit.length; x++) left[row * fit.length + x] = pixels[row * fit.length + x]! - fit[x]!;
  }
  const hasFit = rows.some(({ fit }) => fit !== null);
  const seen = roiPicture(inspection, { width: roi.size[1], height: roi.size[0] });
  const sizes = left.filter(Number.isFinite).map(Math.abs).sort();
  const most = sizes[Math.floor(sizes.length * 0.98)] || 1;
  return drawInspection({
    inspection,
    title,
    words,
    pixels: { uri: await enlarged(seen.grey, roi.size), black: seen.low, white: seen.high },
    residuals: hasFit ? { uri: await enlarged(residualGreys(left, most), roi.size), black: -most, white: most } : null,
  });
}

/** Grey in the middle is none; rows without a fit are black. */
const residualGreys = (left: Float64Array, most: number): Uint8Array =>
  Uint8Array.from(left, value =>
    Number.isFinite(value) ? Math.max(1, Math.min(255, Math.round(128 + (127 * value) / most))) : 0,
  );

/** To the shape of its panel, of whose units each has two pixels or more: neighbours are not blurred into each other. */
async function enlarged(grey: Uint8Array, [rows, columns]: readonly [number, number]): Promise<string> {
  const factor = Math.ceil(Math.max(2, columns / imagePanel.width, rows / imagePanel.height));
  const [width, height] = [Math.round(imagePanel.width * factor), Math.round(imagePanel.height * factor)];
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data[y * width + x] = grey[
        Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width)
      ] as number;
  const png = await encodePng({ width, height, depth: 8, data });
  return `data:image/png;base64,${png.toString('base64')}`;
}
