/** Whole numbers with thousands apart, others to four figures: `12,880`, `0.4321`. */
export function number(value: number): string {
  return Number.isInteger(value)
    ? value.toLocaleString('en-GB')
    : value.toLocaleString('en-GB', { maximumSignificantDigits: 4 });
}

/** More decimals than these are not written; what is smaller has an exponent. */
const mostDecimals = 6;

/**
 * A value and its standard error, in one unit: the error to two figures, the value as far: `+0.194` and `0.010`. Where the error is not known, four
 * decimals and `?`; what is not known itself is `?`.
 * @param isSigned a plus before what is above nought
 */
export function measured(value: number, sigma: number, isSigned = false): [value: string, sigma: string] {
  const isKnown = Number.isFinite(sigma) && sigma > 0;
  const asked = isKnown ? Math.max(0, 1 - magnitude(Number(sigma.toPrecision(2)))) : Math.abs(value) >= 100 ? 2 : 4;
  const decimals = Math.min(mostDecimals, asked);
  const isTiny = asked > mostDecimals && value !== 0 && Math.abs(value) < 1e-4;
  const digits = isTiny
    ? value.toExponential(Math.max(0, Math.min(20, asked + magnitude(value))))
    : // What rounds to nought has no sign.
      value.toFixed(decimals).replace(/^-(?=[0.]+$)/, '');
  const plus = isSigned && value > 0 && Number(digits) !== 0 ? '+' : '';
  const error = isKnown
    ? asked > mostDecimals
      ? sigma.toPrecision(2)
      : sigma.toFixed(decimals)
    : sigma === 0
      ? '0'
      : '?';
  return [Number.isFinite(value) ? `${plus}${digits}` : '?', error];
}

const magnitude = (value: number): number => Math.floor(Math.log10(Math.abs(value)));

/** `0.194 ± 0.010`. @param unicode whether the sign may be other than ASCII */
export function withError(value: number, sigma: number, { isSigned = false, unicode = true } = {}): string {
  return measured(value, sigma, isSigned).join(unicode ? ' ± ' : ' +- ');
}

/** `12.3 GB`, decimal. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let scaled = value;
  let unit = 0;
  while (Math.abs(scaled) >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${Number(scaled.toPrecision(3))} ${units[unit]}`;
}

/** `840 ms`, `2.41 s`, `3 min 20 s`, `2 h 5 min`. @param ms milliseconds. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 10) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${Number((ms / 1000).toPrecision(3))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return parts(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return parts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** Up to so many ms a value is told to so many: nobody knows more, and what changes all the time is not read. */
const estimateSteps = [
  [120_000, 1000],
  [600_000, 10_000],
  [2 * 3_600_000, 60_000],
  [48 * 3_600_000, 600_000],
  [10 * 86_400_000, 3_600_000],
] as const;

/** What is an estimate, or goes on: `under 1 s`, `1 min 29 s`, `3 h 20 min`, `12 d`. @param ms milliseconds. */
export function estimate(ms: number): string {
  if (ms < 950) return 'under 1 s';
  const [, step] = estimateSteps.find(([limit]) => ms < limit) ?? [0, 86_400_000];
  return duration(Math.round(ms / step) * step);
}

/** {@link duration} in at most six columns, to its first unit: `840 ms`, `12 s`, `2 min`, `3 h`, `12 d`. */
export function shortDuration(ms: number): string {
  if (!(ms >= 1000)) return duration(ms);
  const [size, unit] =
    units.find(([size]) => Math.round(ms / size) < (size === 3_600_000 ? 48 : 60)) ?? ([86_400_000, 'd'] as const);
  return `${Math.round(ms / size)} ${unit}`;
}

const units = [
  [1000, 's'],
  [60_000, 'min'],
  [3_600_000, 'h'],
] as const;

function parts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** `1 warning`, `2 warnings`, `12,880 entries`. @param many where it is not `one` with an s. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
