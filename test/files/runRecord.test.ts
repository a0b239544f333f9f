import { expect, it } from 'vitest';
import { continueRun, importedFolders, noteImport } from '../../src/files/runRecord.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const file = '/root/flags/run.json';
const begin = () => ({ run_id: 'R', started: '2026-01-01T00:00:00Z' });

it('a run remembers each folder from which it has imported, across its starts, and stays the same run', async () => {
  const files = new FaultyFiles();
  await continueRun(file, files, begin);
  expect(await importedFolders(file, files)).toEqual([]);
  for (const folder of ['/microscope', '/old', '/microscope']) await noteImport(file, files, folder);
  expect(await importedFolders(file, files)).toEqual(['/microscope', '/old']);
  expect(JSON.parse(String(files.content(file)))).toMatchObject(begin());
});
