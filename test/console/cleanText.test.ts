import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText } from '../../src/console/views/cleanText.ts';

describe('cleanText', () => {
  it('takes escape sequences and control characters out', () => {
    expect(cleanText('\u001b[31mred\u001b[m\u001b]0;title\u0007 a\tb\r\nc\u0000', { unicode: true })).toBe(
      'red a b c ',
    );
  });

  it('leaves one column a character: wide ones and emoji become ?, marks go', () => {
    expect(cleanText('漢a\u0301e\u0325😀\u200b한', { unicode: true })).toBe('?áe??');
  });

  it('shows nothing that is written from right to left, which would move the columns beside it', () => {
    expect(cleanText('chip שלום and سلام 1', { unicode: true })).toBe('chip ???? and ???? 1');
  });

  it('spells common signs in ASCII', () => {
    expect(cleanText('5 → 2, 3 × 4 °C, café, µm…', { unicode: false })).toBe('5 -> 2, 3 x 4 deg C, cafe, um...');
  });

  it('lets nothing through that a terminal would act on, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(cleanText(text, { unicode: false })).toMatch(/^[ -~]*$/);
        expect(cleanText(text, { unicode: true })).not.toMatch(/[\p{Cc}\p{Cs}\p{M}\u{10000}-\u{10ffff}]/u);
      }),
    );
  });
});
