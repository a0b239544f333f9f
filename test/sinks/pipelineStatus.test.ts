import { describe, expect, it } from 'vitest';
import type { PipelineEvent, StageEvent } from '../../src/model/event.ts';
import { mergeStatuses } from '../../src/sinks/mergeStatuses.ts';
import { emptyStatus, reduceStatus, type StatusState, statusOf, wholeState } from '../../src/sinks/pipelineStatus.ts';

const own = { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 };
const t0 = Date.UTC(2026, 10, 22, 12);
const statusAfter = (...events: PipelineEvent[]): StatusState => events.reduce(reduceStatus, emptyStatus);
const at = (state: StatusState, ms: number) => statusOf(state, own, { startedAt: t0, at: t0 + ms });
const done = (ms: number, detail: Record<string, string | number> = {}): StageEvent => ({
  kind: 'done',
  stage: 'processor',
  at: t0 + ms,
  entryId: 'A',
  ms: 40,
  detail,
});
const state = (
  name: StageEvent['stage'],
  value: 'running' | 'stopped' | 'draining' | 'paused' | 'off',
): StageEvent => ({
  kind: 'state',
  stage: name,
  at: t0,
  state: value,
});

describe('reduceStatus', () => {
  it('counts what a stage took, did, failed at and left out', () => {
    const status = at(
      statusAfter(
        state('processor', 'running'),
        { kind: 'queued', stage: 'processor', at: t0, count: 12 },
        { kind: 'expected', stage: 'processor', at: t0, count: 24 },
        { kind: 'claimed', stage: 'processor', at: t0, count: 4 },
        done(10),
        { kind: 'failed', stage: 'processor', at: t0 + 20, entryId: 'B', ms: 5, error: 'B.png is damaged' },
        { kind: 'discarded', stage: 'processor', at: t0 + 30, entryId: 'C', reason: 'cut short' },
        { kind: 'discarded', stage: 'processor', at: t0 + 30, entryId: null, reason: 'not wanted' },
      ),
      1000,
    );
    expect(status).toMatchObject({ ...own, state: 'running', started: '2026-11-22T12:00:00.000000Z' });
    expect(status.stages.processor).toEqual({
      state: 'running',
      queued: 12,
      expected: 24,
      in_flight: 1,
      done: 1,
      failed: 1,
      discarded: 2,
      lost: 0,
      per_minute: 2,
      last_ms: 5,
      last_error: 'B.png is damaged',
      heartbeat: '2026-11-22T12:00:00.030000Z',
    });
    expect(status.stages.collector).toBeUndefined();
  });

  it('measures the rate over the last minute, and survives a clock that is set', () => {
    let running = emptyStatus;
    for (let ms = 0; ms < 300_000; ms += 1000) running = reduceStatus(running, done(ms));
    expect(at(running, 300_000).stages.processor?.per_minute).toBeGreaterThanOrEqual(55);
    expect(at(running, 300_000).stages.processor?.per_minute).toBeLessThanOrEqual(60);
    expect(at(running, 400_000).stages.processor?.per_minute).toBe(0);
    for (let i = 0; i < 10; i++) running = reduceStatus(running, done(-86_400_000 + i));
    expect(at(running, -86_400_000 + 100).stages.processor?.per_minute).toBe(10);
  });

  it('stays of the same size whatever the run is', () => {
    let running = emptyStatus;
    let size = 0;
    for (let i = 0; i < 20_000; i++) {
      running = reduceStatus(running, done(i * 1500, { rois: 80, image: 'a.png' }));
      running = reduceStatus(running, {
        kind: 'alarm',
        stage: 'collector',
        at: t0,
        key: `k${i % 500}`,
        message: 'x'.repeat(2000),
        retryInMs: 1,
      });
      if (i === 2000) size = JSON.stringify(at(running, i * 1500)).length;
    }
    expect(JSON.stringify(at(running, 20_000 * 1500)).length).toBeLessThan(size * 1.05);
    expect(at(running, 0).series.at(-1)?.values).toEqual({ rois: 80 });
  });

  it('keeps an alarm until it is well, with when it began', () => {
    const alarm = (ms: number): StageEvent => ({
      kind: 'alarm',
      stage: 'collector',
      at: t0 + ms,
      key: 'camera',
      message: `no camera ${ms}`,
      retryInMs: 1000,
    });
    const raised = statusAfter(alarm(0), alarm(5000));
    expect(at(raised, 6000).alarms).toEqual([
      { stage: 'collector', key: 'camera', message: 'no camera 5000', since: '2026-11-22T12:00:00.000000Z', times: 2 },
    ]);
    expect(at(reduceStatus(raised, { kind: 'well', stage: 'collector', at: t0, key: 'camera' }), 1).alarms).toEqual([]);
  });

  it('shows the configuration that holds and the error of the one that does not', () => {
    const good = statusAfter({ kind: 'config', at: t0, file: 'a.toml', changes: [], warnings: [] });
    const bad = reduceStatus(good, { kind: 'config_error', at: t0 + 1, file: 'a.toml', error: 'line 3' });
    expect(at(bad, 2).config).toEqual({ file: 'a.toml', loaded: '2026-11-22T12:00:00.000000Z', error: 'line 3' });
    expect(at(good, 2).config.error).toBeNull();
  });

  it.each([
    [[], 'starting'],
    [['off', 'running'], 'running'],
    [['running', 'draining'], 'draining'],
    [['paused', 'paused'], 'paused'],
    [['stopped', 'off'], 'stopped'],
  ] as const)('%j is %s as a whole', (states, whole) => {
    expect(wholeState(states)).toBe(whole);
  });
});

describe('mergeStatuses', () => {
  it('sums a stage that runs in several processes, and speaks for the oldest that lives', () => {
    const events = [
      state('processor', 'running'),
      { kind: 'queued', stage: 'processor', at: t0, count: 9 },
      done(0),
    ] as const;
    const first = {
      ...at(statusAfter(state('collector', 'running'), ...events), 5000),
      pid: 1,
      started: '2026-11-22T11:00',
    };
    const second = at(statusAfter(...events, done(10)), 5000);
    const gone = {
      ...at(statusAfter(state('backup', 'stopped')), 0),
      pid: 3,
      started: '2026-11-22T10:00',
      state: 'stopped' as const,
    };
    const merged = mergeStatuses([second, gone, first]);
    expect(merged).toMatchObject({ pid: 1, state: 'running' });
    expect(merged.stages.processor).toMatchObject({ done: 3, per_minute: 3, queued: 9, state: 'running' });
    expect(Object.keys(merged.stages).toSorted()).toEqual(['backup', 'collector', 'processor']);
    expect(merged.processes.map(({ pid, stages }) => [pid, stages])).toEqual([
      [3, ['backup']],
      [1, ['collector', 'processor']],
      [7, ['processor']],
    ]);
  });
});
