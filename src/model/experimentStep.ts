import { parseIso } from './localTime.ts';

/** From a time on, another liquid is on the chip; as the configuration and a mark write it. */
export interface ExperimentStep {
  /** What the clock at the camera shows, `2026-11-28T14:00:00`. */
  readonly time: string;
  readonly liquid: string;
  /** Refractive index of the liquid. */
  readonly refractive_index?: number;
  /** Of the analyte, as {@link concentrationOf} reads it. */
  readonly concentration?: string;
}

const units: Readonly<Record<string, number>> = {
  M: 1,
  mM: 1e-3,
  µM: 1e-6,
  μM: 1e-6,
  uM: 1e-6,
  nM: 1e-9,
  pM: 1e-12,
  fM: 1e-15,
};

/** How a concentration is written. */
export const concentrationForm = 'a concentration such as "10 nM", with the unit M, mM, uM, nM, pM or fM; or 0';

/** Mol a litre, of `10 nM`, `2.5e-8 M` or `0`; null for other text. */
export function concentrationOf(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*([a-zµμ]*M)?\s*$/i.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  const unit = match?.[2];
  if (value === 0) return 0;
  const factor = unit === undefined ? undefined : units[unit];
  return Number.isFinite(value) && factor !== undefined ? value * factor : null;
}

/** `2026-11-28T14:00`, also with seconds, a blank for the T, or only a day: as ms since 1970 as if it were in UTC; NaN for no such time. */
export function clockTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,6})?))?)?$/.exec(text.trim());
  if (!match) return Number.NaN;
  const iso = `${match[1]}T${match[2] ?? '00:00'}:${match[3] ?? '00'}`;
  const ms = parseIso(`${iso}Z`);
  // 31 June is no day.
  return new Date(ms || 0).toISOString().startsWith(iso.slice(0, 10)) ? ms : Number.NaN;
}

/** In order of time; a later step with the same time and liquid replaces the one before. */
export function inOrderOfTime(steps: readonly ExperimentStep[]): ExperimentStep[] {
  const byName = new Map(steps.map(step => [`${clockTime(step.time)} ${step.liquid}`, step]));
  return [...byName.values()].sort((a, b) => clockTime(a.time) - clockTime(b.time));
}

/** A refractive index as it was given, to four decimals at least; empty where none is known. */
export const indexText = (index: number | undefined): string =>
  index === undefined ? '' : index.toFixed(Math.max(4, String(index).split('.')[1]?.length ?? 0));
