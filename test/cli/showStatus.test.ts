import { expect, test } from 'vitest';
import { noneRan } from '../../src/cli/showStatus.ts';

test('a folder that is not there is told apart from one in which nothing has run: it may have been moved, or its disk', () => {
  expect(noneRan('/usb/run7', 'phorest start', true)).toBe(
    'no pipeline has run in /usb/run7 yet; "phorest start" starts one',
  );
  expect(noneRan('/usb/run7', 'phorest start', false)).toMatch(
    /^there is no folder \/usb\/run7: it was moved, its disk/,
  );
});
