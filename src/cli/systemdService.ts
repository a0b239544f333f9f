import { createHash } from 'node:crypto';
import { access, rm } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { nodeFiles } from '../storage/files.ts';
import { writeAtomic } from '../storage/writeAtomic.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { launcher, nodeFlags } from './launch.ts';
import { loadConfig } from './loadConfig.ts';
import { loadSteered } from './loadSteered.ts';
import type { ServiceOptions } from './service.ts';

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
  await nodeFiles.makeFolder(join(unit.path, '..'));
  // Installed through sudo, it runs as the user who did that.
  const { SUDO_USER: user } = context.environment;
  const runAs = !unit.ofUser && user && /^[a-z_][\w.-]*\$?$/i.test(user) ? user : null;
  await writeAtomic(
    nodeFiles,
    unit.path,
    unitText({ root: paths.root, cwd: context.cwd, words, ofUser: unit.ofUser, runAs }),
  );
  output.line(`wrote ${unit.path}`);
  output.line('It starts with the machine, and again when it fails. Now run:');
  output.line(`  ${unit.systemctl} daemon-reload`);
  output.line(`  ${unit.systemctl} enable --now ${unit.name}`);
  if (unit.ofUser)
    output.line(`  loginctl enable-linger ${userInfo().username}      (so that it runs while nobody is logged in)`);
  output.line(`"phorest" shows it; "${unit.systemctl} stop ${unit.name}" drains and stops it`);
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
  await rm(unit.path);
  // The link that "systemctl enable" made: systemctl can't remove it any more without the unit.
  await rm(join(unit.path, '..', `${wantedBy(unit)}.wants`, unit.name), { force: true });
  output.line(`removed ${unit.path}`);
  output.line('A pipeline that it runs goes on until it is stopped. Now run:');
  output.line(`  ${unit.systemctl} stop ${unit.name}`);
  output.line(`  ${unit.systemctl} daemon-reload`);
  return exitCodes.done;
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
  /** User of a system's unit; null: root. */
  runAs: string | null;
}

/**
 * A drain may take as long as a large frame does; what does not end then is killed, and loses nothing. A wrong
 * configuration or a stage that is held (2, 3) does not mend by starting again.
 */
export function unitText({ root, cwd, words, ofUser, runAs }: UnitText): string {
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
RestartPreventExitStatus=2 3
SuccessExitStatus=130 143

[Install]
WantedBy=${wantedBy({ ofUser })}
`;
}

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
