import { describe, expect, it } from 'vitest';
import { boundFraction, fitLangmuir } from '../../src/quantities/langmuir.ts';
import { gaussianNoise, seededRandom } from './noise.ts';

/** Buffer, 30 nM, buffer, 100 nM, buffer; a value every 2 s. */
const steps = [
  { time: 60, concentration: 3e-8 },
  { time: 360, concentration: 0 },
  { time: 700, concentration: 1e-7 },
  { time: 1000, concentration: 0 },
];
const times = Float64Array.from({ length: 700 }, (_, i) => 2 * i);

describe('a 1:1 Langmuir fit', () => {
  it('500 curves: rates unbiased within 2 %, and in 68 of 100 intervals the truth is inside', () => {
    const random = seededRandom(7);
    const noise = gaussianNoise(random);
    let [inOn, inOff, inD, in95, lnOn, lnOff] = [0, 0, 0, 0, 0, 0];
    const curves = 500;
    for (let curve = 0; curve < curves; curve++) {
      const kOn = 1e5 * 10 ** (random() * 0.8);
      const kOff = 1e-3 * 10 ** (random() * 0.8);
      const max = (random() < 0.5 ? -1 : 1) * (2 + 3 * random());
      const bound = boundFraction(times, steps, kOn, kOff);
      const fit = fitLangmuir({ times, shifts: bound.map(theta => 0.4 + max * theta + 0.1 * noise()) }, steps)!;
      const holds = ([low, high]: readonly [number, number], truth: number): number =>
        low < truth && truth < high ? 1 : 0;
      inOn += holds(fit.kOn.interval68, kOn);
      inOff += holds(fit.kOff.interval68, kOff);
      inD += holds(fit.kD.interval68, kOff / kOn);
      in95 += holds(fit.kOn.interval95, kOn);
      lnOn += Math.log(fit.kOn.value / kOn) / curves;
      lnOff += Math.log(fit.kOff.value / kOff) / curves;
    }
    expect(Math.abs(lnOn)).toBeLessThan(0.02);
    expect(Math.abs(lnOff)).toBeLessThan(0.02);
    for (const inside of [inOn, inOff, inD]) expect(Math.abs(inside / curves - 0.68)).toBeLessThan(0.05);
    expect(Math.abs(in95 / curves - 0.95)).toBeLessThan(0.03);
  });

  it('solves the equation: a step of a long time ends at C / (C + K_D), and dissociation is an exponential', () => {
    const bound = boundFraction(
      [0, 1e6, 1e6 + 100],
      [
        { time: 1, concentration: 2e-8 },
        { time: 1e6, concentration: 0 },
      ],
      1e5,
      1e-3,
    );
    expect(bound[0]).toBe(0);
    expect(bound[1]).toBeCloseTo(2 / 3, 9);
    expect(bound[2]).toBeCloseTo((2 / 3) * Math.exp(-0.1), 9);
  });

  it('takes gaps and weights, and gives residuals in the order of the values', () => {
    const noise = gaussianNoise(seededRandom(3));
    const shifts = boundFraction(times, steps, 2e5, 2e-3).map((theta, i) => 3 * theta + (i % 2 ? 0.5 : 0.02) * noise());
    shifts[100] = Number.NaN;
    const sigmas = times.map((_, i) => (i % 2 ? 50 : 2));
    const fit = fitLangmuir({ times, shifts, sigmas }, steps)!;
    expect(fit.kOn.value / 2e5).toBeCloseTo(1, 1);
    expect(fit.kOff.value / 2e-3).toBeCloseTo(1, 1);
    expect(fit.residuals).toHaveLength(700);
    expect(fit.residuals[100]).toBeNaN();
  });

  it('says nothing where nothing binds, or nothing was there to bind', () => {
    const noise = gaussianNoise(seededRandom(4));
    const shifts = times.map(() => 0.1 * noise());
    expect(fitLangmuir({ times, shifts }, [{ time: 100, concentration: 0 }])).toBeNull();
    const fit = fitLangmuir({ times, shifts }, steps);
    if (fit) expect(Math.abs(fit.maxShift.value)).toBeLessThan(4 * fit.maxShift.sigma);
  });
});
