import { defaultConfig } from '../config/defaultConfig.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { nodeFiles } from '../files/files.ts';
import type { Pixels } from '../model/frame.ts';
import { lastResultOf } from '../model/lastResult.ts';
import type { ResultLine } from '../model/result.ts';
import type { LookedInto } from '../model/roiInspection.ts';
import { findFrame } from '../provenance/findFrame.ts';
import { type OpenFrame, openRecordedFrame } from '../provenance/openFrame.ts';
import { originOf } from '../provenance/resultOrigin.ts';
import { lastResultReader } from '../sinks/results/readLastResult.ts';
import type { LookedFrame } from '../streams/console/roiLook.ts';

/**
 * Opens the newest frame that was analysed, each time that there is a newer one, with all that its line names. Why it can't be opened is said in the
 * place of its ROIs.
 */
export function lastLook(
  paths: ResolvedPaths,
  loadDecoder: () => Promise<(path: string) => Promise<Pixels>>,
): () => Promise<LookedFrame | null> {
  const read = lastResultReader(nodeFiles, paths.results);
  return async () => {
    const line = await read();
    const last = line && lastResultOf(line);
    if (!line || !last) return null;
    const frame = await open(line, paths, loadDecoder).catch((error: Error) => error.message);
    return { look: label => ({ label, image: last.image, at: last.at, seen: seenIn(frame, label) }) };
  };
}

async function open(
  line: ResultLine,
  paths: ResolvedPaths,
  loadDecoder: () => Promise<(path: string) => Promise<Pixels>>,
): Promise<OpenFrame> {
  const files = nodeFiles;
  const entry = await findFrame(line.entry_id, { manifestFile: paths.manifestFile, files, warn: () => undefined });
  // The share is not asked: what the console shows is of this machine.
  const shareFiles = { stat: async () => null };
  const config = defaultConfig();
  const origin = await originOf(entry, { paths, config, files, shareFiles });
  if (origin.config.config === null) throw new Error(origin.missing.join('; '));
  return openRecordedFrame(origin, { config, rois: null }, { files, decode: await loadDecoder() });
}

function seenIn(frame: OpenFrame | string, label: string): LookedInto | string {
  if (typeof frame === 'string') return frame;
  try {
    return frame.look(label);
  } catch (error) {
    return (error as Error).message;
  }
}
