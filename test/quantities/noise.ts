export { seededRandom } from '../program/crashLoop.ts';

/** Normal numbers of variance 1 (Box and Muller). */
export const gaussianNoise =
  (random: () => number): (() => number) =>
  () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
