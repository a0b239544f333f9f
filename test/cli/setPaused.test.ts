import { expect, test } from 'vitest';
import { goesOn, pausedWords } from '../../src/cli/setPaused.ts';
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

test('a stage that is not paused, and rests for a reason that stands as its alarm, is said to rest for it', () => {
  const running = [
    {
      ...samplePipeline({ collector: { state: 'paused' } }),
      alarms: [{ stage: 'collector', key: 'disk', message: 'the disk is full', since: '', times: 1 }],
    },
  ] as unknown as Parameters<typeof goesOn>[1];
  expect(goesOn('collector', running, 'not paused')).toBe(
    'the collector is not paused, and rests until this is over: the disk is full',
  );
  expect(goesOn('collector', [samplePipeline({})], 'not paused')).toBe('the collector is not paused');
});
