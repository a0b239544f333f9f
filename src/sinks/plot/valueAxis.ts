export interface ValueAxis {
  min: number;
  max: number;
  /** Round numbers between them. */
  ticks: number[];
}

/** An axis from a little below `low` to a little above `high`, with at most about `count` round ticks. */
export function valueAxis(low: number, high: number, count: number): ValueAxis {
  const middle = (low + high) / 2;
  // A constant gets a range that shows its size: 1 % of it, and no less than what a position can be measured to.
  const span = Math.max(high - low, Math.abs(middle) * 0.01, 0.1) * 1.08;
  const [min, max] = [middle - span / 2, middle + span / 2];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find(n => n * power >= rough) ?? 10) * power;
  const first = Math.ceil(min / step);
  const ticks = Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) =>
    // Without the binary dust of a product.
    Number(((first + i) * step).toPrecision(12)),
  );
  return { min, max, ticks };
}
