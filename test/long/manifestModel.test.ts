import { expect, test } from 'vitest';
import { runModel } from '../manifest/manifestModel.ts';

test('thousands of random sequences by two writers lose nothing', async ({ annotate }) => {
  const run = await runModel({ numRuns: 20_000, timeLimitMs: Number(process.env.MANIFEST_MODEL_MS ?? 300_000) });
  await annotate(`${run.sequences} sequences of ${run.acts} acts, ${run.hits} faults and suspensions hit`);
  expect(run.sequences).toBeGreaterThan(200);
});
