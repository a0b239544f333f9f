import { describe, expect, it } from 'vitest';
import type { PipelineEvent, StageEvent } from '../../../src/model/event.ts';
import { historyBucketMs, historyBuckets, type ProcessStatus } from '../../../src/model/status.ts';
import { mergeStatuses } from '../../../src/sinks/status/mergeStatuses.ts';
import {
  combinedState,
  emptyStatus,
  reduceStatus,
  type StatusState,
  statusOf,
} from '../../../src/sinks/status/statusOfEvents.ts';

const own = { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 };
const t0 = Date.UTC(2026, 10, 22, 12);
const statusAfter = (...events: PipelineEvent[]): StatusState => events.reduce(reduceStatus, emptyStatus);
const at = (state: StatusState, ms: number) => statusOf(state, own, { runId: 'run', startedAt: t0, at: t0 + ms });
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
      target_per_minute: null,
      per_second: null,
      peak_per_second: null,
      busy: 1,
      most_per_second: null,
      rows_per_second: null,
      bytes_per_second: null,
      last_done: '2026-11-22T12:00:00.020000Z',
      history: [...new Array(historyBuckets - 1).fill(0), 2],
      last_ms: 5,
      last_error: 'B.png is damaged',
      last_error_at: '2026-11-22T12:00:00.020000Z',
      last_error_over: null,
      heartbeat: '2026-11-22T12:00:00.030000Z',
      late: null,
    });
    expect(status.stages.collector).toBeUndefined();
  });

  it('says since when the last error is over: of an item once a later one is done, of the stage once its alarm has ended', () => {
    const failed = { kind: 'failed', stage: 'processor', at: t0, entryId: 'B', ms: 5, error: 'bad' } as const;
    const alarm = { kind: 'alarm', stage: 'processor', at: t0, key: 'disk', message: 'full', retryInMs: 0 } as const;
    const well = (key: string) => ({ kind: 'well', stage: 'processor', at: t0 + 90, key }) as const;
    const overAfter = (...events: PipelineEvent[]) => at(statusAfter(...events), 100).stages.processor?.last_error_over;
    expect(overAfter(failed)).toBeNull();
    expect(overAfter(failed, done(50), done(60))).toBe('2026-11-22T12:00:00.050000Z');
    expect(overAfter(alarm, done(50), well('camera'))).toBeNull();
    expect(overAfter(alarm, well('disk'), well('disk'))).toBe('2026-11-22T12:00:00.090000Z');
    expect(overAfter(failed, done(50), failed)).toBeNull();
  });

  it('keeps the last edit of the configuration, who took what of it, and what waits for a restart', () => {
    const config = (ms: number, changes: string[], restart: string[] = []) =>
      ({ kind: 'config', at: t0 + ms, file: 'c.toml', changes, warnings: [], restart }) as const;
    const taken = (ms: number, changes: string[]) =>
      ({ kind: 'settings', stage: 'collector', at: t0 + ms, changes }) as const;
    expect(at(statusAfter(config(0, [])), 0).config).not.toHaveProperty('edit');
    const edited = statusAfter(config(0, []), config(10, ['a 1 → 2', 'b 3 → 4'], ['b 3 → 4']), taken(12, ['a 1 → 2']));
    const edit = {
      at: '2026-11-22T12:00:00.010000Z',
      changes: ['a 1 → 2', 'b 3 → 4'],
      taken: [{ stage: 'collector', at: '2026-11-22T12:00:00.012000Z', changes: ['a 1 → 2'] }],
    };
    expect(at(edited, 20).config).toMatchObject({ edit, restart: ['b 3 → 4'] });
    // A mistake that was mended is no edit.
    const mended = reduceStatus(edited, config(30, [], ['b 3 → 4']));
    expect(at(mended, 40).config).toMatchObject({ edit, restart: ['b 3 → 4'] });
    const back = at(reduceStatus(mended, config(50, ['b 4 → 3'])), 60).config;
    expect(back).not.toHaveProperty('restart');
    expect(back.edit).toMatchObject({ changes: ['b 4 → 3'], taken: [] });
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

  it('keeps what was done in each of the last spans of time, oldest first', () => {
    let running = emptyStatus;
    const spans = 100;
    for (let span = 0; span < spans; span++) {
      for (let i = 0; i <= span % 3; i++) running = reduceStatus(running, done(span * historyBucketMs + i));
    }
    const history = (ms: number): number[] => at(running, ms).stages.processor!.history;
    const now = (spans - 1) * historyBucketMs + 100;
    const expected = Array.from({ length: historyBuckets }, (_, i) => ((spans - historyBuckets + i) % 3) + 1);
    expect(history(now)).toEqual(expected);
    // Time goes on without anything done.
    expect(history(now + 2 * historyBucketMs)).toEqual([...expected.slice(2), 0, 0]);
    expect(history(now + historyBuckets * historyBucketMs)).toEqual(new Array(historyBuckets).fill(0));
    // The clock is set back: what is ahead of it is not shown, and makes no hole in the list.
    expect(history(0)).toHaveLength(historyBuckets);
    running = reduceStatus(running, done(0));
    expect(history(0).at(-1)).toBe(1);
  });

  describe('tells which stage is late', () => {
    const pace = (intervalMs: number | null): StageEvent => ({
      kind: 'pace',
      stage: 'processor',
      at: t0,
      intervalMs,
      perMinute: 12,
    });
    const claimed: StageEvent = { kind: 'claimed', stage: 'processor', at: t0, count: 2 };
    const beat = (ms: number): StageEvent => ({ kind: 'beat', stage: 'processor', at: t0 + ms });
    const late = (ms: number, ...events: PipelineEvent[]) => at(statusAfter(...events), ms).stages.processor?.late;
    const running = state('processor', 'running');

    it('stale after one and a half of its intervals without a look for work', () => {
      expect(late(15_000, running, pace(10_000))).toBeNull();
      expect(late(15_001, running, pace(10_000))).toBe('stale');
      expect(late(15_001, running, pace(10_000), beat(10_000))).toBeNull();
      expect(late(25_001, running, pace(10_000), beat(10_000))).toBe('stale');
    });

    it('not before five seconds, however short its interval is', () => {
      expect(late(5_000, running, pace(200))).toBeNull();
      expect(late(5_001, running, pace(200))).toBe('stale');
    });

    it('hung when it has work and nothing comes of it, by how long the last item took', () => {
      expect(late(30_000, running, pace(10_000), claimed)).toBeNull();
      expect(late(30_001, running, pace(10_000), claimed)).toBe('hung');
      const slow: StageEvent = { kind: 'done', stage: 'processor', at: t0, entryId: 'A', ms: 20_000, detail: {} };
      expect(late(100_000, running, pace(10_000), claimed, slow)).toBeNull();
      expect(late(100_001, running, pace(10_000), claimed, slow)).toBe('hung');
    });

    it('also while others fill its queue, or its settings change', () => {
      const others: StageEvent[] = [
        { kind: 'queued', stage: 'processor', at: t0 + 60_000, count: 9 },
        { kind: 'expected', stage: 'processor', at: t0 + 60_000, count: 9 },
        { kind: 'settings', stage: 'processor', at: t0 + 60_000, changes: ['a'] },
        { ...pace(10_000), at: t0 + 60_000 },
      ];
      expect(late(60_001, running, pace(10_000), claimed, ...others)).toBe('hung');
      expect(late(60_001, running, pace(10_000), ...others)).toBe('stale');
    });

    it.each([
      ['has no pace: a folder is read as fast as there is room', [running, pace(null), claimed]],
      ['was never told of a pace', [running, claimed]],
      ['is paused', [running, pace(1000), state('processor', 'paused')]],
      ['drains', [running, pace(1000), claimed, state('processor', 'draining')]],
      ['is off', [pace(1000), state('processor', 'off')]],
      ['has stopped', [running, pace(1000), state('processor', 'stopped')]],
      [
        'waits because of an alarm',
        [running, pace(1000), { kind: 'alarm', stage: 'processor', at: t0, key: 'k', message: 'm', retryInMs: 1 }],
      ],
    ] as [string, PipelineEvent[]][])('never one that %s', (_what, events) => {
      expect(late(86_400_000, ...events)).toBeNull();
    });
  });

  it('has nothing in flight for a stage that was cut off and rests', () => {
    const status = at(
      statusAfter(
        state('processor', 'running'),
        { kind: 'claimed', stage: 'processor', at: t0, count: 4 },
        state('processor', 'paused'),
      ),
      10,
    );
    expect(status.stages.processor).toMatchObject({ state: 'paused', in_flight: 0 });
    expect(status.state).toBe('paused');
  });

  it('has every stage that runs from the start, upstream first, and no other', () => {
    const status = statusOf(statusAfter(state('communicator', 'running')), own, {
      runId: 'run',
      runs: ['processor', 'communicator', 'collector'],
      startedAt: t0,
      at: t0,
    });
    expect(Object.entries(status.stages).map(([name, { state }]) => [name, state])).toEqual([
      ['collector', 'starting'],
      ['processor', 'starting'],
      ['communicator', 'running'],
    ]);
    expect(statusOf(emptyStatus, own, { runId: 'run', startedAt: t0, at: t0 })).toMatchObject({
      state: 'starting',
      stages: {},
      run_id: 'run',
      control: { seq: 0, paused: [] },
    });
  });

  it('acknowledges the control file that it has seen', () => {
    const seen = statusAfter({ kind: 'control', at: t0, seq: 4, paused: ['processor'] });
    expect(at(seen, 1).control).toEqual({ seq: 4, paused: ['processor'] });
    expect(at(reduceStatus(seen, { kind: 'control', at: t0, seq: 5, paused: [] }), 1).control.seq).toBe(5);
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

  it('keeps the warnings of the configuration that holds until they are mended', () => {
    const told = { kind: 'config', file: 'a.toml', changes: [] } as const;
    const warned = statusAfter({ ...told, at: t0, warnings: ['a.toml:3:1: unknown key'] });
    const bad = reduceStatus(warned, { kind: 'config_error', at: t0 + 1, file: 'a.toml', error: 'line 3' });
    expect(at(bad, 2).config.warnings).toEqual(['a.toml:3:1: unknown key']);
    expect(at(reduceStatus(bad, { ...told, at: t0 + 2, warnings: [] }), 3).config.warnings).toBeUndefined();
  });

  it.each([
    [[], 'starting'],
    [['off', 'running'], 'running'],
    [['running', 'draining'], 'draining'],
    [['paused', 'paused'], 'paused'],
    [['stopped', 'off'], 'stopped'],
  ] as const)('%j is %s as a whole', (states, whole) => {
    expect(combinedState(states)).toBe(whole);
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

  const process = (pid: number, started: string, ...events: PipelineEvent[]): ProcessStatus => ({
    ...at(statusAfter(...events), 5000),
    pid,
    started,
  });

  it('has the stages upstream first, whichever process was started first', () => {
    const merged = mergeStatuses([
      process(1, '2026-11-22T10:00', state('communicator', 'running')),
      process(2, '2026-11-22T11:00', state('collector', 'running')),
      process(3, '2026-11-22T12:00', state('processor', 'running')),
    ]);
    expect(Object.keys(merged.stages)).toEqual(['collector', 'processor', 'communicator']);
  });

  it('names the newest image that any process knows', () => {
    const image = (taken: string) => ({ filename: `${taken}.png`, filepath: '/data', original: false, taken });
    const merged = mergeStatuses([
      { ...process(1, '2026-11-22T10:00'), last_image: image('2026-11-22T12:00') },
      { ...process(2, '2026-11-22T11:00'), last_image: image('2026-11-22T12:01') },
      process(3, '2026-11-22T12:00'),
    ]);
    expect(merged.last_image?.filename).toBe('2026-11-22T12:01.png');
    expect(mergeStatuses([process(3, '2026-11-22T12:00')]).last_image).toBeNull();
  });

  it('acknowledges a wish once every process has seen it', () => {
    const control = (seq: number, ...paused: ProcessStatus['control']['paused']): PipelineEvent => ({
      kind: 'control',
      at: t0,
      seq,
      paused,
    });
    const first = process(1, '2026-11-22T10:00', control(5, 'processor'));
    const second = process(2, '2026-11-22T11:00', control(4));
    expect(mergeStatuses([first, second]).control).toEqual({ seq: 4, paused: [] });
    expect(mergeStatuses([first, { ...second, control: first.control }]).control).toEqual({
      seq: 5,
      paused: ['processor'],
    });
  });

  it('sums what was done by span of time, and tells when one of several is late', () => {
    const pace: StageEvent = { kind: 'pace', stage: 'processor', at: t0, intervalMs: 1000, perMinute: 12 };
    const silent = at(statusAfter(state('processor', 'running'), pace, done(10)), 8000);
    const busy = { ...at(statusAfter(state('processor', 'running'), pace, done(10), done(7990)), 8000), pid: 8 };
    const { processor } = mergeStatuses([silent, busy]).stages;
    expect(silent.stages.processor?.late).toBe('stale');
    expect(busy.stages.processor?.late).toBeNull();
    expect(processor).toMatchObject({ late: 'stale', per_minute: 3, target_per_minute: 12 });
    expect(processor?.history.slice(-2)).toEqual([2, 1]);
  });

  describe('says of the whole', () => {
    const stage = (name: StageEvent['stage'], perSecond: number, takesMs: number): PipelineEvent[] => [
      state(name, 'running'),
      ...Array.from({ length: 40 }, (_, k): StageEvent[] => {
        const from = t0 + (k * 1000) / perSecond;
        const detail = { bytes: 1e6, rows: 100, latency_ms: k };
        return [
          { kind: 'claimed', stage: name, at: from, count: 1 },
          { kind: 'done', stage: name, at: from + takesMs, entryId: 'A', ms: takesMs, detail },
        ];
      }).flat(),
    ];
    const waiting = (count: number): StageEvent => ({ kind: 'queued', stage: 'processor', at: t0, count });
    const merged = (...events: PipelineEvent[]) => mergeStatuses([at(statusAfter(...events), 20_000)]);

    it('how fast it is, what it writes, how long a result takes, and who is busiest', () => {
      const { throughput } = merged(
        ...stage('collector', 2, 50),
        ...stage('processor', 2, 200),
        ...stage('syncer', 2, 100),
      );
      expect(throughput).toMatchObject({
        stage: 'processor',
        per_second: 2,
        rows_per_second: 200,
        disk_bytes_per_second: 2e6,
        share_bytes_per_second: 2e6,
        latency: { median_ms: 19, p95_ms: 37, results: 40 },
        waiting: 0,
        clears_in_ms: 0,
        finished: 40,
        busiest: { stage: 'processor', busy: 0.4 },
      });
    });

    it('how long what waits will take, by what the stage can do beyond what comes', () => {
      // Five a second at most, two come: 30 are gone in ten seconds.
      const { stages, throughput } = merged(...stage('collector', 2, 50), ...stage('processor', 2, 200), waiting(30));
      expect(stages.processor?.clears_in_ms).toBe(10_000);
      expect(throughput).toMatchObject({ waiting: 30, clears_in_ms: 10_000 });
    });

    it('that it will never end where more comes than it can do', () => {
      const { stages } = merged(...stage('collector', 2, 50), ...stage('processor', 1, 999), waiting(30));
      expect(stages.processor?.clears_in_ms).toBe('never');
    });

    it('nothing where the stage rests, or has done too little to tell', () => {
      const rests = merged(...stage('processor', 2, 200), state('processor', 'paused'), waiting(30));
      expect(rests.stages.processor?.clears_in_ms).toBeNull();
      expect(merged(state('processor', 'running'), waiting(30)).stages.processor?.clears_in_ms).toBeNull();
      expect(merged(state('health', 'running')).throughput).toBeNull();
    });

    it('how long the rest of a folder will take', () => {
      const expected: StageEvent = { kind: 'expected', stage: 'collector', at: t0, count: 100 };
      const { throughput } = merged(...stage('collector', 20, 1), expected, ...stage('processor', 2, 200));
      expect(throughput).toMatchObject({ finished: 40, expected: 100, clears_in_ms: 30_000 });
    });

    it('of two processes the sum, and of one of an earlier version what is known', () => {
      const one = at(statusAfter(...stage('processor', 2, 200)), 20_000);
      const { per_second: _rate, busy: _busy, most_per_second: _most, ...old } = one.stages.processor!;
      const two = mergeStatuses([one, { ...one, pid: 9 }]);
      expect(two.throughput).toMatchObject({ per_second: 4, latency: { results: 80 } });
      expect(two.stages.processor).toMatchObject({ busy: 0.4, most_per_second: 10 });
      const mixed = mergeStatuses([one, { ...one, pid: 9, stages: { processor: old as never } }]);
      expect(mixed.throughput?.per_second).toBe(2);
    });
  });
});
