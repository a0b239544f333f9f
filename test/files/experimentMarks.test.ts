import { expect, it } from 'vitest';
import { addMark, type ExperimentMark, readMarks, readNumberedMarks } from '../../src/files/experimentMarks.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const mark = (liquid: string): ExperimentMark => ({
  time: '2026-11-28T14:00:00.000',
  liquid,
  refractive_index: 1.34,
  concentration: '10 nM',
  marked: '2026-11-28T13:00:00.000000Z',
  user: 'me',
});
const alone = <T>(work: () => Promise<T>): Promise<T> => work();
const never = (message: string): void => {
  throw new Error(message);
};

it('a mark that was taken back does not count, and the others keep their numbers; the file is only appended to', async () => {
  const files = new FaultyFiles();
  for (const liquid of ['water', 'ethanol', 'buffer']) await addMark(files, '/results', mark(liquid), alone);
  const { time, liquid, marked } = mark('ethanol');
  await addMark(files, '/results', { takes_back: { time, liquid, marked }, marked: 'later', user: 'me' }, alone);
  expect(await readMarks(files, '/results', never)).toEqual([mark('water'), mark('buffer')]);
  await addMark(files, '/results', { ...mark('ethanol'), marked: 'again' }, alone);
  const numbered = await readNumberedMarks(files, '/results', never);
  expect(numbered.map(each => [each.number, each.liquid])).toEqual([
    [1, 'water'],
    [3, 'buffer'],
    [4, 'ethanol'],
  ]);
});

it('marks of an experiment are read as they were made; a line that is none is named, and left out', async () => {
  const files = new FaultyFiles();
  expect(await readMarks(files, '/results', never)).toEqual([]);
  await addMark(files, '/results', mark('water'), alone);
  await addMark(files, '/results', mark('ethanol 10 %, "pure"'), alone);
  expect(await readMarks(files, '/results', never)).toEqual([mark('water'), mark('ethanol 10 %, "pure"')]);

  const file = await files.open('/results/marks.jsonl', 'a');
  await file.write(Buffer.from('{"time":"14:00","liquid":"x"}\n{"time":"2026-11-28","liq\n'), null);
  await file.close();
  await addMark(files, '/results', mark('last'), alone);
  const damaged: string[] = [];
  const marks = await readMarks(files, '/results', message => damaged.push(message));
  expect(marks.map(({ liquid }) => liquid)).toEqual(['water', 'ethanol 10 %, "pure"', 'last']);
  expect(damaged).toEqual([
    expect.stringContaining('/results/marks.jsonl, line 3: "time" is no time'),
    expect.stringContaining('line 4'),
  ]);
});
