import { describe, expect, it } from 'vitest';
import { type Playback, parseSpeed, withWish } from '../../src/model/playback.ts';
import { parsePlace } from '../../src/model/replayPlace.ts';
import { parseControl } from '../../src/streams/control/controlFile.ts';

describe('a place in a recording', () => {
  it.each([
    ['120', { kind: 'frame', number: 120 }],
    [' 7 ', { kind: 'frame', number: 7 }],
    ['+10', { kind: 'frames', by: 10 }],
    ['-10', { kind: 'frames', by: -10 }],
    ['50%', { kind: 'share', share: 0.5 }],
    ['99.5 %', { kind: 'share', share: 0.995 }],
    ['+5min', { kind: 'time', by: 300_000 }],
    ['-1.5h', { kind: 'time', by: -5_400_000 }],
    ['9:05', { kind: 'timeOfDay', ms: 32_700_000 }],
    ['12:30:15.5', { kind: 'timeOfDay', ms: 45_015_500 }],
    ['2025-07-24', { kind: 'moment', wallMs: Date.UTC(2025, 6, 24) }],
    ['2025-07-24T12:30', { kind: 'moment', wallMs: Date.UTC(2025, 6, 24, 12, 30) }],
    ['2025-07-24 12:30:05', { kind: 'moment', wallMs: Date.UTC(2025, 6, 24, 12, 30, 5) }],
  ])('is read from %j', (text, place) => {
    expect(parsePlace(text)).toEqual(place);
  });

  it.each(['', '0', '-', 'soon', '101%', '24:00', '12:60', '2025-06-31', '2025-13-01', '5min', '1e9', '12:30Z'])(
    'is not read from %j',
    text => {
      expect(parsePlace(text)).toBeNull();
    },
  );
});

it.each([
  ['max', 'max'],
  ['MAX', 'max'],
  ['2', 2],
  ['0.1', 0.1],
  ['×10', 10],
  ['x5', 5],
  ['0', null],
  ['-1', null],
  ['fast', null],
  ['1e9', null],
  ['', null],
])('the speed %j is %j', (text, speed) => {
  expect(parseSpeed(text)).toBe(speed);
});

it('wishes add up: steps and seeks are counted, the rest is as it was asked for last', () => {
  const wishes = [
    { kind: 'speed', speed: 2 },
    { kind: 'step', frames: 1 },
    { kind: 'step', frames: 3 },
    { kind: 'seek', to: '10' },
    { kind: 'resume' },
    { kind: 'seek', to: '50%' },
  ] as const;
  expect(wishes.reduce<Playback>(withWish, {})).toEqual({
    speed: 2,
    paused: false,
    steps: 4,
    seek: { number: 2, to: '50%' },
  });
});

describe('the control file', () => {
  it('of a version that knew no playback is read, and so is one with it', () => {
    expect(parseControl('{"seq": 3, "paused": ["processor"]}')).toEqual({ seq: 3, paused: ['processor'] });
    const playback = { speed: 'max', paused: true, steps: 2, seek: { number: 1, to: '12:30' } };
    expect(parseControl(JSON.stringify({ seq: 4, paused: [], playback }))).toEqual({ seq: 4, paused: [], playback });
    expect(parseControl('{"seq": 4, "paused": [], "playback": {}}')).toEqual({ seq: 4, paused: [], playback: {} });
  });

  it.each([
    [{ speed: 0 }, '"playback.speed" must be "max" or a number'],
    [{ speed: 'fast' }, '"playback.speed" must be "max" or a number'],
    [{ paused: 'yes' }, '"playback.paused" must be true or false'],
    [{ steps: -1 }, '"playback.steps" must be a whole number from 0 up'],
    [{ seek: { number: 1, to: 'soon' } }, '"playback.seek.to" is no place in a recording'],
    ['go', '"playback" must be an object'],
  ])('with the playback %j says what is wrong', (playback, message) => {
    expect(() => parseControl(JSON.stringify({ seq: 1, paused: [], playback }))).toThrow(message);
  });
});
