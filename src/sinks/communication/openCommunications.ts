import type { Communication, CommunicationOptions } from './communication.ts';
import { communicationMethods } from './communicationMethods.ts';

/**
 * Opens the communications that the configuration names, as one. Words of methods that this version does not have yet are
 * passed over; the configuration's warnings say so.
 *
 * Those that keep no place are told first: what stands in the output of one that does was told to all others, and is not
 * repeated after a crash.
 */
export async function openCommunications(
  words: readonly string[],
  options: CommunicationOptions,
): Promise<Communication> {
  const opened: Communication[] = [];
  try {
    for (const [word, open] of Object.entries(communicationMethods)) {
      if (words.includes(word)) opened.push(await open(options));
    }
  } catch (error) {
    await Promise.all(opened.map(one => one.close()));
    throw error;
  }
  const placed = opened.filter(one => one.position() !== null);
  const others = opened.filter(one => one.position() === null);
  const each = async (act: (one: Communication) => Promise<unknown>): Promise<void> => {
    for (const one of [...others, ...placed]) await act(one);
  };
  return {
    position: () => placed[0]?.position() ?? null,
    recover: async unsettled => {
      for (const one of others) await one.recover(unsettled);
      const complete = await Promise.all(placed.map(one => one.recover(unsettled)));
      return complete.reduce((all, next) => new Set(all).intersection(next), complete[0] ?? new Set());
    },
    report: results => each(one => one.report(results)),
    flush: () => each(one => one.flush()),
    close: () => each(one => one.close()),
  };
}
