import type { Command } from 'commander';
import type { CommandDefinition } from './commandDefinition.ts';
import { graphStages } from './stageList.ts';

const declare = (command: Command): Command =>
  command.addHelpText('after', `\nStages: ${graphStages.join(', ')}. It holds over restarts of the pipeline.`);

/** `pause STAGE`: lets a stage finish what is in flight and rest. */
export const pause: CommandDefinition = {
  usage: 'pause <stage>',
  summary: 'let a stage rest; what it has in flight is finished, the others go on',
  declare,
  run: async (context, [stage = '']) => (await import('./setPaused.ts')).setPaused(context, stage, true),
};

/** `resume STAGE`. */
export const resume: CommandDefinition = {
  usage: 'resume <stage>',
  summary: 'let a stage that was paused go on',
  declare,
  run: async (context, [stage = '']) => (await import('./setPaused.ts')).setPaused(context, stage, false),
};
