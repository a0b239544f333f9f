import type { Command } from 'commander';
import type { CommandDefinition } from './commandDefinition.ts';
import { graphStages } from './stageList.ts';

const declare = (command: Command): Command =>
  command.addHelpText('after', `\nStages: ${graphStages.join(', ')}. It holds over restarts of the pipeline.`);

/** `pause STAGE`: lets a stage finish what is in flight and rest. */
export const pause: CommandDefinition = {
  usage: 'pause <stage>',
  summary: 'let a stage rest; what it has in work is finished, the others go on',
  examples: ['--config my.toml pause processor', '--root /data/run7 pause syncer'],
  words: graphStages,
  declare,
  run: async (context, [stage = '']) => (await import('./setPaused.ts')).setPaused(context, stage, true),
};

/** `resume STAGE`. */
export const resume: CommandDefinition = {
  usage: 'resume <stage>',
  summary: 'let a stage that was paused go on',
  examples: ['--config my.toml resume processor'],
  words: graphStages,
  declare,
  run: async (context, [stage = '']) => (await import('./setPaused.ts')).setPaused(context, stage, false),
};
