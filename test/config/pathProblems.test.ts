import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { locate } from '../../src/config/locate.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { pathProblems } from '../../src/config/pathProblems.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';

interface Surroundings {
  root?: string;
  cwd?: string;
  links?: Record<string, string>;
  files?: string[];
}

/** What is said of a configuration: by itself, or of its folders together. */
function problemsOf(toml: string, { root, cwd = '/home/me', links = {}, files = [] }: Surroundings = {}): string[] {
  try {
    const { config } = parseConfig(toml, 'c.toml');
    const paths = resolvePaths(config, { cwd, configFile: 'c.toml', exists: () => false, root });
    const real = (path: string): string =>
      Object.entries(links).reduce(
        (at, [from, to]) => (`${at}/`.startsWith(`${from}/`) ? to + at.slice(from.length) : at),
        path,
      );
    const isFile = (path: string): boolean => files.includes(path);
    const found = pathProblems({ config, paths, root, real, isFile, place: locate(toml) });
    return found.map(({ line, message }) => `${line ?? '-'}: ${message}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, message }) => `${line ?? '-'}: ${message}`);
  }
}

const rootToml = (root: string): string => `[Paths]\nroot_dir = ${JSON.stringify(root)}\n`;

describe('a root folder', () => {
  it.each([
    'a\\b',
    'a:b',
    'a"b',
    'a*b',
    'a?b',
    'a<b>c',
    'a|b',
    'run.',
    '.run',
    '-run',
    '50%',
    '%d',
    '[a]{b}!',
    '../run',
    '/mnt/NTFS/a b',
    'Mess\u00fcng',
    'Messu\u0308ng',
    '😀',
    '測定',
    "it's",
    '#1',
    '$1',
    'x'.repeat(255),
  ])('%j works', name => {
    expect(problemsOf(rootToml(name))).toEqual([]);
    expect(problemsOf('', { root: name })).toEqual([]);
  });

  it.each([
    ['~', '~ is not replaced'],
    ['~/run', '~ is not replaced'],
    ['$HOME/run', 'variables are not replaced'],
    ['/data/$USER/x', 'variables are not replaced'],
    ['$(touch pwned)', 'no shell reads it'],
    ['/data/`hostname`', 'no shell reads it'],
    ['file:///home/me/run', 'this is an address'],
    ['smb://nas/lab', 'this is an address'],
    ['pi@nas:/lab', 'this is an address'],
    ['C:\\lab', 'a path of Windows'],
    ['run ', 'begins or ends with a space'],
    ['run\nx', 'control characters'],
    ['/', 'the whole machine'],
    ['node_modules/run', 'npm or git removes'],
    ['.git', 'npm or git removes'],
    ['x'.repeat(256), 'more than 255 bytes'],
    [`/${'y/'.repeat(2000)}`, 'longer than 3500 bytes'],
    ['taken', 'this is a file'],
  ])('%j is refused with the reason, in the file and on the command line', (name, reason) => {
    const files = ['/home/me/taken'];
    expect(problemsOf(rootToml(name), { files })).toEqual([expect.stringMatching(new RegExp(`^2: .*${reason}`))]);
    expect(problemsOf('', { root: name, files })).toEqual([expect.stringContaining(reason)]);
  });

  it('that is an address tells no password of it', () => {
    expect(problemsOf('', { root: 'smb://me:hunter2@nas/lab' })[0]).toContain('"smb://***@nas/lab"');
  });

  it('in a working directory with control characters is refused', () => {
    expect(problemsOf('', { cwd: '/home/a\u001bb' })).toEqual([expect.stringContaining('control characters')]);
  });
});

describe('folders that get in each other’s way', () => {
  it.each([
    ['data_dir = "x"\nresults_dir = "x"', 'results_dir and data_dir name one folder'],
    ['data_dir = "x"\nresults_dir = "./x/"', 'name one folder'],
    ['logs_dir = "results"', 'logs_dir and results_dir name one folder'],
    ['logs_dir = "Results"', 'name one folder'],
    ['results_dir = "."', 'data_dir (/home/me/data) lies in results_dir (/home/me)'],
    ['results_dir = "data/out"', 'results_dir (/home/me/data/out) lies in data_dir'],
    ['backup_dir = "data/backup"', 'lies in data_dir'],
    ['data_dir = "logs/data"', 'data_dir (/home/me/logs/data) lies in logs_dir'],
    ['data_dir = "flags"', 'name one folder'],
  ])('%j is refused', (keys, reason) => {
    expect(problemsOf(`[Paths]\n${keys}\n`)[0]).toContain(reason);
    expect(problemsOf(`[Paths]\n${keys}\n`)[0]).toMatch(/^[23]: /);
  });

  it('brightfield frames beside images that are analysed are refused, once there are some', () => {
    const keys = '[Paths]\nbrightfield_dir = "data/bright"\n';
    expect(problemsOf(keys)).toEqual([]);
    expect(problemsOf(`${keys}[Services]\nenable_brightfield = true\n`)[0]).toContain('lies in data_dir');
  });

  it('two names of one folder by a link are refused', () => {
    const links = { '/home/me/results': '/home/me/data' };
    expect(problemsOf('', { links })[0]).toContain('name one folder');
  });

  it('what only lies elsewhere, or is put in a folder that holds no images, works', () => {
    for (const keys of ['data_dir = "/mnt/a/images"', 'logs_dir = "results/logs"', 'backup_dir = "../backup"']) {
      expect(problemsOf(`[Paths]\n${keys.replace('../', '/')}\n`)).toEqual([]);
    }
  });
});

describe('a share', () => {
  const synced = (keys: string): string => `[Services]\nenable_remote_sync = true\n[Paths]\n${keys}\n`;
  it.each([
    ['remote_root_dir = "."', 'copies'],
    ['root_dir = "/usb/run"\nremote_root_dir = "/usb/run"', 'copies'],
    ['remote_root_dir = "data"', 'copies'],
    ['remote_root_dir = "results/share"', 'copies'],
    ['root_dir = "/nas/data"\nremote_root_dir = "/nas"', 'copies'],
    ['data_dir = "/a/x"\nresults_dir = "/b/x"', 'two folders would have one copy'],
    ['results_dir = "/b/configs"', 'two folders would have one copy'],
  ])('%j would copy onto the originals, and is refused', (keys, reason) => {
    expect(problemsOf(synced(keys))[0]).toContain(reason);
  });

  it('that is the experiment by a link is refused; one beside it, or in the root, works', () => {
    expect(problemsOf(synced('remote_root_dir = "/nas"'), { links: { '/nas': '/home/me' } })[0]).toContain('copies');
    for (const share of ['/nas/phorest', 'remote', '../share']) {
      expect(problemsOf(synced(`remote_root_dir = "${share}"`))).toEqual([]);
    }
    expect(problemsOf('[Paths]\nremote_root_dir = "."\n')).toEqual([]);
  });
});

it.each<[string, string, Surroundings]>([
  ['--root', '', { root: '/data/bad\ufffdutf' }],
  ['the working directory', rootToml('run'), { cwd: '/data/bad\ufffdutf' }],
  ['root_dir', rootToml('/data/bad\ufffdutf'), {}],
  ['backup_dir', '[Paths]\nbackup_dir = "/mnt/bad\ufffdutf"\n', {}],
  ['remote_root_dir', '[Paths]\nremote_root_dir = "/mnt/bad\ufffdutf"\n', {}],
])('a name that is not UTF-8 in %s would make another folder, and is refused', (_, toml, surroundings) => {
  expect(problemsOf(toml, surroundings).join('\n')).toContain('is not UTF-8');
});

describe('a folder that is watched', () => {
  const watching = (folder: string, more = '', type = 'watch_folder'): string =>
    `[Paths]\nroot_dir = "/data/run"\n${more.includes('[Services]') ? more : `${more}\n[Services]`}\nenable_camera = true\n[Camera]\ncamera_type = "${type}"\n[Watch_Folder]\nfolder = "${folder}"\n`;

  it.each([
    ['data', 'data_dir'],
    ['data/incoming', 'data_dir'],
    ['.', 'data_dir'],
    ['/data', 'data_dir'],
    ['/', 'data_dir'],
    ['results', 'results_dir'],
    ['continuous_capture', 'continuous_capture_dir'],
  ])('is refused where the program writes images itself: %s', (folder, key) => {
    expect(problemsOf(watching(folder))).toEqual([
      expect.stringMatching(new RegExp(`^\\d+: Watch_Folder.folder is /.*\\(${key}\\) would come back as new images`)),
    ]);
    // The camera may be changed while the pipeline runs.
    expect(problemsOf(watching(folder, '', 'simulated'))).toHaveLength(1);
  });

  it('is refused where the copies on the share would come back, also through a link', () => {
    const sync = 'remote_root_dir = "/nas/phorest"\n[Services]\nenable_remote_sync = true';
    expect(problemsOf(watching('/nas', sync))).toEqual([expect.stringContaining('(remote_root_dir) would come back')]);
    expect(problemsOf(watching('/in', sync), { links: { '/in': '/nas/phorest' } })).toHaveLength(1);
    expect(problemsOf(watching('/nas/microscope', sync))).toEqual([]);
    expect(problemsOf(watching('/nas', 'remote_root_dir = "/nas/phorest"'))).toEqual([]);
  });

  it('is good beside the others, in the root and elsewhere', () => {
    for (const folder of ['incoming', '/media/usb/run 1', '../incoming/x'.slice(3)])
      expect(problemsOf(watching(folder))).toEqual([]);
    expect(problemsOf(watching('../x'))).toEqual([expect.stringContaining('Watch_Folder.folder is "../x"')]);
  });
});
