import { expect, test } from 'vitest';
import { hammer } from '../manifest/hammering.ts';

test('two processes that are killed 250 times lose nothing and leave nothing stuck', async ({ annotate }) => {
  const { kills, acknowledged, slowestStartMs } = await hammer(250);
  await annotate(`${kills} kills, ${acknowledged} acknowledged changes, slowest start ${slowestStartMs.toFixed(0)} ms`);
  expect(slowestStartMs).toBeLessThan(5_000);
});
