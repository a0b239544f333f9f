import { join } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { readValidJson } from '../files/readJson.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import { localIso } from '../model/localTime.ts';
import {
  anewFile,
  anewSchema,
  type ReferenceRecord,
  readReferences,
  referencesFolder,
} from '../operators/processor/referenceFiles.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { loadExperiment } from './loadSteered.ts';

export interface ReferenceOptions {
  new?: boolean;
  json?: boolean;
}

/** Shows the references of an experiment, the newest last, or asks the processor for a new one. */
export async function showReference(context: CommandContext, options: ReferenceOptions): Promise<number> {
  const { output } = context;
  const { paths } = await loadExperiment(context);
  const folder = join(paths.results, referencesFolder);
  if (options.new) {
    const before = await readValidJson(nodeFiles, join(folder, anewFile), anewSchema);
    const wish = { generation: (before?.generation ?? 0) + 1, since: localIso(Date.now()) };
    await makeFolder(nodeFiles, folder);
    await writeAtomic(nodeFiles, join(folder, anewFile), `${JSON.stringify(wish)}\n`);
    output.line(
      `a new reference is made from the next good frames that are collected from now on (${wish.since}); ` +
        'until then shifts are empty, and lines before keep theirs',
    );
    return exitCodes.done;
  }
  const records = await readReferences(nodeFiles, folder);
  if (options.json) output.line(JSON.stringify(records));
  else if (records.length === 0) {
    output.line(
      `there is no reference in ${folder} yet: it is made from the first good frames of the run ("reference_frames" in [Data_Analysis] says how many)`,
    );
  } else for (const record of records) output.line(describe(record));
  return exitCodes.done;
}

const describe = ({
  hash,
  made,
  method,
  frames,
  rois,
  dark_level: dark,
  dark_source: source,
}: ReferenceRecord): string =>
  `${hash}  made ${made.slice(0, 19).replace('T', ' ')} from ${frames.length} frames  ${rois} ROIs  ${method}  ` +
  `dark level ${dark.toFixed(1)} counts (${source.replace('_', ' ')})`;
