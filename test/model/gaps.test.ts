import { describe, expect, it } from 'vitest';
import { gapsBefore } from '../../src/model/gaps.ts';

/** Distances between points: `[5, 3]`: five seconds, three times. */
type Runs = readonly (readonly [seconds: number, times: number])[];

function gapsOf(runs: Runs, frames: (point: number) => number = () => 1): number[] {
  const times = [0];
  for (const [seconds, count] of runs) for (let i = 0; i < count; i++) times.push(times.at(-1)! + seconds * 1000);
  return [...gapsBefore(times, frames)].flatMap((gap, i) => (gap === 1 ? [i] : []));
}

describe('a gap is told by the intervals next to it', () => {
  it.each<[string, Runs, number[]]>([
    [
      'one of half a minute in a day of a frame every five seconds',
      [
        [5, 10_000],
        [30, 1],
        [5, 10_000],
      ],
      [10_001],
    ],
    [
      'none, when a frame was missed or late now and then',
      [
        [5, 20],
        [10, 1],
        [5, 4],
        [15, 1],
        [5, 20],
      ],
      [],
    ],
    [
      'none, when the interval was edited from a second to a minute',
      [
        [1, 50],
        [60, 50],
      ],
      [],
    ],
    [
      'none, when it was edited from a minute to a second',
      [
        [60, 50],
        [1, 50],
      ],
      [],
    ],
    [
      'one within what was edited, at either pace',
      [
        [1, 50],
        [10, 1],
        [1, 50],
        [60, 50],
        [600, 1],
        [60, 50],
      ],
      [51, 152],
    ],
    [
      'one between two paces: the pipeline was stopped, and started with another',
      [
        [1, 50],
        [3600, 1],
        [60, 50],
      ],
      [51],
    ],
    [
      'each pause between bursts of frames',
      [
        [0.1, 5],
        [600, 1],
        [0.1, 5],
        [600, 1],
        [0.1, 5],
      ],
      [6, 12],
    ],
    [
      'one before a frame that came after a night',
      [
        [5, 50],
        [30_000, 1],
      ],
      [51],
    ],
    ['none of two frames, and none of none', [[5, 1]], []],
  ])('%s', (_, runs, gaps) => {
    expect(gapsOf(runs)).toEqual(gaps);
  });

  it('is also seen where a point stands for many images, when it is half as long as such a point', () => {
    const many = (): number => 64;
    expect(
      gapsOf(
        [
          [320, 40],
          [320 + 200, 1],
          [320, 40],
        ],
        many,
      ),
    ).toEqual([41]);
    expect(
      gapsOf(
        [
          [320, 40],
          [320 + 100, 1],
          [320, 40],
        ],
        many,
      ),
    ).toEqual([]);
    // The last one before a stop stands for fewer.
    expect(
      gapsOf(
        [
          [320, 40],
          [50, 1],
          [320, 40],
        ],
        point => (point === 40 ? 10 : 64),
      ),
    ).toEqual([]);
  });

  it('does not take images of the same instant for the usual pace', () => {
    expect(
      gapsOf([
        [0, 20],
        [5, 3],
        [0, 20],
        [5, 3],
      ]),
    ).toEqual([]);
  });
});
