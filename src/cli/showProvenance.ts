import { nodeFiles } from '../files/files.ts';
import { localIso, parseIso, zoneName } from '../model/localTime.ts';
import { bytes } from '../model/quantity.ts';
import type { RoiResult } from '../model/result.ts';
import { findFrame, NoSuchFrameError } from '../provenance/findFrame.ts';
import { originOf, type ResultOrigin, sha256Of } from '../provenance/resultOrigin.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadExperiment } from './loadSteered.ts';
import { shareReader } from './shareReader.ts';

export interface ProvenanceOptions {
  json?: true;
}

/** Says of a number what it was made from, and where that is now. */
export async function showProvenance(
  context: CommandContext,
  { frame: wanted, roi: label }: { frame: string; roi: string | undefined },
  options: ProvenanceOptions,
): Promise<number> {
  const { output } = context;
  const { config, paths } = await loadExperiment(context);
  const share = shareReader(config);
  const warn = (message: string): void => output.error(message);
  const entry = await findFrame(wanted, { manifestFile: paths.manifestFile, files: nodeFiles, warn }).catch(
    (error: unknown) => {
      if (!(error instanceof NoSuchFrameError)) throw error;
      throw new ExitError(exitCodes.failed, error.message, { cause: error });
    },
  );
  const origin = await originOf(entry, { paths, config, files: nodeFiles, shareFiles: share });
  const roi = label === undefined ? null : roiOf(origin, label);
  const { path, where } = origin.image;
  const sum = path === null ? null : await sha256Of(path, where === 'share' ? share : nodeFiles);
  if (options.json) output.line(JSON.stringify(asJson(origin, roi, sum)));
  else for (const [name, words] of facts(origin, roi, sum)) output.line(`${name.padEnd(14)}${words}`);
  return exitCodes.done;
}

function roiOf({ line }: ResultOrigin, label: string): RoiResult {
  const [, ...rois] = line?.image_analysis ?? [null];
  const found = rois.find(each => each['ROI-label'] === label);
  if (found) return found;
  const labels = rois.map(each => each['ROI-label']);
  throw new ExitError(
    exitCodes.failed,
    labels.length === 0
      ? `the image has no result of any ROI${line?.processing_error_message ? `: ${line.processing_error_message}` : ''}`
      : `no ROI of the result is called "${label}"; there are ${labels.slice(0, 8).join(', ')} and others`,
  );
}

type Sum = { sha256: string; size: number } | null;

function facts(origin: ResultOrigin, roi: RoiResult | null, sum: Sum): [name: string, words: string][] {
  const { entry, line, lineFile, image, config, rois, reference, codeVersion, missing } = origin;
  const { camera_data: camera, result: location } = entry;
  const none = 'not known';
  const found: [string, string][] = [];
  if (roi) {
    const { shift, shift_uncertainty: shiftError, position, uncertainty, flags } = roi;
    found.push([
      'number',
      `ROI ${roi['ROI-label']}: shift ${shift ?? '?'} ± ${shiftError ?? '?'} px, position ${position ?? '?'} ± ${uncertainty ?? '?'} px, ` +
        `${flags.length > 0 ? flags.join(', ') : 'no flag'}, ${roi['Analysis-method']}`,
    ]);
  }
  if (location)
    found.push(['result line', `${lineFile}, bytes ${location.offset} to ${location.offset + location.length}`]);
  if (line) {
    found.push(['made', `${line.processing_timestamp_iso.replace('T', ' ')}, attempt ${line.attempt}`]);
    found.push(['code', codeVersion ?? `${none}: a line of an earlier version does not say it`]);
  }
  found.push([
    'entry',
    `${entry.entry_id}, ${entry.processing_status}, collected ${entry.entry_timestamp_iso.replace('T', ' ')}${entry.run_id ? `, run ${entry.run_id}` : ''}`,
  ]);
  if (camera)
    found.push([
      'image',
      `${camera.filename}, taken ${camera.timestamp_iso.replace('T', ' ')} (${zoneWords(camera.timestamp_iso, entry.timestamp_utc)})`,
    ]);
  found.push(['image now', imageWords(image.where, image.path, sum)]);
  if (sum) found.push(['SHA-256', sum.sha256]);
  if (image.copy) {
    const same =
      image.where === 'share' && sum ? (sum.sha256 === image.copy.sha256 ? ', unchanged' : ', CHANGED SINCE') : '';
    found.push(['copy', `${image.copy.place}, ${bytes(image.copy.size)}, SHA-256 ${image.copy.sha256}${same}`]);
  }
  found.push(['ROI manifest', `${rois.hash ?? none}${rois.file ? `, ${rois.file}` : ''}`]);
  const place = roi && rois.manifest?.rois.find(({ label }) => label === roi['ROI-label']);
  if (place)
    found.push([
      'ROI',
      `${place.label}: row ${place.coords[0]} column ${place.coords[1]}, ${place.size[0]} × ${place.size[1]} pixels${place.flip ? ', mirrored' : ''}, frame turned by ${-rois.manifest!.imageAngle}°`,
    ]);
  found.push([
    'configuration',
    `${config.hash ?? none}${config.file ? `, ${config.file}` : config.config ? ', as it is now' : ''}`,
  ]);
  found.push([
    'reference',
    reference.hash === null
      ? 'none: the shift was not known yet'
      : `${reference.isPattern ? 'none: the shift was not known yet; error bars with the pattern ' : ''}${reference.hash}${reference.file ? `, ${reference.file}` : ''}`,
  ]);
  if (reference.record) found.push(['', `made as ${reference.record} says`]);
  for (const words of missing) found.push(['missing', words]);
  return found;
}

/** Which zone a local time is of, by what it is in UTC. */
function zoneWords(local: string, utc: string | null): string {
  if (utc === null) return 'zone not known';
  const minutes = Math.round((parseIso(`${local}Z`) - parseIso(utc)) / 60_000);
  if (!Number.isFinite(minutes)) return localIso(parseIso(utc));
  return zoneName(minutes);
}

function imageWords(where: ResultOrigin['image']['where'], path: string | null, sum: Sum): string {
  const size = sum ? `, ${bytes(sum.size)}` : '';
  switch (where) {
    case 'local':
      return `${path}${size}`;
    case 'compressed':
      return `${path}${size}, compressed without loss`;
    case 'share':
      return `on the share: ${path}${size}`;
    case 'nowhere':
      return 'not in reach';
  }
}

function asJson(origin: ResultOrigin, roi: RoiResult | null, sum: Sum): object {
  const { entry, line, lineFile, image, config, rois, reference, codeVersion, missing } = origin;
  const { result: location } = entry;
  return {
    roi:
      roi &&
      Object.fromEntries(Object.entries(roi).filter(([, value]) => typeof value !== 'object' || Array.isArray(value))),
    result:
      location && line
        ? { file: lineFile, ...location, made: line.processing_timestamp_iso, attempt: line.attempt }
        : null,
    code_version: codeVersion,
    entry,
    image: { path: image.path, where: image.where, ...(sum ?? {}), copy: image.copy },
    roi_manifest: {
      hash: rois.hash,
      file: rois.file,
      roi: (roi && rois.manifest?.rois.find(({ label }) => label === roi['ROI-label'])) ?? null,
    },
    configuration: { hash: config.hash, file: config.file },
    reference,
    missing,
  };
}
