import { expect, test } from 'vitest';
import { RowTexts } from '../../src/verify/rowTexts.ts';

test('a row is the same with and without the flag that the communicator adds, and other with other flags', () => {
  const columns = ['timestamp', 'ROI-label', 'Analysis-method', 'position', 'uncertainty', 'flags', 'image_filename'];
  const row = (flags: string) => RowTexts.ofRow(columns, `2025-07-24T13:45:13,A,gaussian,12.5,0.1,${flags},a.png`);
  expect(row('moved')).toBe(row(''));
  expect(row('edge;moved')).toBe(row('edge'));
  expect(row('edge')).not.toBe(row(''));
});
