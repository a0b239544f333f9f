import { expect, test } from 'vitest';
import { pausedWords } from '../../src/cli/setPaused.ts';
import { samplePipeline } from '../world/healthWorld.ts';

test('a stage that is off is not said to be paused: it rests once it is switched on', () => {
  const running = [samplePipeline({ health: { state: 'off' }, processor: { state: 'paused' } })];
  expect(pausedWords('processor', running, 'phorest resume processor')).toBe(
    'the processor is paused; "phorest resume processor" lets it go on',
  );
  for (const stage of ['health', 'syncer'] as const)
    expect(pausedWords(stage, running, 'phorest resume it')).toBe(
      `the ${stage} is off; once it is switched on it rests until "phorest resume it"`,
    );
});
