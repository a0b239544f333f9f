import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { ServiceOptions } from './systemdService.ts';

/** `service install|uninstall`: the pipeline as a service of systemd, that starts with the machine. */
export const service: CommandDefinition<ServiceOptions> = {
  usage: 'service <what>',
  summary: 'install or uninstall: a systemd unit that runs the pipeline of this experiment',
  words: ['install', 'uninstall'],
  examples: ['--config my.toml service install --dry-run', '--root /data/run7 service uninstall'],
  declare: command =>
    command
      .option('--system', 'a unit of the system (the default for root)')
      .option('--user', "a unit of the user's own systemd (the default for everybody else)")
      .option('--dry-run', 'print the unit and where it would stand, and write nothing')
      .addHelpText('after', '\nWhat: install, uninstall. It prints the commands that make systemd take it over.'),
  run: async (context, [what = ''], options) => {
    const { installService, uninstallService } = await import('./systemdService.ts');
    if (what === 'install') return installService(context, options);
    if (what === 'uninstall') return uninstallService(context, options);
    throw new ExitError(
      exitCodes.usage,
      `"service ${what}" is not there; "service install" and "service uninstall" are`,
    );
  },
};
