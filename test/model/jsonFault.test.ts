import { expect, it } from 'vitest';
import { jsonFault } from '../../src/model/jsonFault.ts';

it.each([
  ['hunter2-TOPSECRET\n', 'line 1, column 1: what stands there is no JSON'],
  ['{"a": 1,\n "b": hunter2}', 'line 2, column 7: what stands there is no JSON'],
  ['{"hunter2" 1}', 'line 1, column 12: what stands there is no JSON'],
  ['{"a": "hunter2\u0001"}', 'line 1, column 15: what stands there is no JSON'],
  ['[1, 2] hunter2', 'line 1, column 8: what stands there is no JSON'],
  ['[truhunter2]', 'line 1, column 5: what stands there is no JSON'],
  ['{"a": "hunter2', 'it ends too early'],
  ['', 'it is empty'],
])('the fault in %j is told by its place, and not by what stands there', (text, told) => {
  expect(jsonFault(text)).toBe(told);
});
