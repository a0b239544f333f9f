import { type PresentWord, wordList } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const sinks = {
  CSV_PLOT: 'a table and a plot in results_dir',
  OPC_UA: { meaning: 'a server for OPC UA clients', later: true },
  MQTT: { meaning: 'messages to an MQTT broker', later: true },
} as const;

/** A way to communicate that this version has. */
export type PresentMethod = PresentWord<typeof sinks>;

/** `[Communication]`: who is told of results. */
export const communication = section(
  { doc: 'Who is told of the results.' },
  {
    method: setting(wordList(sinks), {
      absent: 'CSV_PLOT',
      doc: 'Where results are reported: one word, or a list in brackets.',
      effect: 'live',
    }),
  },
);
