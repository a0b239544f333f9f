import { expect, test } from 'vitest';
import { hammer } from './hammering.ts';

test('two processes that are killed at random moments lose nothing and leave nothing stuck', async ({ annotate }) => {
  const { kills, acknowledged, slowestStartMs } = await hammer(8);
  await annotate(`${kills} kills, ${acknowledged} acknowledged changes, slowest start ${slowestStartMs.toFixed(0)} ms`);
  expect(slowestStartMs).toBeLessThan(5_000);
});
