import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Which folder of `src/` may import from which: the table of docs/architecture.md. `graph.ts` and what stands beside it may
 * import all but `cli`.
 */
export const mayImport: Record<string, readonly string[]> = {
  model: [],
  rx: [],
  config: ['model'],
  files: ['model'],
  image: ['model', 'files'],
  manifest: ['model', 'config', 'files'],
  analysis: ['model', 'image'],
  quantities: ['analysis', 'model'],
  calibration: ['analysis', 'image', 'model'],
  share: ['model', 'files'],
  streams: ['rx', 'manifest', 'config', 'image', 'files', 'model'],
  operators: ['rx', 'manifest', 'analysis', 'image', 'share', 'config', 'files', 'model'],
  sinks: ['rx', 'quantities', 'config', 'files', 'model'],
  verify: ['manifest', 'share', 'config', 'image', 'files', 'model', 'sinks', 'streams'],
  provenance: ['manifest', 'analysis', 'sinks', 'config', 'image', 'files', 'model'],
  console: ['rx', 'streams', 'config', 'model'],
};

/** Packages that a folder must do without, so that it stays what it is. */
const forbiddenPackages: Record<string, readonly string[]> = {
  quantities: ['rxjs', 'chokidar', 'sharp'],
  model: ['rxjs', 'sharp', 'zod'],
  analysis: ['rxjs', 'chokidar'],
  calibration: ['rxjs', 'chokidar'],
  sinks: ['blessed', 'blessed-contrib'],
  streams: ['blessed', 'blessed-contrib'],
};

const meaningless = /\/(utils?|helpers?|common|misc)(\/|\.ts$)/;
const importForm = /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'/g;

/** Every import that the table does not allow, and every name that says nothing; a line each. */
export function importViolations(source: string): string[] {
  const violations: string[] = [];
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(source, name);
    const folder = name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
    if (meaningless.test(`/${name}`)) violations.push(`src/${name}: a name that says nothing`);
    for (const [, first, second] of readFileSync(file, 'utf8').matchAll(importForm)) {
      const target = (first ?? second) as string;
      if (!target.startsWith('.')) {
        if (forbiddenPackages[folder]?.includes(target)) violations.push(`src/${name} imports ${target}`);
        continue;
      }
      const imported = relative(source, resolve(dirname(file), target));
      const to = imported.includes('/') ? imported.slice(0, imported.indexOf('/')) : '';
      if (to === folder || imported.startsWith('..')) continue;
      const allowed = folder === 'cli' || (folder === '' && to !== 'cli') || mayImport[folder]?.includes(to);
      if (!allowed) violations.push(`src/${name} imports src/${imported}`);
    }
  }
  return violations;
}
