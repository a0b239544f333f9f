import { describe, expect, it } from 'vitest';
import type { ControlEvent, PipelineEvent } from '../../../src/model/event.ts';
import { parseIso } from '../../../src/model/localTime.ts';
import { duration, number } from '../../../src/model/quantity.ts';
import { eventLevel, eventLine } from '../../../src/sinks/log/eventLines.ts';

const at = parseIso('2026-11-22T12:00:01.250000');
const pretty = (event: PipelineEvent): string => eventLine(event, { format: 'pretty' });

describe('eventLine', () => {
  it('says when, how bad, who and what', () => {
    const event: PipelineEvent = {
      kind: 'done',
      stage: 'processor',
      at,
      entryId: '01J',
      ms: 1234,
      detail: { image: 'img_1.tif', rois: 644, rows: 93380, decode_ms: 512.3, brightness: 123.456789 },
    };
    expect(pretty(event)).toBe(
      '2026-11-22 12:00:01.250  info     processor     img_1.tif · 644 ROIs · 93,380 rows · decode 512 ms · brightness 123.5 · took 1.23 s',
    );
    expect(JSON.parse(eventLine(event, { format: 'json', colour: true }))).toMatchObject({ level: 'info', ...event });
  });

  it.each<[PipelineEvent, string, string]>([
    [
      { kind: 'alarm', stage: 'collector', at, key: 'camera', message: 'no camera', retryInMs: 2000 },
      'error',
      'no camera (tries again in 2 s)',
    ],
    [{ kind: 'well', stage: 'collector', at, key: 'camera' }, 'info', 'over: camera'],
    [{ kind: 'failed', stage: 'processor', at, entryId: 'A', ms: 1, error: 'bad' }, 'warning', 'failed: bad (entry A)'],
    [
      { kind: 'discarded', stage: 'processor', at, entryId: null, reason: 'not wanted' },
      'info',
      'a frame skipped: not wanted',
    ],
    [
      { kind: 'settings', stage: 'processor', at, changes: ['method gaussian → fano'] },
      'info',
      'new settings: method gaussian → fano',
    ],
    [{ kind: 'config', at, file: null, changes: [], warnings: [] }, 'info', 'no file: the shipped defaults'],
    [
      { kind: 'config_error', at, file: 'a.toml', error: 'a.toml:3' },
      'error',
      'a.toml:3 (the last good configuration stays)',
    ],
    [{ kind: 'note', at, level: 'warning', stage: null, message: 'hm' }, 'warning', 'hm'],
    [
      { kind: 'round', stage: 'syncer', at, ms: 20, detail: { files: 3, bytes: 1200 } },
      'debug',
      'round · 3 files · 1,200 bytes · took 20 ms',
    ],
    [{ kind: 'queued', stage: 'processor', at, count: 3 }, 'debug', '3 waiting'],
  ])('%j', (event, level, words) => {
    expect(eventLevel(event)).toBe(level);
    expect(pretty(event).slice(48)).toBe(words);
  });

  it('is one line without control characters, whatever a name holds', () => {
    const message = 'a\nb\u001b[2Jc\r\u0007d\u009b1m';
    const event: PipelineEvent = { kind: 'note', at, level: 'info', stage: null, message };
    expect(pretty(event)).not.toMatch(/\p{Cc}/u);
    expect(eventLine(event, { format: 'json' })).not.toContain('\n');
  });

  it('colours the level only when asked', () => {
    const event: PipelineEvent = { kind: 'note', at, level: 'error', stage: null, message: 'x' };
    expect(pretty(event)).not.toContain('\u001b');
    expect(eventLine(event, { format: 'pretty', colour: true })).toContain('\u001b[31merror');
  });
});

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [7.26, '7.3 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [2413, '2.41 s'],
    [59_999, '1 min'],
    [200_000, '3 min 20 s'],
    [3_599_900, '1 h'],
    [7_500_000, '2 h 5 min'],
    [3 * 86_400_000, '3 d'],
    [Number.NaN, 'unknown'],
  ])('%d ms', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});

describe('number', () => {
  it.each([
    [1234567, '1,234,567'],
    [0.43215, '0.4322'],
    [12345.678, '12,350'],
  ])('%d', (value, words) => {
    expect(number(value)).toBe(words);
  });
});

describe('what a person asks of a pipeline that runs', () => {
  type Asked = Pick<ControlEvent, 'seq' | 'paused' | 'playback'>;
  const told = (before: Asked | undefined, asked: Asked): [string, string] => {
    const event: PipelineEvent = { kind: 'control', at, ...asked, ...(before && { before }) };
    return [eventLevel(event), pretty(event).slice(48)];
  };
  const held: Asked = { seq: 3, paused: [], playback: { paused: true, steps: 3 } };

  it('is a line of the log where a state changes: a stage, the replay, its speed, and that alone', () => {
    expect(told(undefined, { seq: 1, paused: ['processor'] })).toEqual(['info', 'paused: processor']);
    expect(told({ seq: 1, paused: ['processor'] }, { seq: 2, paused: [] })).toEqual(['info', 'no stage is paused']);
    expect(told({ seq: 2, paused: [] }, held)).toEqual(['info', 'the replay is paused']);
    expect(told(held, { seq: 4, paused: [], playback: { paused: false } })).toEqual(['info', 'the replay goes on']);
    expect(told(held, { ...held, playback: { ...held.playback, speed: 2 } })).toEqual([
      'info',
      'the replay goes at 2 times its pace',
    ]);
  });

  it('is none for each step and seek of a replay, nor where nothing was asked', () => {
    expect(told(held, { seq: 4, paused: [], playback: { paused: true, steps: 4 } })[0]).toBe('debug');
    expect(told(held, { ...held, seq: 4, playback: { ...held.playback, seek: { number: 1, to: '50%' } } })[0]).toBe(
      'debug',
    );
    expect(told(undefined, { seq: 0, paused: [] })[0]).toBe('debug');
  });
});
