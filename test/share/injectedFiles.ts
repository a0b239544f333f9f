import { readFileSync } from 'node:fs';
import { type Files, nodeFiles, type OpenFile } from '../../src/files/files.ts';

/** What goes wrong with the share's files, as a test has written it to `<root>.fault.json`. It is looked at before each call. */
export interface Fault {
  /** The calls that it strikes, such as `write` or `rename`; absent: all. */
  calls?: readonly string[];
  /** An error of this code; absent: they never return. */
  code?: string;
  /** Bytes that may be written before. */
  afterBytes?: number;
}

const { root } = JSON.parse(process.argv[2]!) as { root: string };
let written = 0;

async function pass(call: string): Promise<void> {
  let fault: Fault;
  try {
    fault = JSON.parse(readFileSync(`${root}.fault.json`, 'utf8')) as Fault;
  } catch {
    return;
  }
  if (fault.calls && !fault.calls.includes(call)) return;
  if (written < (fault.afterBytes ?? 0)) return;
  if (fault.code === undefined) await new Promise(() => undefined);
  throw Object.assign(new Error(`${fault.code}: injected, ${call}`), { code: fault.code });
}

function guarded(file: OpenFile): OpenFile {
  return {
    read: (into, position) => pass('read').then(() => file.read(into, position)),
    write: async (data, position) => {
      await pass('write');
      const length = await file.write(data, position);
      written += length;
      return length;
    },
    size: () => file.size(),
    truncate: length => pass('truncate').then(() => file.truncate(length)),
    sync: () => pass('sync').then(() => file.sync()),
    close: () => file.close(),
  };
}

/** The real files, but for the fault. */
export const files: Files = {
  open: (path, flags) => pass('open').then(() => nodeFiles.open(path, flags).then(guarded)),
  stat: path => pass('stat').then(() => nodeFiles.stat(path)),
  list: folder => pass('list').then(() => nodeFiles.list(folder)),
  makeFolder: (path, under) => pass('makeFolder').then(() => nodeFiles.makeFolder(path, under)),
  rename: (from, to) => pass('rename').then(() => nodeFiles.rename(from, to)),
  remove: path => pass('remove').then(() => nodeFiles.remove(path)),
  syncFolder: path => pass('syncFolder').then(() => nodeFiles.syncFolder(path)),
  nameHabit: folder => nodeFiles.nameHabit(folder),
  realPath: path => nodeFiles.realPath!(path),
};
