/** What happened to good data: each is counted by the words of the problem. */
export type Harm = 'lost' | 'doubled' | 'stuck' | 'errors';

const signs: readonly [Harm, RegExp][] = [
  [
    'lost',
    /gone|missing_|was not recorded|damaged_|has 0 result lines|no result line|has no rows|reported without|good record/,
  ],
  ['doubled', /twice|duplicate_|has [2-9]\d* result lines|unknown_rows|belongs to no reported/],
  ['stuck', /still claimed|stuck|not settled|was not processed|was not reported|did not end|in time/],
];

/** Counts of what was done and of what came of it. Nothing counts that did not happen. */
export class Tally {
  readonly counts: Record<string, number> = {};
  readonly harm: Record<Harm, number> = { lost: 0, doubled: 0, stuck: 0, errors: 0 };
  readonly figures: Record<string, unknown> = {};
  readonly unavailable: Record<string, string> = {};
  readonly problems: string[] = [];

  count(what: string, number = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + number;
  }

  /** Counts each as the harm that its words tell of, else as an error. */
  problem(...texts: string[]): void {
    for (const text of texts) {
      const harm = signs.find(([, sign]) => sign.test(text))?.[0] ?? 'errors';
      this.harm[harm]++;
      this.problems.push(`${harm}: ${text}`);
    }
  }
}
