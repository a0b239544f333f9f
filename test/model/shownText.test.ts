import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manyLines, oneLine, shortened, shownJson } from '../../src/model/shownText.ts';

const dangerous = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

describe('oneLine', () => {
  it.each([
    ['a colour and a title of the window', '\u001b[31mred\u001b[m\u001b]0;title\u0007', 'red'],
    ['C1 codes', '\u009b31mred\u009d0;title\u009c', ' 31mred 0;title '],
    ['a string for the terminal that ends with ST', 'a\u001bP1$r\u001b\\b\u001b_x\u001b\\c', 'abc'],
    ['a title that never ends, which must not swallow what follows', 'x\u001b]0;y is not there', 'x0;y is not there'],
    ['an escape at the end of a name', 'x\u001b is not there\u001b', 'x is not there'],
    ['a reset of the terminal and a character set', 'a\u001bcb\u001b(0c\u001b7d', 'abcd'],
    ['a bell, a backspace, DEL', 'a\u0007b\u0008c\u007fd', 'a b c d'],
    [
      'line ends, which would begin a line of their own',
      'img\r\n2026-01-01  error\u2028x\u0085y',
      'img 2026-01-01  error x y',
    ],
    ['turned direction', 'gpj\u202e.exe\u2066a\u2069\u200f', 'gpj.exea'],
    ['a byte order mark, spaces of no width, tags', '\ufeffa\u200bb\u{e0041}', 'ab'],
    ['half a pair and what is no character', 'a\ud83db\ufffec\uffff', 'a\ufffdb\ufffdc\ufffd'],
    ['a letter with a tower of marks', `e${'\u0301'.repeat(50)}x`, `e${'\u0301'.repeat(4)}x`],
    ['what people write', 'Größe café 測定 😀 نص می‌خواهم', 'Größe café 測定 😀 نص می‌خواهم'],
  ])('%s', (_, text, shown) => {
    expect(oneLine(text)).toBe(shown);
  });

  it('lets nothing through that a terminal acts on, and says the same of its own words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const shown = oneLine(text);
        expect(shown).not.toMatch(dangerous);
        expect(oneLine(shown)).toBe(shown);
      }),
    );
  });
});

describe('manyLines', () => {
  it("keeps the program's own line ends and tabs", () => {
    expect(manyLines('Usage:\n\tphorest \u001b[2J\rx\n')).toBe('Usage:\n\tphorest  x\n');
  });
});

describe('shownJson', () => {
  it('means the same, and spells what a terminal would act on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const json = shownJson(JSON.stringify({ [text]: text }, null, 1));
        expect(json.replaceAll('\n', '')).not.toMatch(dangerous);
        expect(JSON.parse(json)).toEqual({ [text]: text });
      }),
    );
    expect(shownJson('"\u009b2J\u007f\u202e"')).toBe('"\\u009b2J\\u007f\\u202e"');
  });
});

describe('shortened', () => {
  it('cuts before a character of two units, not in it', () => {
    expect(shortened('ab😀cd', 4)).toBe('ab…');
    expect(shortened('ab😀', 4)).toBe('ab😀');
  });
});
