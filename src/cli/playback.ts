import type { CommandDefinition } from './commandDefinition.ts';
import type { PlaybackOptions } from './steerReplay.ts';

/** `playback ACTION`: steers a replay that runs, from any terminal. */
export const playback: CommandDefinition<PlaybackOptions> = {
  usage: 'playback [action] [value]',
  summary: 'steer a replay that runs: pause, resume, step, speed, seek; alone, say where it stands',
  examples: ['--root replays/Pos0-fano playback pause', '--root replays/Pos0-fano playback seek 12:30'],
  words: ['pause', 'resume', 'step', 'speed', 'seek'],
  declare: command =>
    command
      .option('--json', 'print where the replay stands then, as the status file has it')
      // A place may begin with a minus: -5min.
      .allowUnknownOption()
      .addHelpText(
        'after',
        `
Actions:
  pause          hold the next frame; those that were read are analysed
  resume         go on
  step [n]       read one frame (or n), and hold the next one
  speed FACTOR   times the recorded pace, from 0.001 up, or max: as fast as frames are analysed
  seek PLACE     go to a frame (120), some frames on or back (+10, -10), a share (50%), a time of day (12:30),
                 a moment (2025-07-24T12:30, as in the table), or so long on or back (+5min, -30s)

A seek passes over what it leaves out: those frames are skipped, and told as skipped. A seek back reads what
was skipped. What was read has its result, and is never read twice.`,
      ),
  run: async (context, words, options) =>
    (await import('./steerReplay.ts')).steerReplay(
      context,
      words.filter(word => word !== undefined),
      options,
    ),
};
