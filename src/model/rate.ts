import { number } from './quantity.ts';

/** The time that a rate is told for. */
export interface RateUnit {
  per: 's' | 'min' | 'h';
  seconds: number;
}

const units: readonly RateUnit[] = [
  { per: 's', seconds: 1 },
  { per: 'min', seconds: 60 },
  { per: 'h', seconds: 3600 },
];

/** The unit in which there is about one or more: a second, a minute or an hour. */
export function rateUnit(perSecond: number): RateUnit {
  if (perSecond === 0) return units[1] as RateUnit;
  return units.find(({ seconds }) => perSecond * seconds > 0.95) ?? (units[2] as RateUnit);
}

/** Within this factor of what is asked, a rate is told in the same unit. */
const near = 5;

/** The unit of what is asked, where the rate is near that, so that the two can be compared; else its own. */
export function unitBeside(perSecond: number, askedPerSecond: number | null): RateUnit {
  if (askedPerSecond === null || askedPerSecond <= 0) return rateUnit(perSecond);
  return perSecond <= near * askedPerSecond ? rateUnit(askedPerSecond) : rateUnit(perSecond);
}

/** `11.8`, in a unit, to three figures. */
export const rateFigure = (perSecond: number, { seconds }: RateUnit): string => {
  const value = perSecond * seconds;
  return number(Number(value.toPrecision(value >= 100 ? 4 : 3)));
};

/** `21.3/s`, `11.8/min`, `4/h`: as one would say it. */
export function rateText(perSecond: number, unit = rateUnit(perSecond)): string {
  return `${rateFigure(perSecond, unit)}/${unit.per}`;
}
