import { join } from 'node:path';
import { z } from 'zod';
import { contentHash } from '../files/contentHash.ts';
import { readBytes } from '../files/readBytes.ts';
import { readValidJson } from '../files/readJson.ts';
import { counted } from '../model/quantity.ts';
import type { Inspection } from './inspection.ts';

const recordSchema = z.looseObject({ hash: z.string() });
const nameForm = /^reference_(\w+)\.(bin|json)$/;

/** Holds the references of the shifts against their names, and against what result lines and records name. */
export async function checkReferences(inspection: Inspection): Promise<void> {
  const { files, paths } = inspection.options;
  const folder = join(paths.results, 'references');
  const names = await files.list(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const there = new Set<string>();
  const recorded = new Map<string, string>();
  for (const name of names) {
    const [, hash, kind] = nameForm.exec(name) ?? [];
    const path = join(folder, name);
    if (kind === 'bin') {
      there.add(hash);
      const found = contentHash(await readBytes(files, path));
      if (found !== hash)
        inspection.report('damaged_reference', path, `its bytes have the hash ${found}, and it is named for ${hash}`);
    } else if (kind === 'json') {
      const record = await readValidJson(files, path, recordSchema);
      if (record === null) inspection.report('damaged_reference', path, 'it is no record of a reference');
      else recorded.set(record.hash, path);
    }
  }
  for (const [hash, path] of recorded) {
    if (!there.has(hash))
      inspection.report('missing_reference', path, `reference_${hash}.bin, which it names, is not there`);
  }
  for (const [hash, lines] of inspection.references) {
    const path = join(folder, `reference_${hash}.bin`);
    const named = `${counted(lines, 'result line names', 'result lines name')} it`;
    // Without a record it is as good: another process, or a run with it damaged, has made another one for the same.
    if (!there.has(hash) && !recorded.has(hash))
      inspection.report('missing_reference', path, `it is not there, and ${named}`);
  }
  // One that is just being made has no record yet.
  if (inspection.isRunning) return;
  for (const hash of there) {
    if (!recorded.has(hash) && !inspection.references.has(hash))
      inspection.note(
        `${join(folder, `reference_${hash}.bin`)}: no result line and no record names it. A process that was ended while it made it has left it, or somebody has put it there; it does no harm`,
      );
  }
}
