import { expect, it } from 'vitest';
import { trampoline } from '../../src/rx/trampoline.ts';

/** Steps that are left, what happened, and the trampoline over them; `during` runs inside of each step. */
function steps(left: number, during: (run: () => void) => void = () => undefined) {
  const told: string[] = [];
  let depth = 0;
  const run = trampoline(
    () => {
      if (left === 0) return false;
      left--;
      depth++;
      told.push(`step at depth ${depth}`);
      during(run);
      depth--;
      return true;
    },
    () => told.push('rest'),
  );
  return { told, run };
}

it('runs steps until none is left, then rests; each call rests', () => {
  const { told, run } = steps(2);
  run();
  run();
  expect(told).toEqual(['step at depth 1', 'step at depth 1', 'rest', 'rest']);
});

it('a step that leads to itself is run after it, not inside it, and rests once', () => {
  const { told, run } = steps(3, inner => inner());
  run();
  expect(told).toEqual(['step at depth 1', 'step at depth 1', 'step at depth 1', 'rest']);
});

it('a hundred thousand steps that lead to each other do not fill the stack', () => {
  const { told, run } = steps(100_000, inner => inner());
  run();
  expect(told).toHaveLength(100_001);
});

it('a rest that brings new steps runs them', () => {
  let left = 1;
  let rests = 0;
  const run = trampoline(
    () => left-- > 0,
    () => {
      if (++rests === 1) {
        left = 1;
        run();
      }
    },
  );
  run();
  expect([left, rests]).toEqual([-1, 2]);
});
