import { expect, it } from 'vitest';
import { sayOnce } from '../../src/model/sayOnce.ts';

it('tells of a full disk once, though each attempt has a temporary file and a count of its own', () => {
  const said: string[] = [];
  const report = sayOnce(error => said.push(error.message));
  const full = (name: string, taken: number) =>
    new Error(`'flags/a.json.${name}.tmp': only ${taken} bytes were written`);
  report(full('4711-0a1b2c3d', 0));
  report(full('4711-ffeeddcc', 17));
  report(new Error('the disk is gone'));
  report(new Error('the disk is gone'));
  report(null);
  report(new Error('the disk is gone'));
  expect(said).toEqual([
    "'flags/a.json.4711-0a1b2c3d.tmp': only 0 bytes were written",
    'the disk is gone',
    'the disk is gone',
  ]);
});
