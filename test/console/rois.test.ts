import { describe, expect, it } from 'vitest';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { reduce } from '../../src/console/reduce.ts';
import { roiFilter } from '../../src/console/rois/roiFilter.ts';
import { driftOf } from '../../src/console/rois/roiRows.ts';
import type { RoiRow } from '../../src/console/rois/roisPage.ts';
import { footerLine } from '../../src/console/views/footerLine.ts';
import { lineText, lineWidth } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { LastResult, RoiValues } from '../../src/model/lastResult.ts';
import { randomStream } from '../../src/model/randomStream.ts';
import type { RoiInspection, RoiLook } from '../../src/model/roiInspection.ts';
import { ascii, noon, sampleHistory, sampleRois, sampleState, unicode } from './sampleConsole.ts';

const values = (over: Partial<RoiValues> = {}): RoiValues => ({
  position: 100,
  positionError: 0.003,
  shift: 0.01,
  shiftError: 0.001,
  chiSquared: 1.1,
  flags: [],
  ...over,
});

function resultOf(labels: readonly string[], over: (i: number) => Partial<RoiValues> = () => ({})): LastResult {
  return {
    image: 'image_7.png',
    at: noon,
    rois: new Map(labels.map((label, i) => [label, values(over(i))])),
  };
}

/** The ROIs page with so many ROIs. */
function page(count = 40, over: Partial<ConsoleState> = {}, of: (i: number) => Partial<RoiValues> = () => ({})) {
  const rois = sampleRois(count);
  const labels = rois.rois.map(({ label }) => label);
  return sampleState({ page: 'ROIs', rois, history: sampleHistory(labels), lastResult: resultOf(labels, of), ...over });
}

function press(state: ConsoleState, keys: string): ConsoleState {
  let now = state;
  for (const [key] of keys.matchAll(/<[^>]+>|./g)) {
    const isName = key.length > 1;
    const name = isName ? key.slice(1, -1) : /[A-Z]/.test(key) ? `S-${key.toLowerCase()}` : key;
    now = reduce(now, { kind: 'key', key: name, text: isName ? '' : key }).state;
  }
  return now;
}

const linesOf = (state: ConsoleState): string[] =>
  panelViews.ROIs.content(state, layoutOf(state)!.ROIs!).lines.map(lineText);
const labelsOf = (state: ConsoleState): string[] =>
  linesOf(state)
    .slice(2)
    .map(line => line.slice(1).split(' ')[0]!);

describe('the table of ROIs', () => {
  it('has of each ROI its shift, standard error, χ², drift and flags, and says of which image', () => {
    const state = page(3, { columns: 120 }, i => (i === 1 ? { shift: -0.25, chiSquared: 3.4, flags: ['edge'] } : {}));
    const lines = linesOf(state);
    expect(lines[0]).toMatch(/3 ROIs .* image_7\.png \d\d:\d\d:\d\d/);
    expect(lines[1]).toMatch(/ROI▴ +shift px +σ px +χ² +drift px\/h +last hour +flags/);
    expect(lines[3]).toMatch(/^ G1_N +-0\.2500 +0\.0010 +3\.40 .* edge/);
  });

  it('has the points of numbers one below the other, however many decimals their errors ask for', () => {
    const state = page(3, { columns: 120 }, i => ({ shift: 0.5, shiftError: [0.12, 0.012, 1.2][i]! }));
    const lines = linesOf(state).slice(2, 5);
    const shown = [/\+0\.50 /, /\+0\.500 /, /\+0\.5 /];
    expect(lines).toEqual(shown.map(number => expect.stringMatching(number)));
    const [first, ...others] = lines.map(line => line.indexOf('+0.'));
    expect(others).toEqual([first, first]);
  });

  it('has noise and quality of each ROI where the figures of the run are there, sorts and filters by them, and says why', () => {
    const qualities = new Map([
      ['G0_N', { noise: 0.0021, word: 'good', reason: '' }],
      ['G1_N', { noise: 0.5, word: 'flips', reason: 'two peaks in half of the frames' }],
    ]);
    const state = page(3, { columns: 120, qualities });
    const lines = linesOf(state);
    expect(lines[1]).toMatch(/px\/h +noise px +quality +last hour +flags/);
    expect(lines[3]).toMatch(/G1_N .* 0\.50 +flips/);
    expect(labelsOf(press(state, '/flips'))).toEqual(['G1_N']);
    expect(labelsOf(press(state, '/noise<0.01'))).toEqual(['G0_N']);
    expect(labelsOf(press(state, 'ooooo'))).toEqual(['G1_N', 'G0_N', 'G2_N']);
    expect(linesOf(press(state, 'j<enter>')).join(' ')).toContain('flips: two peaks in half of the frames');
    expect(linesOf({ ...state, columns: 80 })[1]).not.toContain('quality');
  });

  it('shows what is known where no result has been read yet', () => {
    const lines = linesOf(page(3, { lastResult: null }));
    expect(lines[2]).toMatch(/^.G0_N +[-+]\d\.\d{4} +\? +\? /);
    expect(linesOf(page(3, { rois: null, history: null, lastResult: null }))[1]).toContain('no ROI manifest');
  });

  it('has every ROI of 644 in reach in every window, and is never wider than it', () => {
    for (const [columns, rows] of [
      [60, 18],
      [80, 24],
      [120, 40],
      [200, 60],
    ] as const) {
      for (const drawing of [unicode, ascii]) {
        let state = page(644, { columns, rows, drawing }, i => ({ flags: i % 50 === 0 ? ['lost', 'saturated'] : [] }));
        const seen = new Set<string>();
        for (let i = 0; i < 60; i++, state = press(state, '<pagedown>'))
          labelsOf(state).forEach(label => void seen.add(label));
        const { width, height } = layoutOf(state)!.ROIs!;
        const { lines } = panelViews.ROIs.content(state, layoutOf(state)!.ROIs!);
        expect(lines.length).toBeLessThanOrEqual(height);
        for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width);
        if (rows === 24) expect(seen.size).toBe(644);
        expect(labelsOf(press(state, '<end>'))).toContain('G643_N');
        expect(labelsOf(press(state, '<home>'))).toContain('G0_N');
      }
    }
  });

  it('is sorted by the next column with o, turned round with O, and what is not known comes last either way', () => {
    const shifts = [0.3, Number.NaN, -0.2, 0.1];
    const state = page(4, { history: null }, i => ({ shift: shifts[i]! }));
    expect(labelsOf(press(state, 'o'))).toEqual(['G0_N', 'G3_N', 'G2_N', 'G1_N']);
    expect(labelsOf(press(state, 'oO'))).toEqual(['G2_N', 'G3_N', 'G0_N', 'G1_N']);
  });

  it('sorts by the column whose head is clicked, and turns it round with a second click', () => {
    const state = page(4, { history: null }, i => ({ shiftError: [0.3, 0.1, 0.2, 0.4][i]! }));
    const rect = layoutOf(state)!.ROIs!;
    const click = (of: ConsoleState): ConsoleState =>
      reduce(of, { kind: 'mouse', what: 'press', x: rect.left + linesOf(of)[1]!.indexOf('σ'), y: rect.top + 1 }).state;
    expect(labelsOf(click(state))).toEqual(['G3_N', 'G0_N', 'G2_N', 'G1_N']);
    expect(labelsOf(click(click(state)))).toEqual(['G1_N', 'G2_N', 'G0_N', 'G3_N']);
  });

  it('filters while one types, keeps the filter with Enter, and the one before with Esc', () => {
    const state = page(40, {}, i => ({ flags: i === 7 ? ['lost'] : [] }));
    const typed = press(state, '/lost');
    expect(labelsOf(typed)).toEqual(['G7_N']);
    expect(linesOf(typed)[0]).toContain('1 of 40 ROIs with lost');
    expect(labelsOf(press(typed, '<enter>'))).toEqual(['G7_N']);
    expect(labelsOf(press(typed, '<escape>')).length).toBeGreaterThan(5);
    expect(linesOf(press(state, '/nope>3'))[0]).toContain('not understood: nope>3');
  });

  it('keeps the cursor on its ROI when the order changes', () => {
    const state = press(
      page(4, { history: null }, i => ({ shift: i })),
      'jj',
    );
    expect(state.roisPage.selected).toBe('G2_N');
    const turned = press(state, 'o');
    expect(linesOf(turned).find(line => line.startsWith('▸'))).toContain('G2_N');
  });

  it('opens the ROI under the cursor, goes on to the next one, and back', () => {
    const opened = press(page(4), 'j<enter>');
    expect(opened.roisPage).toMatchObject({ selected: 'G1_N', openedFrom: 'ROIs' });
    expect(press(opened, '<right>').roisPage.selected).toBe('G2_N');
    expect(press(opened, '<left>').roisPage.selected).toBe('G0_N');
    expect(press(opened, '<escape>').roisPage.openedFrom).toBeNull();
  });
});

describe('a filter of ROIs', () => {
  const row = (over: Partial<RoiRow>): RoiRow => ({
    label: 'A12_N',
    shift: 0.02,
    sigma: 0.001,
    chi: 1.2,
    noise: 0.001,
    quality: 'good',
    drift: -0.05,
    driftSigma: 0.01,
    flags: [],
    ...over,
  });
  it.each([
    ['', {}, true],
    ['a12', {}, true],
    ['A*_N', {}, true],
    ['A*_S', {}, false],
    ['A1?_N', {}, true],
    ['A1', { label: 'B1' }, false],
    ['A1*', { label: 'BA1' }, false],
    ['lost', { flags: ['lost'] }, true],
    ['lost', {}, false],
    ['flagged', { flags: ['edge'] }, true],
    ['!flagged', { flags: ['edge'] }, false],
    ['shift>0.01', {}, true],
    ['|drift|>0.04', {}, true],
    ['drift>0.04', {}, false],
    ['chi>2', {}, false],
    ['shift>0.01 !lost A*', {}, true],
    ['shift>0', { shift: Number.NaN }, false],
    ['shift<0', { shift: Number.NaN }, false],
    ['a.2', {}, false],
    ['(', {}, false],
  ] satisfies [string, Partial<RoiRow>, boolean][])('"%s" of %j: %s', (text, over, shown) => {
    expect(roiFilter(text).holds(row(over))).toBe(shown);
  });

  it('says what it does not understand, and leaves that aside', () => {
    for (const word of ['constructor>1', 'shift>', 'shift>x', 'size<3']) {
      expect(roiFilter(`A ${word}`)).toMatchObject({ trouble: { word } });
      expect(roiFilter(word).holds(row({}))).toBe(true);
    }
  });
});

describe('the drift', () => {
  it('is the slope over the last hour, whatever the time since 1970, and not known from less than five minutes', () => {
    const history = sampleHistory(['a'], 100);
    const samples = history.samples.map((sample, i) => ({ ...sample, shifts: Float32Array.of(0.002 * i) }));
    // 0.002 px in 5 s.
    expect(driftOf(samples, 0).value).toBeCloseTo(1.44, 4);
    expect(driftOf(samples, 0).sigma).toBeLessThan(1e-4);
    expect(driftOf(samples.slice(0, 55), 0)).toEqual({ value: Number.NaN, sigma: Number.NaN });
  });

  const random = randomStream(7, 'drift');

  it('has an error by which runs with white noise scatter, and a larger one where the noise is slow', () => {
    const { samples } = sampleHistory(['a'], 200);
    const runs = (next: (before: number) => number) =>
      Array.from({ length: 60 }, () => {
        let value = 0;
        return driftOf(
          samples.map(sample => ({ ...sample, shifts: Float32Array.of((value = next(value))) })),
          0,
        );
      });
    const ratio = (of: ReturnType<typeof runs>): number =>
      Math.sqrt(of.reduce((sum, { value, sigma }) => sum + (value / sigma) ** 2, 0) / of.length);
    expect(ratio(runs(() => 0.003 * random.normal()))).toBeGreaterThan(0.7);
    expect(ratio(runs(() => 0.003 * random.normal()))).toBeLessThan(1.3);
    expect(ratio(runs(before => 0.8 * before + 0.003 * random.normal()))).toBeLessThan(1.5);
  });

  it('stands in the table with its error, in as many decimals as that asks for', () => {
    const labels = ['a', 'b'];
    const { samples, ...history } = sampleHistory(labels, 200);
    const moving = samples.map((sample, i) => ({
      ...sample,
      shifts: Float32Array.of(0.00001 * i + (i % 2) * 0.0001, Number.NaN),
    }));
    for (const columns of [60, 80, 120]) {
      const state = page(2, {
        columns,
        rois: null,
        history: { ...history, samples: moving },
        lastResult: resultOf(labels, i =>
          i === 1 ? { shift: Number.NaN, shiftError: Number.NaN } : { shiftError: 0.00042 },
        ),
      });
      expect(linesOf(state)[2]).toMatch(/^.a +\+0\.01000 +0\.00042 +1\.10 +\+0\.00\d+ ± 0\.00\d+ /);
      expect(linesOf(state)[3]).toMatch(/^.b +none +\? +1\.10 +\? /);
      expect(linesOf({ ...state, drawing: ascii })[2]).toMatch(/\+0\.00\d+ \+- 0\.00\d+ /);
    }
  });
});

describe('the chip page', () => {
  const chipLinesOf = (state: ConsoleState): string[] =>
    panelViews.chip.content(state, layoutOf(state)!.chip!).lines.map(lineText);
  // Rows of eight.
  const chip = (over: Partial<ConsoleState> = {}, of: (i: number) => Partial<RoiValues> = () => ({})): ConsoleState =>
    page(40, { page: 'chip', columns: 120, rows: 40, ...over }, of);

  it('has a cursor that goes from grating to grating, with arrows and letters alike, and stays at the border', () => {
    const to = (keys: string): string | null => press(chip(), keys).roisPage.selected;
    expect(to('<right>')).toBe('G1_N');
    expect(to('<right><down>')).toBe('G9_N');
    expect(to('ljjh')).toBe('G16_N');
    expect(to('<down><up>')).toBe('G0_N');
    expect(to('<left>')).toBe('G0_N');
    expect(chipLinesOf(press(chip(), 'lj')).at(-3)).toMatch(/▸ G9_N {2}shift \+0\.0100 ± 0\.0010 px {2}χ² 1\.10/);
  });

  it('has numbers where there is room, and is coloured by shift, σ, χ² and flags in turn, each with its legend', () => {
    const state = chip({}, i => ({
      shift: 0.25,
      chiSquared: 3.5,
      flags: i === 3 ? ['lost'] : i === 4 ? ['edge'] : [],
    }));
    const [shift, sigma, chi, flags] = ['', 'c', 'cc', 'ccc'].map(keys => chipLinesOf(press(state, keys)));
    expect(shift!.join('\n').match(/\+0\.25/g)!.length).toBeGreaterThanOrEqual(40);
    expect(shift!.at(-1)).toMatch(/d .*-0\.\d+ .*D .*\+0\.\d+/);
    expect(sigma!.join('\n')).toContain('0.0010');
    expect(sigma!.at(-1)).toMatch(/and more/);
    expect(chi!.join('\n').match(/3\.50/g)!.length).toBeGreaterThanOrEqual(40);
    expect(flags!.join('\n')).toMatch(/lost +edge/);
    expect(flags!.at(-1)).toMatch(/· +no flag +f +flagged +L +lost/);
    expect(press(state, 'cccc').roisPage.colouredBy).toBe('shift');
  });

  it('opens the ROI under the cursor, also one that the filter of the table leaves out, and comes back to the chip', () => {
    const filtered = press(page(40, { columns: 120, rows: 40 }), '/G7_N<enter>');
    const opened = press({ ...filtered, page: 'chip' }, '<right><enter>');
    expect(opened).toMatchObject({ page: 'ROIs', roisPage: { selected: 'G1_N', openedFrom: 'chip' } });
    expect(press(opened, '<right>').roisPage.selected).toBe('G2_N');
    expect(press(opened, '<escape>')).toMatchObject({ page: 'chip', roisPage: { openedFrom: null } });
  });

  it('puts the cursor where it is clicked, and opens what is clicked again', () => {
    for (const count of [40, 644]) {
      const state = page(count, { page: 'chip', columns: 120, rows: 40 });
      const rect = layoutOf(state)!.chip!;
      const click = (of: ConsoleState): ConsoleState =>
        reduce(of, { kind: 'mouse', what: 'press', x: rect.left + rect.width - 4, y: rect.top + 1 }).state;
      expect(click(state).roisPage.selected, `of ${count}`).toBe('G7_N');
      expect(click(click(state)).roisPage.openedFrom).toBe('chip');
    }
  });

  it('shows the ROI under the cursor where 644 share the cells of a small window', () => {
    const state = press(page(644, { page: 'chip', columns: 60, rows: 18 }), '<down><down>');
    const { lines } = panelViews.chip.content(state, layoutOf(state)!.chip!);
    const isOutlined = lines.some(line =>
      line.some(({ style }) => typeof style === 'object' && (style.fg === 'outline' || style.bg === 'outline')),
    );
    expect(isOutlined).toBe(true);
  });
});

describe('one ROI', () => {
  const roi = { label: 'G0_N', flip: false, coords: [200, 200] as const, size: [8, 60] as const };
  const rowsOf = Array.from({ length: 8 }, (_, i) => ({
    from: i,
    to: i + 1,
    position: i === 2 ? null : 30 + i / 10,
    rejection: i === 2 ? 'differing' : null,
    fit: i === 2 ? null : new Float64Array(60).fill(100),
  }));
  const inspection: RoiInspection = {
    roi,
    method: 'gaussian',
    estimator: 'roi',
    pixels: Float64Array.from({ length: 480 }, (_, i) => 100 + (i % 60)),
    saturation: null,
    rows: rowsOf,
    result: {
      'ROI-label': 'G0_N',
      'Analysis-method': 'gaussian',
      position: 30.5,
      uncertainty: 0.01,
      shift: 0.25,
      shift_uncertainty: 0.002,
      chi_squared: 1.5,
      rows_used: 7,
      rows_rejected: 1,
      flags: ['edge'],
    },
    reference: {
      hash: 'abc',
      position: 30.25,
      positionError: 0.01,
      darkLevel: 90,
      ratio: {
        columns: Float64Array.of(10, 30, 50),
        frame: Float64Array.of(1, 2, 1),
        reference: Float64Array.of(1, 2, 1),
        measured: Float64Array.of(0.01, 0, -0.01),
        fitted: Float64Array.of(0.01, 0, -0.01),
        usedShare: 1,
      },
    },
  };
  const opened = (over: Partial<RoiLook> = {}, state: Partial<ConsoleState> = {}): ConsoleState =>
    press(
      page(40, {
        roiLook: {
          label: 'G0_N',
          image: 'image_7.png',
          at: noon,
          seen: { inspection, recorded: inspection.result, differences: [] },
          ...over,
        },
        ...state,
      }),
      '<enter>',
    );

  it('has its figures, its pixels, fit, reference and rows, its history and its place', () => {
    const text = linesOf(opened({}, { columns: 200, rows: 60 })).join('\n');
    for (const part of [
      'ROI G0_N · 1 of 40',
      'image_7.png',
      'shift +0.2500 ± 0.0020 px',
      'χ² 1.50',
      'edge',
      '7 used, 1 rejected: 1 differing (row 2)',
      'abc, position there 30.250 ± 0.010 px',
      'pixels, and the position of each row',
      'mean row and fit',
      'frame over reference',
      'position of 7 rows',
      'shift against time',
    ])
      expect(text).toContain(part);
  });

  it('has every part in reach of v in the smallest window, and keeps to every window', () => {
    const titles = new Set<string>();
    let state = opened({}, { columns: 60, rows: 18 });
    for (let i = 0; i < 7; i++, state = press(state, 'v'))
      for (const line of linesOf(state)) titles.add(/^── ([a-z ]+)/.exec(line)?.[1]?.trim() ?? '');
    for (const title of [
      'pixels',
      'mean row and fit',
      'frame over reference',
      'position of',
      'shift against time',
      'place on the chip',
    ])
      expect([...titles]).toContain(title);
    for (let columns = 60; columns <= 220; columns += 23) {
      for (let rows = 18; rows <= 62; rows += 11) {
        for (const drawing of [unicode, ascii]) {
          const at = opened({}, { columns, rows, drawing });
          const { width, height } = layoutOf(at)!.ROIs!;
          const { lines } = panelViews.ROIs.content(at, { left: 0, top: 0, width, height });
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  describe('and one zero', () => {
    const labels = sampleRois(40).rois.map(({ label }) => label);
    const zero = { at: noon - 60_000, labels, values: Float64Array.from(labels, () => 0.2), median: 0.2 };
    const places = {
      chart: { page: 'chart' },
      chip: { page: 'chip' },
      ROIs: { page: 'ROIs' },
      ROI: {},
    } as const;
    const at = (place: keyof typeof places, over: Partial<ConsoleState> = {}): ConsoleState => {
      const lastResult = resultOf(labels, () => ({ shift: 0.25 }));
      return { ...opened({}, { columns: 120, rows: 40, lastResult, ...over }), ...places[place], ...closed(place) };
    };
    const closed = (place: string): Partial<ConsoleState> =>
      place === 'ROI' ? {} : { roisPage: { ...page().roisPage, selected: 'G0_N' } };
    const shownAt = (state: ConsoleState): string[] => {
      const { page: name } = state as { page: 'chart' | 'chip' | 'ROIs' };
      return panelViews[name].content(state, layoutOf(state)![name]!).lines.map(lineText);
    };

    it.each(['chip', 'ROIs', 'ROI'] as const)('is subtracted on the page %s, whose title says since when', place => {
      const { chart } = at(place);
      const lines = shownAt(at(place, { chart: { ...chart, zero } }));
      expect(lines[0]).toMatch(/since \d\d:\d\d:\d\d/);
      expect(lines.join('\n')).toContain('+0.0500');
      expect(lines.join('\n')).not.toContain('+0.2500');
      expect(shownAt(at(place))[0]).not.toContain('since');
      expect(shownAt(at(place)).join('\n')).toContain('+0.2500');
    });

    it.each(['chart', 'chip', 'ROIs', 'ROI'] as const)(
      'is set by 0 on the page %s, and taken back by 0 there and elsewhere',
      place => {
        const set = press(at(place), '0');
        expect(set.chart.zero).toMatchObject({ at: set.history!.samples.at(-1)!.at, labels });
        expect(press(set, '0').chart.zero).toBeNull();
        for (const other of ['chart', 'chip', 'ROIs'] as const)
          expect(press({ ...at(other), chart: set.chart }, '0').chart.zero).toBeNull();
      },
    );

    it('is that of now where the cursor of the chart is not in sight', () => {
      const { chart } = at('chip');
      const early = { ...chart, cursor: noon - 200_000 };
      expect(press(at('chart', { chart: early }), '0').chart.zero!.at).toBe(noon - 200_000);
      expect(press(at('chip', { chart: early }), '0').chart.zero!.at).toBe(noon - 5_000);
    });

    it('is that of the course of a ROI too', () => {
      const { chart } = at('ROI');
      const drawn = (over: Partial<ConsoleState>): string =>
        shownAt(at('ROI', { rows: 60, columns: 200, ...over })).join('\n');
      expect(drawn({})).not.toMatch(/-0\.[23]/);
      expect(drawn({ chart: { ...chart, zero } })).toMatch(/-0\.[23]/);
    });
  });

  it('says when the numbers are others than in the line, when no frame can be read, and when it is being read', () => {
    const other = opened({ seen: { inspection, recorded: null, differences: ['shift is 1 now and 2 in the line'] } });
    expect(linesOf(other).join('\n')).toContain('the result line has other numbers: shift is 1 now and 2');
    expect(linesOf(opened({ seen: 'only the share has it' })).join('\n')).toContain(
      "the last frame can't be looked into: only the share has it",
    );
    expect(linesOf(opened({ label: 'G1_N' })).join('\n')).toContain('the last frame is being read');
  });
});

describe('the filter of the ROIs page', () => {
  const all = page(3, { columns: 120, rows: 30 });

  it('is not kept while it is not understood, and says what was not, until it is mended or given up', () => {
    const typed = press(all, '/shift>0&<enter>');
    expect(typed.overlay).toMatchObject({ kind: 'roiFilter', text: 'shift>0&' });
    expect(overlayView(typed)!.lines.map(lineText).join('\n')).toContain('not understood: shift>0&: "0&" is no number');
    expect(linesOf(typed)[0]).not.toContain('with shift');
    expect(press(typed, '<backspace><enter>')).toMatchObject({ overlay: null, roisPage: { filter: 'shift>0' } });
    expect(press(typed, '<escape>')).toMatchObject({ overlay: null, roisPage: { filter: '' } });
    expect(overlayView(press(all, '/size<3'))!.lines.map(lineText).join('\n')).toContain('there is no "size"');
  });

  it('is emptied by Esc, which the footer says, after an error message', () => {
    const filtered = press(all, '/flagged<enter>');
    expect(lineText(footerLine(filtered, 120))).toContain('Esc all ROIs');
    expect(lineText(footerLine(all, 120))).not.toContain('Esc');
    expect(press(filtered, '<escape>').roisPage.filter).toBe('');
    const wrong = reduce(filtered, { kind: 'said', level: 'error', text: 'oh' }).state;
    expect(press(wrong, '<escape>')).toMatchObject({ messages: [], roisPage: { filter: 'flagged' } });
    expect(press(wrong, '<escape><escape>').roisPage.filter).toBe('');
  });
});
