import { expect, it } from 'vitest';
import { counted } from '../../src/model/quantity.ts';

it('one thing is one, and others are many', () => {
  expect([0, 1, 2, 12_880].map(count => counted(count, 'warning'))).toEqual([
    '0 warnings',
    '1 warning',
    '2 warnings',
    '12,880 warnings',
  ]);
  expect(counted(1, 'entry is', 'entries are')).toBe('1 entry is');
});
