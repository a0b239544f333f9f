import { basename, sep } from 'node:path';
import type { ConfigProblem } from './configError.ts';
import { mistake, notUtf8 } from './kinds/path.ts';
import type { Located } from './locate.ts';
import type { ResolvedPaths } from './resolvePaths.ts';
import type { Config } from './schema.ts';
import { showValue } from './tomlTable.ts';

export interface PathProblemsOptions {
  config: Config;
  paths: ResolvedPaths;
  /** `--root`, as it was given. */
  root?: string | undefined;
  place: (path: readonly string[]) => Located | null;
  /** The folder that a path leads to, once the links that are there are followed. */
  real: (path: string) => string;
  /** Whether a file, and no folder, stands at a path. */
  isFile: (path: string) => boolean;
}

/** Folders that the program writes to, by their keys. */
const writtenTo = [
  ['data', 'Paths', 'data_dir'],
  ['results', 'Paths', 'results_dir'],
  ['logs', 'Paths', 'logs_dir'],
  ['backup', 'Paths', 'backup_dir'],
  ['flags', 'Flags', 'flag_dir'],
  ['generatedFiles', 'Assets', 'generated_files_dir'],
  ['brightfield', 'Paths', 'brightfield_dir'],
] as const;

/** Room for the names below the root, of the 4,096 bytes that the system takes for a path. */
const longestRoot = 3_500;

/**
 * What is wrong with the places that a configuration names, taken together: an experiment that began there would lose track of
 * its files, or write over its own. Pure; none of the folders need be there.
 */
export function pathProblems(options: PathProblemsOptions): ConfigProblem[] {
  return [...rootProblems(options), ...folderProblems(options), ...shareProblems(options), ...watchProblems(options)];
}

function rootProblems({ paths, root: given, place, isFile }: PathProblemsOptions): ConfigProblem[] {
  const { root } = paths;
  const name = given === undefined ? 'Paths.root_dir' : '--root';
  const at = given === undefined ? place(['Paths', 'root_dir'])?.value : undefined;
  const refused = (why: string): ConfigProblem[] => [problem('Paths.root_dir', at, `${name} is ${root}: ${why}`)];
  const said = given === undefined ? null : mistake(given);
  if (said !== null) return [problem('Paths.root_dir', undefined, `--root is ${showValue(given)}: ${said}`)];
  if (/\p{Cc}/u.test(root)) return refused('there are control characters in it; give the folder another name');
  if (root.includes('\ufffd')) return refused(notUtf8);
  if (root === sep) return refused('this is the whole machine; name a folder of its own');
  const machinery = root.split(sep).find(part => part === 'node_modules' || part === '.git');
  if (machinery !== undefined) return refused(`npm or git removes what is in ${machinery}; name another folder`);
  if (Buffer.byteLength(root) > longestRoot) return refused(`it is longer than ${longestRoot} bytes`);
  if (isFile(root)) return refused('this is a file, and no folder');
  return [];
}

/** Two keys must not name one folder, and nothing else may lie among the images, nor the images in what is copied as a whole. */
function folderProblems({ config, paths, place, real }: PathProblemsOptions): ConfigProblem[] {
  const used = writtenTo.filter(([folder]) => folder !== 'brightfield' || config.Services.enable_brightfield);
  const folders = used.map(([folder, section, key]) => ({
    section,
    key,
    path: paths[folder],
    real: real(paths[folder]),
  }));
  return folders.flatMap((one, i) =>
    folders.slice(0, i).flatMap(other => {
      const [outer, inner] = contains(one.real, other.real) ? [one, other] : [other, one];
      if (!contains(outer.real, inner.real)) return [];
      const at = place([one.section, one.key])?.value ?? place([other.section, other.key])?.value;
      const key = `${one.section}.${one.key}`;
      if (contains(inner.real, outer.real))
        return [problem(key, at, `${one.key} and ${other.key} name one folder, ${one.path}: give each its own`)];
      const isTroubling =
        [outer, inner].some(({ key: each }) => each === 'data_dir' || each === 'brightfield_dir') ||
        inner.key === 'flag_dir';
      if (!isTroubling) return [];
      return [
        problem(
          key,
          at,
          `${inner.key} (${inner.path}) lies in ${outer.key} (${outer.path}): put them beside each other`,
        ),
      ];
    }),
  );
}

/** A copy that lies where the original does is none: the ring buffer would remove the only one. */
function shareProblems({ config, paths, place, real }: PathProblemsOptions): ConfigProblem[] {
  if (!config.Services.enable_remote_sync) return [];
  const { root, data, results, logs, backup, brightfield } = paths.remote;
  const copies = [data, results, logs, backup, brightfield];
  const key = 'Paths.remote_root_dir';
  const at = place(['Paths', 'remote_root_dir'])?.value;
  const twin = writtenTo.flatMap(([folder, , name]) => {
    const local = real(paths[folder]);
    const copy = copies.find(each => contains(real(each), local) || contains(local, real(each)));
    return copy === undefined && !contains(local, real(root))
      ? []
      : [{ name, local: paths[folder], copy: copy ?? root }];
  })[0];
  if (twin) {
    const message = `remote_root_dir is ${root}: the copies in ${twin.copy} would lie in ${twin.name} (${twin.local}) itself, or around it; name another folder`;
    return [problem(key, at, message)];
  }
  const named = [...copies, `${root}${sep}${basename(paths.generatedFiles)}`, `${root}${sep}configs`];
  const twice = named.find((path, i) => named.findIndex(other => isSame(other, path)) !== i);
  if (twice === undefined) return [];
  return [problem(key, at, `two folders would have one copy on the share, ${twice}: give them different names`)];
}

/** What the program itself writes must not come back to it as new images; also where another camera is used now, since that may change. */
function watchProblems({ config, paths, place, real }: PathProblemsOptions): ConfigProblem[] {
  const watched = real(paths.watched);
  const { remote } = paths;
  const written = [
    ...writtenTo.map(([folder, , key]) => ({ key, path: paths[folder] })),
    { key: 'continuous_capture_dir', path: paths.continuousCapture },
    { key: 'brightfield_dir', path: paths.brightfield },
    ...(config.Services.enable_remote_sync
      ? [remote.data, remote.results, remote.logs, remote.backup].map(path => ({ key: 'remote_root_dir', path }))
      : []),
  ];
  const met = written.find(({ path }) => contains(watched, real(path)) || contains(real(path), watched));
  if (!met) return [];
  const at = place(['Watch_Folder', 'folder'])?.value;
  const message = `Watch_Folder.folder is ${paths.watched}: what the program writes to ${met.path} (${met.key}) would come back as new images; name a folder that nothing but the other program writes to`;
  return [problem('Watch_Folder.folder', at, message)];
}

/** As a disk sees it that does not tell capitals apart, nor two spellings of one letter. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map(path => path.normalize('NFC').toLowerCase());
  return a === b;
}

/** Whether a folder is the other, or holds it. */
export function contains(outer: string, inner: string): boolean {
  return isSame(outer, inner) || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

function problem(key: string, at: { line: number; column: number } | undefined, message: string): ConfigProblem {
  return { kind: 'value', line: at?.line ?? null, column: at?.column ?? null, key, message };
}
