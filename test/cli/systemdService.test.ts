import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { ConsoleOutput } from '../../src/cli/consoleOutput.ts';
import { installService, uninstallService, unitText } from '../../src/cli/systemdService.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';

/** The values of a key, in order. */
const valuesOf = (text: string, key: string): string[] =>
  text.split('\n').flatMap(line => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

/** What systemd makes of a line of words: the quotes are taken away, `%%` and, in a command, `$$` are one. */
function words(line: string, isCommand: boolean): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => {
    const text = (quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '').replaceAll('%%', '%');
    return isCommand ? text.replaceAll('$$', '$') : text;
  });
}

describe('unitText', () => {
  const hostile = '/mnt/my disk/50% "big" \\ $HOME \'x\'; rm -rf';

  it('runs exactly the words that were given, whatever stands in them', () => {
    const command = ['/usr/bin/node', '/opt/phorest.js', '--root', hostile, 'background'];
    const text = unitText({ root: hostile, cwd: '/home/a b%', words: command, ofUser: false, runAs: null });
    const [line = ''] = valuesOf(text, 'ExecStart');
    expect(words(line, true)).toEqual(command);
    // No specifier and no variable is left that systemd would put something in for.
    expect(line.replaceAll('%%', '')).not.toContain('%');
    expect(line.replaceAll('$$', '')).not.toContain('$');
    expect(words(valuesOf(text, 'RequiresMountsFor')[0]!, false)).toEqual([hostile]);
    expect(valuesOf(text, 'WorkingDirectory')).toEqual(['/home/a b%%']);
    expect(valuesOf(text, 'Description')[0]!.replaceAll('%%', '%')).toBe(`Phorest Pipeline of ${hostile}`);
  });

  it.each(['a\nExecStartPre=/bin/evil', 'a\rb', 'a\0b'])('refuses %j, which would be a line of its own', bad => {
    const good = { root: '/r', cwd: '/c', words: ['/n'], ofUser: true, runAs: null };
    expect(() => unitText({ ...good, root: bad })).toThrow('systemd unit');
    expect(() => unitText({ ...good, cwd: bad })).toThrow('systemd unit');
    expect(() => unitText({ ...good, words: ['/n', bad] })).toThrow('systemd unit');
  });

  it('is started again when it fails, watched, drained at a stop, and not started again for a wrong configuration', () => {
    const text = unitText({ root: '/r', cwd: '/c', words: ['/n'], ofUser: true, runAs: null });
    for (const [key, value] of Object.entries({
      Type: 'notify',
      KillMode: 'mixed',
      Restart: 'on-failure',
      RestartPreventExitStatus: '2',
      SuccessExitStatus: '130 143',
      WantedBy: 'default.target',
    }))
      expect(valuesOf(text, key)).toEqual([value]);
    expect(Number(valuesOf(text, 'WatchdogSec')[0])).toBeGreaterThan(0);
    expect(text.match(/^\[\w+\]$/gm)).toEqual(['[Unit]', '[Service]', '[Install]']);
    const system = unitText({ root: '/r', cwd: '/c', words: ['/n'], ofUser: false, runAs: null });
    expect(valuesOf(system, 'WantedBy')).toEqual(['multi-user.target']);
    expect(valuesOf(system, 'User')).toEqual([]);
    const asUser = unitText({ root: '/r', cwd: '/c', words: ['/n'], ofUser: false, runAs: 'pi' });
    expect(valuesOf(asUser, 'User')).toEqual(['pi']);
  });
});

describe('a hardened unit', () => {
  const unit = {
    root: '/srv/my run',
    cwd: '/home/pi',
    words: [process.execPath, 'background'],
    ofUser: false,
    runAs: 'pi',
  };

  it('of a user has no capabilities, and may write to the experiment, the backup and the share', () => {
    const text = unitText({ ...unit, writes: ['/srv/my run', '/mnt/back up', '/mnt/share', '/mnt/share'] });
    expect(valuesOf(text, 'CapabilityBoundingSet')).toEqual(['']);
    expect(valuesOf(text, 'NoNewPrivileges')).toEqual(['yes']);
    expect(valuesOf(text, 'ReadWritePaths')).toEqual(['"-/srv/my run"', '"-/mnt/back up"', '"-/mnt/share"']);
    // What would take the cameras, V8's memory, or the view of other processes away.
    expect(text).not.toMatch(
      /PrivateDevices|DeviceAllow|ProtectClock|MemoryDenyWriteExecute|ProtectProc|PrivateUsers|ProtectHostname/,
    );
  });

  it('keeps /tmp where the experiment is there, and what root needs where nobody else was found', () => {
    expect(unitText(unit)).toContain('PrivateTmp=yes');
    expect(unitText({ ...unit, root: '/tmp/run' })).not.toContain('PrivateTmp');
    expect(valuesOf(unitText({ ...unit, runAs: null }), 'CapabilityBoundingSet')[0]).toContain('CAP_DAC_OVERRIDE');
  });

  it("of a user's own systemd asks for nothing that needs rights", () => {
    const text = unitText({ ...unit, ofUser: true, runAs: null });
    expect(text).not.toMatch(/Protect|PrivateTmp|ReadWritePaths|CapabilityBoundingSet/);
    expect(text).toContain('NoNewPrivileges=yes');
  });

  it.skipIf(!existsSync('/usr/bin/systemd-analyze')).each(['daemon', null])(
    'that runs as %s is understood by systemd, and scored as safe',
    async runAs => {
      const folder = await mkdtemp(join(tmpdir(), 'phorest-unit-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const file = join(folder, 'phorest-run.service');
      await writeFile(file, unitText({ ...unit, cwd: '/', root: '/srv', runAs }));
      const analyze = (...args: string[]) => spawnSync('/usr/bin/systemd-analyze', args, { encoding: 'utf8' });
      expect(analyze('verify', '--recursive-errors=no', file).stderr).not.toContain('phorest-run.service');
      const { stdout } = analyze('security', '--offline=true', '--no-pager', file);
      expect(Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(5);
    },
  );
});

describe('service of the user', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'phorest-service-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  function begin(root: string) {
    let printed = '';
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        printed += chunk;
        done();
      },
    }) as NodeJS.WriteStream;
    const context: CommandContext = {
      cwd: home,
      environment: { HOME: home },
      config: undefined,
      root,
      output: new ConsoleOutput(stream, stream),
      commands: [],
    };
    return { context, said: () => printed };
  }

  const folder = (): string => join(home, '.config', 'systemd', 'user');

  it('is only shown with --dry-run', async () => {
    const root = join(home, 'run');
    await mkdir(root, { recursive: true });
    await writeConfig(root, experimentToml());
    const { context, said } = begin(root);
    expect(await installService(context, { user: true, dryRun: true })).toBe(0);
    expect(said()).toMatch(/^# would be written to \S+phorest-run-[0-9a-f]{8}\.service; nothing is\n\[Unit\]\n/);
    expect(said()).toContain('ExecStart=');
    expect(await readdir(home)).toEqual(['run']);
  });

  it('is installed under a name of its own for each root, says what to run, and is taken away again', async () => {
    const roots = [join(home, 'a', 'my run'), join(home, 'b', 'my run')];
    for (const root of roots) {
      await mkdir(root, { recursive: true });
      await writeConfig(root, experimentToml());
      const { context, said } = begin(root);
      expect(await installService(context, { user: true })).toBe(0);
      expect(said()).toMatch(/systemctl --user daemon-reload\n.*systemctl --user enable --now phorest-my-run-/);
      expect(said()).toMatch(/loginctl enable-linger/);
    }
    const units = await readdir(folder());
    expect(units).toHaveLength(2);
    for (const unit of units) expect(unit).toMatch(/^phorest-my-run-[0-9a-f]{8}\.service$/);
    const texts = await Promise.all(units.map(unit => readFile(join(folder(), unit), 'utf8')));
    const commands = texts.map(text => words(valuesOf(text, 'ExecStart')[0]!, true));
    for (const root of roots) {
      const command = commands.find(found => found.includes(root))!;
      expect(command.slice(3)).toEqual([
        '--config',
        join(root, 'configs', 'Phorest_config.toml'),
        '--root',
        root,
        'background',
      ]);
      for (const path of [command[0]!, command[2]!]) await access(path);
    }

    const { context, said } = begin(roots[0]!);
    const mine = units.find((_unit, i) => commands[i]!.includes(roots[0]!))!;
    const wants = join(folder(), 'default.target.wants');
    await mkdir(wants);
    for (const unit of units) await symlink(join(folder(), unit), join(wants, unit));
    expect(await uninstallService(context, { user: true })).toBe(0);
    expect(said()).toMatch(new RegExp(`systemctl --user stop ${mine}`));
    const left = units.filter(unit => unit !== mine);
    expect([(await readdir(folder())).sort(), await readdir(wants)]).toEqual([['default.target.wants', ...left], left]);
    await expect(uninstallService(context, { user: true })).rejects.toMatchObject({
      code: 1,
      message: expect.stringContaining('no service is installed'),
    });
  });

  it('is not installed for a configuration that could not be started with', async () => {
    const root = join(home, 'bad');
    await writeConfig(root, `${experimentToml()}\n[Services]\n`);
    await writeFile(join(root, 'configs', 'Phorest_config.toml'), '[Timing]\ncollector_interval_seconds = -1\n');
    const { context } = begin(root);
    await expect(installService(context, { user: true })).rejects.toMatchObject({
      code: 2,
      message: expect.stringMatching(/Phorest_config\.toml:2:\d+.*collector_interval_seconds/),
    });
    await expect(readdir(folder())).rejects.toThrow('ENOENT');
  });
});
