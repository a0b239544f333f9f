import { InvalidArgumentError, Option } from 'commander';
import type { CaptureOptions } from './captureOne.ts';
import { type CommandDefinition, positive } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

/**
 * `capture`: one frame; with `--continuous` one after another, to focus by; with `--expose` the search for an exposure, with `--dark` the
 * counts without light.
 */
export const capture: CommandDefinition<CaptureOptions> = {
  usage: 'capture',
  summary:
    'take a frame with the camera of the configuration: to try it, to set the focus, to find the exposure or the counts without light',
  examples: [
    '--config my.toml capture --out first.png',
    'capture --continuous',
    'capture --expose --write',
    'capture --dark',
  ],
  kind: 'tool',
  declare: command =>
    command
      .option('--out <file>', 'where the frame goes, .png or .jpg (default: a new file in continuous_capture_dir)')
      .addOption(
        new Option(
          '--continuous',
          'frames until Ctrl-C, each over the one before, with its sharpness and the picture itself',
        ).conflicts('out'),
      )
      .option(
        '--interval <seconds>',
        'with --continuous: from one frame to the next, at least (default: 0.5)',
        positive,
      )
      .option('--no-picture', 'with --continuous: figures alone')
      .addOption(
        new Option(
          '--expose',
          'search the exposure at which the brightest gratings stay just below saturation',
        ).conflicts('out'),
      )
      .option(
        '--target <percent>',
        'with --expose: share of the full scale that the brightest grating reaches (default: 85)',
        percent,
      )
      .option('--max-exposure <number>', "with --expose: the longest one, in the camera's own unit", positive)
      .addOption(
        new Option(
          '--dark',
          'with the lens covered: measure the counts of the camera without light, dark_level',
        ).conflicts('out'),
      )
      .option('--write', 'with --expose or --dark: write what was found into the configuration without asking')
      .addHelpText(
        'after',
        '\nThe camera is that of the pipeline, which must not use it meanwhile: "phorest pause collector" makes it let go.',
      ),
  run: async (context, _args, options) => {
    const asked = (['continuous', 'expose', 'dark'] as const).filter(name => options[name]);
    if (asked.length > 1)
      throw new ExitError(exitCodes.usage, `${asked.map(name => `--${name}`).join(' and ')}: one at a time`);
    refuseAlone(options);
    if (options.dark) return (await import('./captureDark.ts')).captureDark(context, options);
    if (options.expose) return (await import('./captureExposure.ts')).captureExposure(context, options);
    if (options.continuous) return (await import('./captureContinuously.ts')).captureContinuously(context, options);
    return (await import('./captureOne.ts')).captureOne(context, options);
  },
};

/** An option that nothing would come of. @throws ExitError */
function refuseAlone(options: CaptureOptions): void {
  const { continuous, interval, picture, expose, dark, target, maxExposure, write } = options;
  const without = {
    '--expose': expose ? {} : { '--target': target, '--max-exposure': maxExposure },
    '--expose or --dark': expose || dark ? {} : { '--write': write },
    '--continuous': continuous ? {} : { '--interval': interval, '--no-picture': !picture || undefined },
  };
  for (const [needed, lone] of Object.entries(without)) {
    const given = Object.entries(lone).find(([, value]) => value !== undefined)?.[0];
    if (given !== undefined) throw new ExitError(exitCodes.usage, `${given} does nothing without ${needed}`);
  }
}

function percent(text: string): number {
  const value = Number(text);
  if (value >= 10 && value <= 95) return value;
  throw new InvalidArgumentError('Give a number from 10 to 95.');
}
