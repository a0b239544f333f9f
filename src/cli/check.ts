import { stat } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';

/** `check config`: says what is wrong before an experiment does, and where everything is. */
export const check: CommandDefinition = {
  usage: 'check [what]',
  kind: 'tool',
  summary: 'say what is wrong with the configuration, and print every path',
  declare: command => command.addHelpText('after', '\nWhat can be checked: config (default).'),
  run: async (context, [what = 'config']) => {
    const [{ loadConfig }, { describeProblem }, { mountWarnings }] = await Promise.all([
      import('./loadConfig.ts'),
      import('../config/configError.ts'),
      import('../storage/networkMount.ts'),
    ]);
    const { output } = context;
    if (what !== 'config') {
      output.error(`"check ${what}" is not there; "check config" is`);
      return exitCodes.usage;
    }
    const { chosen, config, warnings, text, paths } = await loadConfig(context);
    output.line(text === null ? `no ${chosen.shown}: the shipped defaults are used` : `configuration  ${chosen.path}`);
    const share = config.Services.enable_remote_sync ? paths.remote.root : null;
    const told = [
      ...warnings.map(warning => describeProblem(chosen.shown, warning)),
      ...mountWarnings({ backup: paths.backup, share }),
      ...(await openSecrets(chosen.path, config)),
    ];
    for (const warning of told) output.line(`warning: ${warning}`);
    output.line(`${told.length ? `${told.length} warnings, no` : 'no'} errors`);
    output.line('');
    const { remote, ...local } = paths;
    const rows = [...Object.entries(local), ...Object.entries(remote).map(([name, path]) => [`remote ${name}`, path])];
    const width = Math.max(...rows.map(([name]) => name!.length));
    for (const [name, path] of rows) output.line(`${name!.padEnd(width)}  ${path}`);
    return exitCodes.done;
  },
};

/** What is secret in a file that everybody may read. */
async function openSecrets(file: string, config: Config): Promise<string[]> {
  const { secretsIn } = await import('../config/secrets.ts');
  const secrets = secretsIn(config);
  if (secrets.length === 0 || ((await stat(file)).mode & 0o077) === 0) return [];
  return [`${file} holds ${secrets.join(' and ')}, and others may read it: chmod 600 ${file}`];
}
