/** Okabe and Ito's colours, told apart also by the colour-blind, without their yellow, which is faint on white. */
const distinct = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#000000'];

/** Viridis at equal distances up to 0.9 of it (the last yellow is faint on white): even in lightness, for every eye. */
const gradual = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [170, 220, 50],
] as const;

/** Most tracks that are told apart by colours of their own. */
export const maxDistinct = distinct.length;

/** A colour for track `index` of `count`: one of its own when they are few, else by its place in the order. */
export function trackColour(index: number, count: number): string {
  return count <= maxDistinct ? (distinct[index] as string) : gradualColour(index / (count - 1));
}

/** The colour at a place from 0 to 1. */
export function gradualColour(place: number): string {
  const at = Math.min(1, Math.max(0, place)) * (gradual.length - 1);
  const left = Math.min(Math.floor(at), gradual.length - 2);
  const [a, b] = [gradual[left] as readonly number[], gradual[left + 1] as readonly number[]];
  const mixed = a.map((value, i) => Math.round(value + ((b[i] as number) - value) * (at - left)));
  return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`;
}
