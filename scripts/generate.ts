/**
 * Writes the files that are made from the source, so that they can't say anything else.
 *
 *     node scripts/generate.ts           writes what is not as it should be
 *     node scripts/generate.ts --check   writes nothing; names stale files and exits with 1
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { exampleToml } from '../src/config/exampleToml.ts';
import { referencePage } from '../src/config/referencePage.ts';
import { keysPage } from '../src/console/keys.ts';
import { nodeFiles } from '../src/files/files.ts';
import { writeAtomic } from '../src/files/writeAtomic.ts';
import { simulatedChipMap } from './simulatedChipMap.ts';

interface GeneratedFile {
  /** Relative to the repository. */
  path: string;
  make(): string | Promise<string>;
}

const generated: readonly GeneratedFile[] = [
  { path: 'configs/Phorest_config.toml', make: exampleToml },
  { path: 'docs/configuration.md', make: referencePage },
  { path: 'docs/keys.md', make: keysPage },
  { path: 'assets/Label_templates/Chip_map.json', make: simulatedChipMap },
];

/** Writes every stale file below `repository` (or with `check` only finds them) and returns their paths. */
export async function generate(repository: string, { check }: { check: boolean }): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, make } of generated) {
    const file = join(repository, path);
    const content = await make();
    const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (present === content) continue;
    stale.push(path);
    if (check) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeAtomic(nodeFiles, file, content, { durable: false });
  }
  return stale;
}

if (import.meta.main) {
  const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
  const stale = await generate(join(import.meta.dirname, '..'), { check });
  for (const path of stale) console.log(check ? `${path} is stale: run npm run generate` : `wrote ${path}`);
  if (check && stale.length > 0) process.exitCode = 1;
}
