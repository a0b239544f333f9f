import { describe, expect, it } from 'vitest';
import { shiftScale, stepOf } from '../../src/console/chip/shiftScale.ts';
import { chooseDrawing } from '../../src/console/drawing.ts';
import { initialFrame } from '../../src/console/frame/frameState.ts';
import { markFrame } from '../../src/console/frame/markFrame.ts';
import { splitWords } from '../../src/console/overlayActions.ts';
import { initialSettings } from '../../src/console/settings/settingsState.ts';
import { age, count, rate } from '../../src/console/views/amounts.ts';
import { bar, sparkline } from '../../src/console/views/bars.ts';
import { clip, lineText, paragraph, seg, spread } from '../../src/console/views/line.ts';
import { lastChipShift, lastShift, medianShift } from '../../src/console/views/shifts.ts';
import { timeTicks, valueTicks } from '../../src/console/views/ticks.ts';
import { sgr } from '../../src/console/widgets/sgr.ts';
import type { FramePicture } from '../../src/model/framePicture.ts';
import { bytes } from '../../src/model/quantity.ts';
import { ascii, colourless, noon, sampleFrame, sampleHistory, sampleOf, unicode } from './sampleConsole.ts';

describe('drawing', () => {
  it.each([
    [{ TERM: 'xterm-256color', LANG: 'en_GB.UTF-8' }, true, 256],
    [{ TERM: 'screen-256color', LC_ALL: 'C', LANG: 'en_GB.UTF-8' }, false, 256],
    [{ TERM: 'tmux-256color', LC_CTYPE: 'C.utf8', LANG: 'C' }, true, 256],
    [{ TERM: 'xterm', LANG: 'C.UTF-8' }, true, 8],
    [{ TERM: 'linux', LANG: 'C.UTF-8' }, false, 8],
    [{ TERM: 'xterm-256color', LANG: 'C.UTF-8', NO_COLOR: '1' }, true, 0],
    [{ TERM: 'xterm', COLORTERM: 'truecolor', NO_COLOR: '' }, false, 256],
  ] as const)('for %o is unicode %s with %i colours', (environment, isUnicode, colours) => {
    expect(chooseDrawing(environment)).toMatchObject({ unicode: isUnicode, colours });
  });

  it('is one column a sign, and ASCII where it says so', () => {
    for (const {
      unicode: isUnicode,
      rule,
      vertical,
      corners,
      ellipsis,
      dot,
      filled,
      empty,
      levels,
      pointer,
      marks,
    } of [unicode, ascii]) {
      for (const sign of [
        rule,
        vertical,
        ...corners,
        ellipsis,
        dot,
        filled,
        empty,
        ...levels,
        pointer,
        ...Object.values(marks),
      ]) {
        expect(sign).toHaveLength(1);
        if (!isUnicode) expect(sign).toMatch(/[ -~]/);
      }
    }
  });
});

describe('sgr', () => {
  it('uses no colour with NO_COLOR, only weight and inverse', () => {
    const text = sgr([seg('a', 'bad'), seg('b', { fg: 3, bg: 4 }), seg('c', 'selected')], colourless);
    const codes = text
      .split('\u001b[')
      .slice(1)
      .map(piece => piece.slice(0, piece.indexOf('m')));
    expect(
      codes
        .join(';')
        .split(';')
        .every(code => ['', '0', '1', '7'].includes(code)),
    ).toBe(true);
  });

  it('changes the look only where it changes', () => {
    expect(sgr([seg('a', 'strong'), seg('b', 'strong'), seg('c')], unicode)).toBe('\u001b[1mab\u001b[mc');
  });
});

describe('amounts', () => {
  it('are short', () => {
    expect([count(12_345, 9), count(12_345, 5), count(1_234_567, 6), count(0, 1)]).toEqual([
      '12,345',
      '12.3k',
      '1.23M',
      '0',
    ]);
    expect([bytes(0), bytes(999_600), bytes(12.34e9)]).toEqual(['0 B', '1 MB', '12.3 GB']);
    expect([age(0), age(-5), age(42_000), age(99_600), age(7_200_000), age(9e8)]).toEqual([
      'now',
      'now',
      '42 s',
      '2 min',
      '2 h',
      '10 d',
    ]);
    expect([rate(0), rate(0.254), rate(11.81), rate(1234.4)]).toEqual(['0', '0.254', '11.8', '1,234']);
  });

  it('fit whatever they are', () => {
    for (const value of [0, 7, 999, 12_345, 999_999, 1e12, 9.99e14])
      for (const width of [5, 6, 9]) expect(count(value, width).length).toBeLessThanOrEqual(width);
  });
});

describe('bars', () => {
  it('show a share, and that there is any', () => {
    expect([
      bar(0, 4, ascii),
      bar(0.01, 4, ascii),
      bar(0.5, 4, ascii),
      bar(7, 4, ascii),
      bar(Number.NaN, 4, ascii),
    ]).toEqual(['....', '#...', '##..', '####', '....']);
  });

  it('show a share to an eighth of a column, and all of it only when it is all', () => {
    expect([0, 0.01, 0.5, 0.53125, 0.98, 0.99, 0.996].map(share => bar(share, 4, unicode))).toEqual([
      '░░░░',
      '▏░░░',
      '██░░',
      '██▏░',
      '███▉',
      '███▉',
      '████',
    ]);
    expect(bar(0.98, 4, ascii)).toBe('###.');
  });

  it('draw the whole course in any width', () => {
    expect(sparkline([0, 1, 2, 4], 4, unicode)).toBe(' ▂▄█');
    expect(sparkline([0, 0, 4, 4], 2, unicode)).toBe(' █');
    expect(sparkline([4], 3, unicode)).toBe('  █');
    expect(sparkline([], 2, unicode)).toBe('  ');
  });
});

describe('lines', () => {
  it('are cut with an ellipsis, and the right end stays', () => {
    expect(lineText(clip([seg('abc'), seg('def')], 5, unicode))).toBe('abcd…');
    expect(lineText(spread([seg('a long left side')], [seg('right')], 12, unicode))).toBe('a lon… right');
    expect(lineText(spread([seg('left')], [], 6, unicode))).toBe('left  ');
  });

  it('are broken at words', () => {
    expect(paragraph('one two three four', 9, 2, 'plain', ascii).map(lineText)).toEqual([
      'one two',
      'three fo~'.slice(0, 9),
    ]);
    expect(paragraph('', 9, 2, 'plain', ascii)).toEqual([]);
  });
});

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  a  b ', ['a', 'b']],
    [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
    [`x'y'"z" ''`, ['xyz', '']],
    [`"a\\"b" '\\n' $(rm) ; |`, ['a"b', '\\n', '$(rm)', ';', '|']],
  ])('takes %j apart', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it('knows an open quote', () => {
    expect(splitWords('a "b')).toBeNull();
    expect(splitWords("a 'b")).toBeNull();
  });
});

describe('ticks', () => {
  it('are round and within the range', () => {
    expect(valueTicks({ low: -0.21, high: 0.19 }, 4).map(({ text }) => text)).toEqual(['-0.2', '-0.1', '0', '0.1']);
    expect(valueTicks({ low: 20.1, high: 24.9 }, 3).map(({ text }) => text)).toEqual(['22', '24']);
    expect(valueTicks({ low: -1e-4, high: 1e-4 }, 2).map(({ text }) => text)).toEqual(['-0.0001', '0', '0.0001']);
  });

  it('of time are not many more than asked for, over minutes and over weeks', () => {
    for (const span of [60_000, 600_000, 3_600_000, 86_400_000, 60 * 86_400_000]) {
      const ticks = timeTicks({ low: noon, high: noon + span }, 6);
      expect(ticks.length).toBeGreaterThan(1);
      expect(ticks.length).toBeLessThanOrEqual(7);
      for (const { value } of ticks) expect(value).toBeGreaterThanOrEqual(noon);
    }
    expect(timeTicks({ low: noon, high: noon + 3_600_000 }, 4)[0]!.text).toMatch(/^\d\d:\d\d$/);
    expect(timeTicks({ low: noon, high: noon + 60 * 86_400_000 }, 4)[0]!.text).toMatch(/^\d\d-\d\d$/);
  });
});

describe('shifts', () => {
  it('are from the reference, the last one that is known; a position alone is none', () => {
    const history = sampleHistory(['a', 'b'], 10);
    history.samples[9]!.shifts[0] = Number.NaN;
    expect(lastShift(history, 0)).toBeCloseTo(0.1 * Math.sin(0.8), 6);
    expect(lastShift({ ...history, samples: [] }, 0)).toBeNaN();
  });

  it('of the chip is the last one that was seen lately', () => {
    const { samples, ...history } = sampleHistory(['a'], 10);
    const seen = (index: number) =>
      samples.map((sample, i) => (i === index ? { ...sample, chipShift: { dx: 1, dy: 2, angle: 3 } } : sample));
    expect(lastChipShift({ ...history, samples })).toBeNull();
    expect(lastChipShift({ ...history, samples: seen(8) })).toEqual({ dx: 1, dy: 2, angle: 3 });
    expect(lastChipShift({ ...history, samples: seen(2) })).toBeNull();
    expect(lastChipShift({ ...history, samples: [] })).toBeNull();
  });

  it('have a median over all ROIs that leaves out what is missing', () => {
    const sample = sampleOf({ positions: Float32Array.of(1, Number.NaN, 5, 9) });
    expect(medianShift(sample, Float64Array.of(0, 0, 0, 0))).toBe(5);
    expect(medianShift(sample, Float64Array.of(0, 0, 1, 0))).toBe(4);
    expect(medianShift({ ...sample, positions: Float32Array.of(Number.NaN) }, Float64Array.of(0))).toBeNaN();
    const referred = { ...sample, shifts: Float32Array.of(2, Number.NaN, Number.NaN, 3) };
    // Positions have another zero than shifts: they are not mixed.
    expect(medianShift(referred, Float64Array.of(0, 0, 0, 0))).toBe(2.5);
  });

  it('have a scale that is round, symmetric, and not ruled by outliers', () => {
    const many = Float64Array.from({ length: 100 }, (_, i) => (i === 0 ? 50 : i === 1 ? Number.NaN : (i - 50) / 500));
    const scale = shiftScale(many);
    expect(scale.limit).toBeCloseTo(0.1);
    expect([stepOf(-1, scale), stepOf(0, scale), stepOf(1, scale), stepOf(Number.NaN, scale)]).toEqual([0, 4, 8, null]);
    expect(shiftScale(Float64Array.of()).limit).toBeCloseTo(0.01);
  });
});

describe('ROIs on the frame', () => {
  const roiPixels = (frame: FramePicture): Set<number> =>
    new Set(
      [
        ...markFrame(
          frame,
          { settings: initialSettings, reading: null, mode: 'attached', frameView: initialFrame, history: null },
          false,
        ),
      ].flatMap((mark, i) => (mark > 0 ? [i] : [])),
    );

  const roi = { label: 'a', flip: false, coords: [1000, 1000], size: [1000, 2000] } as const;

  it('are outlined where they lie', () => {
    const marked = roiPixels(sampleFrame(40, 30, { rois: { imageAngle: 0, rois: [roi] } }));
    expect(marked.has(10 * 40 + 10)).toBe(true);
    expect(marked.has(20 * 40 + 30)).toBe(true);
    expect(marked.has(15 * 40 + 20)).toBe(false);
  });

  it('are turned back by the angle of the manifest: half a turn is the opposite corner', () => {
    const corner = { label: 'a', flip: false, coords: [0, 0], size: [100, 100] } as const;
    const at = (imageAngle: number): number[] => [
      ...roiPixels(sampleFrame(40, 30, { rois: { imageAngle, rois: [corner] } })),
    ];
    expect(at(0)).toEqual([0]);
    expect(at(180)).toEqual([29 * 40 + 39]);
  });

  it('are turned the way OpenCV turns: what is right of the middle once the frame is derotated was above it', () => {
    const beside = { label: 'a', flip: false, coords: [1450, 2950], size: [100, 100] } as const;
    expect([...roiPixels(sampleFrame(40, 30, { rois: { imageAngle: 90, rois: [beside] } }))]).toEqual([5 * 40 + 20]);
  });
});
