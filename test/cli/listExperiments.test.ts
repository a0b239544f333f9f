import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgetExperiment, noteExperiment, readRegistry } from '../../src/cli/experimentRegistry.ts';
import { listExperiments } from '../../src/cli/listExperiments.ts';

let folder: string;
let environment: { HOME: string; XDG_STATE_HOME: string };
const noted = (root: string, kind: 'experiment' | 'replay' = 'experiment', problems: string[] = []) =>
  noteExperiment(
    {
      environment,
      paths: { root, pipelineStatusFile: join(root, 'flags', 'pipeline_status.json') },
      kind,
      configFile: join(root, 'my.toml'),
      cwd: '/somewhere',
    },
    message => problems.push(message),
  );
const emptyProc = (): string => {
  const proc = join(folder, 'proc');
  mkdirSync(proc, { recursive: true });
  return proc;
};
const list = () => listExperiments({ environment, proc: emptyProc(), patienceMs: 2_000 });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'experiments-'));
  environment = { HOME: folder, XDG_STATE_HOME: join(folder, 'state') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the list of experiments', () => {
  it('has each folder that a pipeline or replay was started in, once, with what it was started with', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    for (const root of [one, two]) mkdirSync(root);
    await noted(one);
    await noted(two, 'replay');
    await noted(one);
    const found = await list();
    expect(found.map(({ root }) => root).sort()).toEqual([one, two]);
    expect(found.find(({ root }) => root === two)).toMatchObject({
      kind: 'replay',
      state: 'none',
      configFile: join(two, 'my.toml'),
      cwd: '/somewhere',
      pid: null,
    });
  });

  it('counts of a replay that went on what was read before, too', async () => {
    const root = join(folder, 'old');
    mkdirSync(join(root, 'flags'), { recursive: true });
    const replay = { folder: '/old/Pos0', frame: 115, count: 115, read: 115, ended: true };
    const stages = { collector: { done: 55 } };
    writeFileSync(
      join(root, 'flags', 'pipeline_status.json'),
      JSON.stringify({ pid: 7, host: 'pi', boot_id: 'b', state: 'stopped', stages, replay }),
    );
    await noted(root, 'replay');
    expect(await list()).toMatchObject([{ root, frames: 115 }]);
  });

  it('keeps what many processes note at once', async () => {
    const roots = Array.from({ length: 20 }, (_, i) => join(folder, `root ${i}`));
    await Promise.all([...roots, ...roots].map(root => noted(root)));
    expect((await readRegistry(environment)).map(({ root }) => root).sort()).toEqual([...roots].sort());
    expect(readdirSync(join(folder, 'state', 'phorest', 'experiments'))).toHaveLength(20);
  });

  it('says of a folder that is not there that it is gone, last, and keeps it until it is forgotten', async () => {
    const there = join(folder, 'there');
    mkdirSync(there);
    await noted(there);
    await noted('/media/unplugged/run7');
    expect((await list()).map(({ root, state }) => `${root} ${state}`)).toEqual([
      `${there} none`,
      '/media/unplugged/run7 gone',
    ]);
    expect(await forgetExperiment(environment, '/media/unplugged/run7')).toBe(true);
    expect(await forgetExperiment(environment, '/media/unplugged/run7')).toBe(false);
    expect(await list()).toHaveLength(1);
  });

  it.each([
    ['was temporary', '/tmp/try/run', 0, 'forgotten'],
    ['was on a disk in memory', '/mnt/memory/run', 0, 'forgotten'],
    ['was removed from a disk that is there, a week ago', '/no/such/run', 7, 'gone'],
    ['was removed from a disk that is there, two months ago', '/no/such/run', 60, 'forgotten'],
    ['is on a disk that is not plugged in, for two months', '/media/pi/USB/run', 60, 'gone'],
    ['is on a disk that has not been plugged in for more than a year', '/media/pi/USB/run', 400, 'forgotten'],
  ])('of a folder that is gone and %s: %s after %d days is %s', async (_, root, days, what) => {
    const disks = [
      ['/media/pi/USB', '/dev/sda1', 'vfat'],
      ['/mnt/memory', 'tmpfs', 'tmpfs'],
      ['/', '/dev/root', 'ext4'],
    ] as const;
    const [mount_point, source, type] = disks.find(([point]) => root.startsWith(point))!;
    await noted(root);
    const entries = join(folder, 'state', 'phorest', 'experiments');
    const file = join(entries, readdirSync(entries)[0]!);
    const entry = { ...JSON.parse(readFileSync(file, 'utf8')), disk: { mount_point, source, type } };
    writeFileSync(file, JSON.stringify(entry));
    const mountInfo = (): string => '22 1 179:2 / / rw - ext4 /dev/root rw\n';
    const now = Date.parse(entry.started) + days * 86_400_000;
    const found = await listExperiments({ environment, proc: emptyProc(), mountInfo, now });
    expect(found.map(({ state }) => state)).toEqual(what === 'gone' ? ['gone'] : []);
    expect(readdirSync(entries)).toHaveLength(what === 'gone' ? 1 : 0);
  });

  it('skips what is damaged, and goes on', async () => {
    const root = join(folder, 'well');
    mkdirSync(root);
    await noted(root);
    writeFileSync(join(folder, 'state', 'phorest', 'experiments', 'torn.json'), '{"root": "/da');
    expect((await list()).map(each => each.root)).toEqual([root]);
  });

  it.skipIf(process.getuid?.() === 0)('leaves out folders that this user may not read', async () => {
    const root = join(folder, 'theirs');
    mkdirSync(root);
    await noted(root);
    chmodSync(root, 0);
    expect(await list()).toEqual([]);
    chmodSync(root, 0o700);
  });

  it('says that it can not be kept, and rejects not, where the state folder is none', async () => {
    writeFileSync(join(folder, 'state'), 'a file');
    const problems: string[] = [];
    await noted(join(folder, 'x'), 'experiment', problems);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('phorest ls');
  });

  it('has what runs though nobody has noted it: by its --root, or by the journal that it has open', async () => {
    const proc = emptyProc();
    const process = (pid: string, words: readonly string[], open: readonly string[]): void => {
      const place = join(proc, pid);
      mkdirSync(join(place, 'fd'), { recursive: true });
      symlinkSync('/usr/bin/node', join(place, 'exe'));
      symlinkSync(folder, join(place, 'cwd'));
      writeFileSync(join(place, 'cmdline'), ['node', '/opt/phorest/bin/phorest.js', ...words].join('\0'));
      for (const [i, path] of open.entries()) symlinkSync(path, join(place, 'fd', `${i}`));
    };
    const [given, default_] = [join(folder, 'given'), join(folder, 'usual')];
    for (const root of [given, default_]) mkdirSync(root);
    process('11', ['--root', 'given', 'background'], []);
    process('12', ['run'], ['/dev/null', join(default_, 'data', 'metadata_manifest.000012.jsonl')]);
    process('13', ['--root', 'nowhere', 'status'], []);
    expect((await list()).map(({ root }) => root).sort()).toEqual([given, default_]);
  });
});
