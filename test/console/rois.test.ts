import { describe, expect, it } from 'vitest';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { reduce } from '../../src/console/reduce.ts';
import { roiFilter } from '../../src/console/rois/roiFilter.ts';
import { driftOf } from '../../src/console/rois/roiRows.ts';
import type { RoiRow } from '../../src/console/rois/roisPage.ts';
import { lineText, lineWidth } from '../../src/console/views/line.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { LastResult, RoiValues } from '../../src/model/lastResult.ts';
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
    expect(lines[1]).toMatch(/ROI▴ +shift px +σ px +χ² +px\/h +last hour +flags/);
    expect(lines[3]).toMatch(/^ G1_N +-0\.2500 +0\.0010 +3\.40 +[-+]\d+\.\d{4} .* edge/);
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
    drift: -0.05,
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
      expect(roiFilter(`A ${word}`)).toMatchObject({ trouble: word });
      expect(roiFilter(word).holds(row({}))).toBe(true);
    }
  });
});

describe('the drift', () => {
  it('is the slope over the last hour, whatever the time since 1970, and not known from less than a minute', () => {
    const history = sampleHistory(['a'], 100);
    const samples = history.samples.map((sample, i) => ({ ...sample, shifts: Float32Array.of(0.002 * i) }));
    // 0.002 px in 5 s.
    expect(driftOf(samples, history.baseline, 0)).toBeCloseTo(1.44, 4);
    expect(driftOf(samples.slice(0, 5), history.baseline, 0)).toBeNaN();
  });
});
