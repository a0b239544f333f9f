import { existsSync } from 'node:fs';
import type { ResolvedPaths } from '../config/resolvePaths.ts';

/** Where the results are, a line for each file that is there. */
export function resultLines({ root, resultsFile, csvFile, plotFile }: ResolvedPaths): string[] {
  const files = [
    ['results', resultsFile],
    ['table', csvFile],
    ['plot', plotFile],
  ] as const;
  const found = files.filter(([, path]) => existsSync(path)).map(([name, path]) => `${name.padEnd(7)}  ${path}`);
  return found.length > 0 ? found : [`no results yet in ${root}`];
}
