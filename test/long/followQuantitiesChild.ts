/** Follows the series below a folder of results, and says each round, until it is killed. */
import { nodeFiles } from '../../src/files/files.ts';
import { QuantitiesFollower } from '../../src/sinks/quantities/quantitiesFollower.ts';

const follower = new QuantitiesFollower(
  { windowFrames: 15, groups: [{ name: 'all', has: () => true }], zero: null, sensor: '', alarmSigmas: 0, key: '1' },
  {
    files: nodeFiles,
    results: process.argv[2]!,
    // Time goes a hundred thousand times as fast: what is kept every ten minutes is kept in most rounds.
    monotonic: () => performance.now() * 100_000,
    wait: async () => undefined,
    signal: new AbortController().signal,
  },
);
for (;;) {
  await follower.round();
  process.stdout.write('round\n');
  await new Promise(resolve => setImmediate(resolve));
}
