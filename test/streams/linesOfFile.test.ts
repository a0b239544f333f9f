import { describe, expect, it } from 'vitest';
import { lastLines, lineBehind } from '../../src/streams/console/linesOfFile.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const path = '/lines';
/** Lines of very different lengths, far longer and shorter than the guess. */
const lines = [5, 1, 9_000, 40, 1, 300, 20_000, 2, 8].map((length, i) => `${String(i).repeat(length)}\n`);
const text = lines.join('');
const offsets = lines.map((_, i) => lines.slice(0, i).join('').length);
const fileOf = (content: string): FaultyFiles => {
  const files = new FaultyFiles();
  files.put(path, content);
  return files;
};

describe('lines in the middle of a file', () => {
  it.each([1, 100, 50_000])('begin at a byte or behind it, by a guess of %i bytes', async guess => {
    const files = fileOf(text);
    const places = [
      0,
      1,
      ...offsets,
      ...offsets.map(offset => offset + 1),
      ...offsets.slice(1).map(offset => offset - 1),
    ];
    for (const place of places) {
      const index = offsets.findIndex(offset => offset >= place);
      const found = await lineBehind(files, path, place, text.length, guess);
      if (index < 0) expect(found).toBeNull();
      else expect([found?.offset, found?.bytes.toString()]).toEqual([offsets[index], lines[index]]);
    }
  });

  it('are whole before the end that was given', async () => {
    const files = fileOf(text);
    expect(await lineBehind(files, path, offsets[6], offsets[7] - 1, 100)).toBeNull();
    expect((await lineBehind(files, path, offsets[6], offsets[7], 100))?.offset).toBe(offsets[6]);
    expect(await lineBehind(files, path, text.length, text.length, 100)).toBeNull();
    expect(await lineBehind(fileOf(''), path, 0, 0, 100)).toBeNull();
  });
});

describe('the last lines of a file', () => {
  it.each([1, 100, 50_000])(
    'are those before its end, without one that has none, by a guess of %i bytes',
    async guess => {
      for (const torn of ['', 'torn', 't'.repeat(30_000)]) {
        const files = fileOf(text + torn);
        for (let count = 1; count <= lines.length + 1; count++) {
          const range = { from: 0, to: text.length + torn.length };
          const { lines: found, end } = await lastLines(files, path, range, count, guess);
          expect(found.map(({ bytes }) => bytes.toString())).toEqual(lines.slice(-count));
          expect(found.map(({ offset }) => offset)).toEqual(offsets.slice(-count));
          expect(end).toBe(text.length);
        }
      }
    },
  );

  it('are none before the place where they begin', async () => {
    const files = fileOf(`${text}torn`);
    const read = (from: number, to = text.length + 4) => lastLines(files, path, { from, to }, 5, 10);
    expect((await read(offsets[7])).lines.map(({ offset }) => offset)).toEqual(offsets.slice(7));
    expect(await read(text.length)).toEqual({ lines: [], end: text.length });
    expect(await read(text.length, text.length)).toEqual({ lines: [], end: text.length });
  });
});
