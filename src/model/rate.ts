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

/** `11.8`, in a unit, to three figures. */
export const rateFigure = (perSecond: number, { seconds }: RateUnit): string => {
  const value = perSecond * seconds;
  return number(Number(value.toPrecision(value >= 100 ? 4 : 3)));
};

/** `21.3/s`, `11.8/min`, `4/h`: as one would say it. */
export function rateText(perSecond: number, unit = rateUnit(perSecond)): string {
  return `${rateFigure(perSecond, unit)}/${unit.per}`;
}
