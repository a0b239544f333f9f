import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { importViolations } from '../scripts/importRules.ts';

const folders: string[] = [];

function source(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'phorest-rules-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

test('the sources keep to the table', () => {
  expect(importViolations(join(import.meta.dirname, '..', 'src'))).toEqual([]);
});

test('an import that the table does not allow is named, also when only types or names go on', () => {
  const folder = source({
    'model/entry.ts': "import { x } from '../storage/files.ts';\n",
    'sinks/csv.ts':
      "import type { Manifest } from '../manifest/manifest.ts';\nexport { y } from '../model/entry.ts';\n",
    'operators/work.ts': "export * from '../sinks/csv.ts';\n",
    'cli/main.ts': "import { graph } from '../graph.ts';\n",
  });
  writeFileSync(join(folder, 'graph.ts'), "import './cli/main.ts';\nimport { work } from './operators/work.ts';\n");
  expect(importViolations(folder).toSorted()).toEqual([
    'src/graph.ts imports src/cli/main.ts',
    'src/model/entry.ts imports src/storage/files.ts',
    'src/operators/work.ts imports src/sinks/csv.ts',
    'src/sinks/csv.ts imports src/manifest/manifest.ts',
  ]);
});

test('a package that a folder must do without is named', () => {
  const folder = source({ 'analysis/fit.ts': "import { of } from 'rxjs';\n" });
  expect(importViolations(folder)).toEqual(['src/analysis/fit.ts imports rxjs']);
});

test('names that say nothing are refused', () => {
  const folder = source({ 'sinks/utils.ts': '', 'helpers/a.ts': '' });
  expect(importViolations(folder).toSorted()).toEqual([
    'src/helpers/a.ts: a name that says nothing',
    'src/sinks/utils.ts: a name that says nothing',
  ]);
});
