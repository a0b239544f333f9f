const powersOfTen = Float64Array.from({ length: 16 }, (_, decimals) => Number(`1e${decimals}`));

/**
 * Rounds as `numpy.round` does: the value times a power of ten, to the nearest whole number, halves to even. Like there,
 * the product itself is rounded to a double first, so that 2.675 counts as the half it is written as.
 */
export function roundDecimals(value: number, decimals: number): number {
  const scale = powersOfTen[decimals];
  const scaled = value * scale;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = (up ? floor + 1 : floor) / scale;
  // Above 2^53 the product has no decimals to round, or is not finite at all.
  return Number.isFinite(rounded) ? rounded + 0 : value;
}
