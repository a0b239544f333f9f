import { createHash } from 'node:crypto';
import { access, rm, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../files/durableNames.ts';
import { nodeFiles } from '../files/files.ts';
import { writeAtomic } from '../files/writeAtomic.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine, launcher } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { nodeFlags } from './launch.ts';
import { loadConfig } from './loadConfig.ts';
import { loadSteered } from './loadSteered.ts';

export interface ServiceOptions {
  system?: true;
  user?: true;
  dryRun?: true;
}

interface Unit {
  name: string;
  path: string;
  root: string;
  /** `systemctl`, with `--user` for a user's own. */
  systemctl: string;
  ofUser: boolean;
}

/** Writes the unit and says what to run. Its configuration must be good: a service that can't start helps nobody. */
export async function installService(context: CommandContext, options: ServiceOptions): Promise<number> {
  const { output } = context;
  const { chosen, text, paths } = await loadConfig(context);
  const unit = unitOf(paths.root, context, options);
  const words = [
    process.execPath,
    ...nodeFlags,
    launcher,
    ...(text === null ? [] : ['--config', resolve(context.cwd, chosen.path)]),
    '--root',
    paths.root,
    'background',
  ];
  const runAs = unit.ofUser ? null : await userOf(paths.root, context.environment);
  // Where it writes, should any of it lie where a hardened service may not: below /usr, or in /tmp.
  const { root, data, results, logs, flags, backup, generatedFiles, remote } = paths;
  const writes = [root, data, results, logs, flags, backup, generatedFiles, remote.root];
  const content = unitText({ root, cwd: context.cwd, words, ofUser: unit.ofUser, runAs, writes });
  if (options.dryRun) {
    output.line(`# would be written to ${unit.path}; nothing is`);
    output.text(content);
    return exitCodes.done;
  }
  await makeFolder(nodeFiles, join(unit.path, '..'));
  await writeAtomic(nodeFiles, unit.path, content);
  output.line(`wrote ${unit.path}`);
  output.line('The pipeline starts with the machine, and again when it fails. Now run:');
  output.line(`  ${unit.systemctl} daemon-reload`);
  output.line(`  ${unit.systemctl} enable --now ${unit.name}`);
  if (!unit.ofUser)
    output.line(
      `The pipeline runs as ${runAs === null ? 'root: give the folder to a user, and install it again' : `the user ${runAs}`}`,
    );
  if (unit.ofUser)
    output.line(`  loginctl enable-linger ${userInfo().username}      (so that it runs while nobody is logged in)`);
  output.line(
    `"${commandLine(context, 'console')}" shows it; "${unit.systemctl} stop ${unit.name}" drains and stops it`,
  );
  return exitCodes.done;
}

/** Removes the unit and says what to run. */
export async function uninstallService(context: CommandContext, options: ServiceOptions): Promise<number> {
  const { output } = context;
  const { paths } = await loadSteered(context);
  const unit = unitOf(paths.root, context, options);
  const there = await access(unit.path).then(
    () => true,
    () => false,
  );
  if (!there)
    throw new ExitError(exitCodes.failed, `${unit.path} is not there: no service is installed for ${paths.root}`);
  if (options.dryRun) {
    output.line(`${unit.path} would be removed; nothing is`);
    return exitCodes.done;
  }
  await rm(unit.path);
  // The link that "systemctl enable" made: systemctl can't remove it any more without the unit.
  await rm(join(unit.path, '..', `${wantedBy(unit)}.wants`, unit.name), { force: true });
  output.line(`removed ${unit.path}`);
  output.line('A pipeline that this unit runs goes on until it is stopped. Now run:');
  output.line(`  ${unit.systemctl} stop ${unit.name}`);
  output.line(`  ${unit.systemctl} daemon-reload`);
  return exitCodes.done;
}

/** Who a system's unit runs as: whose folder it is, else who installs it through sudo. Null: root. */
async function userOf(root: string, { SUDO_USER: user }: NodeJS.ProcessEnv): Promise<string | null> {
  const owner = (await stat(root).catch(() => null))?.uid ?? 0;
  if (owner !== 0) return String(owner);
  return user && user !== 'root' && /^[a-z_][\w.-]*\$?$/i.test(user) ? user : null;
}

/** A root has one unit, named after its folder; the number tells folders of one name apart. */
function unitOf(root: string, { environment }: CommandContext, { system, user }: ServiceOptions): Unit {
  const ofUser = user === true || (system !== true && process.getuid?.() !== 0);
  const word = basename(root).replaceAll(/[^A-Za-z0-9_-]+/g, '-') || 'root';
  const number = createHash('sha256').update(root).digest('hex').slice(0, 8);
  const name = `phorest-${word}-${number}.service`;
  const configHome = environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config');
  const folder = ofUser ? join(configHome, 'systemd', 'user') : '/etc/systemd/system';
  return { name, path: join(folder, name), root, systemctl: ofUser ? 'systemctl --user' : 'sudo systemctl', ofUser };
}

interface UnitText {
  root: string;
  cwd: string;
  words: readonly string[];
  ofUser: boolean;
  /** User of a system's unit, a name or a number; null: root. */
  runAs: string | null;
  /** Folders that it writes to; the root unless given. */
  writes?: readonly string[];
}

/**
 * A drain may take as long as a large frame does; what does not end then is killed, and loses nothing. A wrong configuration (2)
 * does not mend by starting again; a stage that is held (3) is free some day.
 */
export function unitText({ root, cwd, words, ofUser, runAs, writes = [root] }: UnitText): string {
  return `[Unit]
Description=Phorest Pipeline of ${escaped(root)}
After=local-fs.target time-sync.target
RequiresMountsFor=${quoted(root, '$')}

[Service]
Type=notify
NotifyAccess=all
ExecStart=${words.map(word => quoted(word)).join(' ')}
WorkingDirectory=${escaped(cwd)}
${runAs === null ? '' : `User=${runAs}\n`}KillMode=mixed
TimeoutStartSec=300
TimeoutStopSec=180
WatchdogSec=120
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
SuccessExitStatus=130 143
${hardening({ ofUser, runAs, writes })}
[Install]
WantedBy=${wantedBy({ ofUser })}
`;
}

/**
 * What the service can do without. It needs the devices (cameras, sensors, USB), the network, mounts that come later, other processes
 * of the machine as they are (whether one still runs), and memory that is written and executed (V8). Without a user of its own it
 * must still write what belongs to others. A user's own systemd can't set up the rest without rights that it may not have.
 */
function hardening({ ofUser, runAs, writes }: Required<Pick<UnitText, 'ofUser' | 'runAs' | 'writes'>>): string {
  const everywhere = [
    'NoNewPrivileges=yes',
    'RestrictSUIDSGID=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged',
    'SystemCallErrorNumber=EPERM',
    // Netlink: network interfaces, and cameras that are plugged in.
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'UMask=0022',
  ];
  if (ofUser) return lines(everywhere);
  const isTemporary = writes.some(path => /^\/(?:var\/)?tmp(?:\/|$)/.test(path));
  return lines([
    ...everywhere,
    `CapabilityBoundingSet=${runAs === null ? 'CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL' : ''}`,
    'ProtectSystem=full',
    ...[...new Set(writes)].map(path => `ReadWritePaths=${quoted(`-${path}`, '$')}`),
    ...(isTemporary ? [] : ['PrivateTmp=yes']),
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'KeyringMode=private',
    'RemoveIPC=yes',
  ]);
}

const lines = (each: readonly string[]): string => each.map(line => `${line}\n`).join('');

function wantedBy({ ofUser }: Pick<Unit, 'ofUser'>): string {
  return ofUser ? 'default.target' : 'multi-user.target';
}

/** One word in quotes. @param dollar how `$` is written: twice in a command line, where a variable would be put in. */
function quoted(word: string, dollar = '$$'): string {
  const inQuotes = escaped(word).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${inQuotes.replaceAll('$', () => dollar)}"`;
}

/** @throws ExitError for a path that can't stand in a unit. */
function escaped(text: string): string {
  if (/[\r\n\0]/.test(text))
    throw new ExitError(exitCodes.failed, `${JSON.stringify(text)} can't stand in a systemd unit`);
  return text.replaceAll('%', '%%');
}
