import { type CommandDefinition, positive } from './commandDefinition.ts';

export interface StopOptions {
  now?: true;
  timeout: number;
}

const defaultTimeoutS = 120;

/** `stop`: ends the pipeline's processes, with what is in flight finished. */
export const stop: CommandDefinition<StopOptions> = {
  usage: 'stop',
  summary: 'stop the pipeline when what is in work is finished; once more, or with --now, cuts it short',
  examples: ['--config my.toml stop', '--root /data/run7 stop --now'],
  declare: command =>
    command
      .option('--now', 'do not wait: what is in work is released, and done again later')
      .option('--timeout <seconds>', 'longest wait; then it is said what is still in work', positive, defaultTimeoutS),
  run: async (context, _args, { now, timeout }) => {
    const { stopPipeline } = await import('./stopPipeline.ts');
    const stopped = await stopPipeline(context, { now: now === true, timeoutMs: timeout * 1000 });
    return stopped.code;
  },
};
