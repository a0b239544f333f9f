import { expect, test } from 'vitest';
import { hasMoved, markMoved } from '../../src/model/moved.ts';
import type { ResultLine, RoiResult } from '../../src/model/result.ts';

const roi = (label: string, position: number | null, uncertainty: number | null = 0.2): RoiResult => ({
  'ROI-label': label,
  'Analysis-method': 'gaussian',
  position,
  uncertainty,
  rows_used: 45,
  rows_rejected: 0,
  flags: [],
});
const line = (...rois: RoiResult[]): ResultLine =>
  ({ image_analysis: [{ brightness: 1, contrast: 1 }, ...rois] }) as unknown as ResultLine;
const flagsOf = ({ image_analysis }: ResultLine): string[][] =>
  (image_analysis!.slice(1) as RoiResult[]).map(({ flags }) => flags);

test('a position has moved when it differs by more than five combined errors', () => {
  expect(hasMoved(roi('A', 50), roi('A', 51.41))).toBe(false);
  expect(hasMoved(roi('A', 50), roi('A', 51.42))).toBe(true);
  expect(hasMoved(roi('A', 50), roi('A', 48))).toBe(true);
  expect(hasMoved(roi('A', 50, 2), roi('A', 52))).toBe(false);
});

test('what was lost, or has no error, has not moved', () => {
  expect(hasMoved(roi('A', null, null), roi('A', 50))).toBe(false);
  expect(hasMoved(roi('A', 50), roi('A', null, null))).toBe(false);
  expect(hasMoved(roi('A', 50, null), roi('A', 80))).toBe(false);
});

test('ROIs are compared by their labels; other flags and the line itself stay', () => {
  const before = line(roi('A', 50), roi('B', 60));
  const now = line(roi('B', 70), { ...roi('A', 55), flags: ['edge'] }, roi('C', 1));
  expect(flagsOf(markMoved(before, now))).toEqual([['moved'], ['edge', 'moved'], []]);
  expect(flagsOf(now)).toEqual([[], ['edge'], []]);
});

test('without a line before, or after a failed image, nothing is marked', () => {
  const now = line(roi('A', 50));
  expect(markMoved(null, now)).toBe(now);
  expect(markMoved({ ...now, image_analysis: null }, now)).toBe(now);
  const other = line({ ...roi('A', 90), 'Analysis-method': 'fano' });
  expect(flagsOf(markMoved(other, now))).toEqual([[]]);
});

test('where both lines have shifts from one reference, these say whether a resonance has moved', () => {
  const at = (position: number, shift: number | null) => ({ ...roi('A', position, 4), shift, shift_uncertainty: 0.1 });
  const from = (reference: string | null, found: RoiResult) => ({ ...line(found), reference });
  const before = from('r', at(50, 0));
  expect(flagsOf(markMoved(before, from('r', at(51, 1))))).toEqual([['moved']]);
  expect(flagsOf(markMoved(before, from('r', at(50.5, 0.5))))).toEqual([[]]);
  expect(flagsOf(markMoved(before, from('another', at(51, 1))))).toEqual([[]]);
  expect(flagsOf(markMoved(before, from('r', at(90, null))))).toEqual([['moved']]);
});
