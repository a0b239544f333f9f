import { InvalidArgumentError } from 'commander';
import { type CommandDefinition, positive } from './commandDefinition.ts';
import type { PreviewOptions } from './runPreview.ts';

/** `preview`: what the camera sees, in a browser. */
export const preview: CommandDefinition<PreviewOptions> = {
  usage: 'preview',
  summary: 'show what the camera sees in a browser, with histogram and sharpness, until Ctrl-C',
  examples: ['--config my.toml preview', 'preview --port 8080', 'preview --listen 192.168.1.20'],
  declare: command =>
    command
      .option('--port <number>', 'port to listen at', portNumber, 5555)
      .option(
        '--listen <address>',
        'address to listen at; others than 127.0.0.1 let everybody watch who reaches it',
        '127.0.0.1',
      )
      .option('--interval <seconds>', 'from one frame to the next, at least', positive, 0.2)
      .option('--raw', 'of a camera of the Raspberry Pi: its own video (H.264) for VLC instead of the page')
      .addHelpText(
        'after',
        '\nOver SSH: "ssh -L 5555:localhost:5555 pi@raspberrypi", then http://localhost:5555 in a browser of your own machine,\nor http://localhost:5555/stream.mjpg in VLC. The pipeline must not use the camera meanwhile: "phorest pause collector".',
      ),
  run: async (context, _args, options) =>
    options.raw
      ? (await import('./runRawPreview.ts')).runRawPreview(context, options)
      : (await import('./runPreview.ts')).runPreview(context, options),
};

/** Reads a port. @throws InvalidArgumentError for what is none */
export function portNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError('Give a whole number from 1 to 65535, or 0 for one that is free.');
}
