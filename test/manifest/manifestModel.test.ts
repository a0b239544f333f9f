import { expect, test } from 'vitest';
import { runModel } from './manifestModel.ts';

test('random sequences by two writers, with crashes, faults, stolen locks and hand edits, lose nothing', async () => {
  const run = await runModel({ numRuns: 400, timeLimitMs: 6_000 });
  expect(run.sequences).toBeGreaterThan(20);
  expect(run.hits).toBeGreaterThan(20);
});
