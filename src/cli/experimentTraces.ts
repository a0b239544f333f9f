import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Files that a run leaves, of this program or of the Python system, in whatever folders its configuration has named. */
const leftByRuns = [
  'metadata_manifest.json',
  'run.json',
  'configuration.json',
  'processing_results.jsonl',
  'communicating_results.csv',
  'processed_data_plot.png',
];

/**
 * What an experiment has left in a folder: the first such file in it, in its folders or in `more`; null where there is none. Folders and
 * leases alone are none: a start that was refused leaves them too.
 */
export function traceOfExperiment(root: string, more: readonly string[] = []): string | null {
  const folders = [root, ...foldersIn(root).map(name => join(root, name)), ...more];
  for (const folder of folders) {
    const found = leftByRuns.map(name => join(folder, name)).find(path => existsSync(path));
    if (found !== undefined) return found;
  }
  return null;
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter(entry => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name);
  } catch {
    return [];
  }
}
