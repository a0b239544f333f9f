import { describe, expect, it } from 'vitest';
import { StartWatch } from '../../src/cli/startReport.ts';
import type { PipelineEvent } from '../../src/model/event.ts';
import type { StageName, StageState } from '../../src/model/stageName.ts';

const state = (stage: StageName, value: StageState): PipelineEvent => ({ kind: 'state', stage, at: 0, state: value });
const alarm = (stage: StageName, message: string): PipelineEvent => ({
  kind: 'alarm',
  stage,
  at: 0,
  key: 'k',
  message,
  retryInMs: 1000,
});
const config = (...warnings: string[]): PipelineEvent => ({
  kind: 'config',
  at: 0,
  file: 'a.toml',
  changes: [],
  warnings,
});

describe('StartWatch', () => {
  const all: readonly StageName[] = ['collector', 'processor', 'communicator'];

  it('reports once every stage runs, upstream first, with the warnings of the configuration', () => {
    const watch = new StartWatch(all);
    for (const event of [config('unknown key "x"'), ...all.map(stage => state(stage, 'starting'))]) {
      expect(watch.take(event)).toBeNull();
    }
    expect(watch.take(state('processor', 'running'))).toBeNull();
    expect(watch.take(state('communicator', 'running'))).toBeNull();
    expect(watch.take(state('collector', 'running'))).toEqual({
      stages: all.map(stage => ({ stage, state: 'running' })),
      warnings: ['unknown key "x"'],
    });
    expect(watch.take(state('collector', 'draining'))).toBeNull();
    expect(watch.take(state('collector', 'stopped'))).toBeNull();
  });

  it('takes a stage that rests, is off, or says why it can not work for an answer', () => {
    const watch = new StartWatch(all);
    expect(watch.take(state('collector', 'off'))).toBeNull();
    expect(watch.take(state('communicator', 'paused'))).toBeNull();
    expect(watch.take(alarm('processor', 'no ROI manifest'))?.stages).toEqual([
      { stage: 'collector', state: 'off' },
      { stage: 'processor', state: 'alarm: no ROI manifest' },
      { stage: 'communicator', state: 'paused' },
    ]);
  });

  it('says of a stage that rests by itself why, and of one that a person has paused that it is paused', () => {
    const full = 'only 3 MB are free: free some space';
    const words = (...events: PipelineEvent[]) => {
      const watch = new StartWatch(['collector', 'processor']);
      for (const event of events) watch.take(event);
      return watch.take(state('processor', 'running'))?.stages[0]?.state;
    };
    const rests = [alarm('collector', full), state('collector', 'paused')];
    const control: PipelineEvent = { kind: 'control', at: 0, seq: 1, paused: ['collector'] };
    expect(words(...rests)).toBe(`rests: ${full}`);
    expect(words(control, ...rests)).toBe(`paused, and rests besides: ${full}`);
    expect(words(control, state('collector', 'paused'))).toBe('paused');
    const over: PipelineEvent = { kind: 'well', stage: 'collector', at: 0, key: 'k' };
    expect(words(...rests, over, control)).toBe('paused');
  });

  it('tells what a stage said last', () => {
    const watch = new StartWatch(['collector', 'processor']);
    watch.take(alarm('collector', 'no camera yet'));
    watch.take(state('collector', 'running'));
    expect(watch.take(state('processor', 'running'))?.stages[0]).toEqual({ stage: 'collector', state: 'running' });
  });

  it('waits for the stages that run here, and not for what else happens', () => {
    const watch = new StartWatch(['processor']);
    expect(watch.take({ kind: 'queued', stage: 'processor', at: 0, count: 3 })).toBeNull();
    expect(watch.take({ kind: 'note', at: 0, level: 'error', stage: 'processor', message: 'm' })).toBeNull();
    expect(watch.take({ kind: 'control', at: 0, seq: 1, paused: ['processor'] })).toBeNull();
    expect(watch.take(state('processor', 'running'))).not.toBeNull();
  });

  it('has a clock that was set back among the warnings, and takes the stage for up', () => {
    const watch = new StartWatch(['collector']);
    const behind = { ...alarm('collector', 'set back'), key: 'clock_behind' } as PipelineEvent;
    expect(watch.take(behind)).toBeNull();
    expect(watch.take(state('collector', 'running'))).toEqual({
      stages: [{ stage: 'collector', state: 'running' }],
      warnings: ['set back'],
    });
  });
});
