import { readFileSync } from 'node:fs';

/*
 * Loaded into a program before all else (`node --import`): its wall clock is off by as many ms as the file in
 * `PHOREST_TEST_CLOCK` says, from the moment that it says so. Time stamps of files stay those of the machine.
 */

const file = process.env.PHOREST_TEST_CLOCK!;
/** The file is looked at so often, ms. */
const pollEveryMs = 20;

const Wall = Date;
let offset = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now(): number {
  const elapsed = performance.now();
  if (elapsed - lookedAt > pollEveryMs) {
    lookedAt = elapsed;
    offset = Number(readFileSync(file, 'utf8')) || 0;
  }
  return Wall.now() + offset;
}

globalThis.Date = class extends Wall {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [now()] : given) as [number]));
  }
  static override now(): number {
    return now();
  }
} as DateConstructor;
