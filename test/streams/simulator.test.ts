import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGaussian } from '../../src/analysis/gaussian.ts';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { sampleRoi } from '../../src/analysis/sampleRoi.ts';
import { contentHash } from '../../src/files/contentHash.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { randomStream } from '../../src/model/randomStream.ts';
import { chipLayout } from '../../src/streams/cameras/simulated/chipLayout.ts';
import { glyphRuns } from '../../src/streams/cameras/simulated/glyphs.ts';
import { noiseTile } from '../../src/streams/cameras/simulated/noiseTile.ts';
import { renderFrame, renderSteps } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { positionAt } from '../../src/streams/cameras/simulated/resonance.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { simulatorRoiManifest } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import {
  type SimulatorOptions,
  simulatorOptions,
  simulatorPresets,
} from '../../src/streams/cameras/simulated/simulatorOptions.ts';

const time = Date.UTC(2025, 6, 24, 13, 45, 13);
const quiet = { speckleContrast: 0, readNoise: 0, shotGain: 0 };
/** One grating, so that a test draws little. */
const single = { width: 320, height: 200, columns: 1, rows: 1 };

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map(value => (value - centre) ** 2)));
}
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

/** Rows of every ROI as the manifest's text describes them, fitted: [ROI][row]. */
function fittedRows(pixels: Pixels, manifestText: string): Map<string, number[]> {
  const { rois, imageAngle } = parseRoiManifest(manifestText, 'ROI_manifest.json');
  const method = createGaussian();
  const out = new Float64Array(5);
  return new Map(
    rois.map(roi => {
      const [rows, columns] = roi.size;
      const values = new Float64Array(rows * columns);
      sampleRoi(pixels, roi, imageAngle, values);
      const fitted: number[] = [];
      for (let r = 0; r < rows; r++)
        if (method.fitRow(values, r * columns, columns, Number.POSITIVE_INFINITY, out) === null) fitted.push(out[1]);
      return [roi.label, fitted];
    }),
  );
}

describe('frames of the simulator', () => {
  it('are the same for the same seed and time, and others for another seed or time', () => {
    const options = simulatorOptions('small', single);
    const first = renderFrame(createScene(options), time);
    const again = renderFrame(createScene(options), time);
    expect(again).toEqual(first);
    const { data } = first.pixels;
    expect(renderFrame(createScene(options), time + 1).pixels.data).not.toEqual(data);
    expect(renderFrame(createScene({ ...options, seed: 2 }), time).pixels.data).not.toEqual(data);
    // sfc32, FNV and the tiles are ours to keep: a frame of a seed stays that frame.
    expect([data.length, data[0], data[12_345], data[40_000], data[63_999]]).toEqual([64_000, 17, 14, 14, 12]);
  });

  it.each([
    ['small', {}, '8097ae83381f'],
    ['small', { lineShape: 'fano', dust: 3, saturatedRois: 2, edgeRois: 1, hotPixels: 5 }, 'd8d6ba13e336'],
    ['microscope', { width: 640, height: 480, columns: 1, rows: 1 }, '4176bff8f3fe'],
    ['large', { width: 640, height: 480, columns: 1, rows: 1 }, '1865866e942a'],
  ] as const)('of preset %s with %j stay as they are, bit by bit', (preset, given, hash) => {
    const { data } = renderFrame(createScene(simulatorOptions(preset, given)), time).pixels;
    expect(contentHash(new Uint8Array(data.buffer))).toBe(hash);
  });

  it.each([
    ['ordinary', {}],
    ['turned the other way', { imageAngle: -3.5 }],
    ['not turned', { imageAngle: 0 }],
    ['at 16 bits', { depth: 16, amplitude: 1500, background: 200 }],
  ] as const)('without noise the line lies in every row where the truth says: %s', (_name, given) => {
    const scene = createScene(simulatorOptions('small', { ...quiet, ...given }));
    const { pixels, positions } = renderFrame(scene, time);
    const rows = fittedRows(pixels, simulatorRoiManifest(scene.layout));
    scene.resonances.forEach(({ roi, rowOffset }, i) => {
      const fitted = rows.get(roi.label) as number[];
      expect(fitted).toHaveLength(roi.size[0]);
      const worst = Math.max(...fitted.map((value, r) => Math.abs(value - positions[i] - rowOffset[r])));
      // Rounding to whole counts leaves a few hundredths of a pixel in a row.
      expect(worst).toBeLessThan('depth' in given ? 0.01 : 0.05);
      expect(Math.abs(mean(fitted) - positions[i])).toBeLessThan(0.01);
    });
  });

  it('with noise a row scatters as in the reference data, about the truth', () => {
    const scene = createScene(simulatorOptions('microscope', { width: 960, height: 800, columns: 3, rows: 3 }));
    const { pixels, positions } = renderFrame(scene, time);
    const rows = fittedRows(pixels, simulatorRoiManifest(scene.layout));
    const errors: number[] = [];
    const medians: number[] = [];
    scene.resonances.forEach(({ roi, rowOffset, medianOffset }, i) => {
      const fitted = rows.get(roi.label) as number[];
      errors.push(...fitted.map((value, r) => value - positions[i] - rowOffset[r]));
      medians.push(median(fitted) - positions[i] - medianOffset);
    });
    // 1.13 px for a row and 0.44 px for a median on the reference (README); here 810 rows and 18 medians.
    expect(deviation(errors)).toBeGreaterThan(0.8);
    expect(deviation(errors)).toBeLessThan(1.5);
    expect(Math.abs(mean(errors))).toBeLessThan(0.2);
    expect(deviation(medians)).toBeLessThan(0.7);
  });

  it('draw conditions on as many ROIs as asked for, and say which', () => {
    const given = { dust: 2, saturatedRois: 3, edgeRois: 1, hotPixels: 5 };
    const scene = createScene(simulatorOptions('small', given));
    const count = (condition: string): number => scene.resonances.filter(r => r.condition === condition).length;
    expect([count('dust'), count('saturated'), count('edge'), count('normal')]).toEqual([2, 3, 1, 26]);
    const { pixels, positions } = renderFrame(scene, time);
    for (const offset of scene.hotPixels) expect(pixels.data[offset]).toBe(255);
    scene.resonances.forEach(({ roi, condition, width, rowGain }, i) => {
      const values = new Float64Array(roi.size[0] * roi.size[1]);
      sampleRoi(pixels, roi, scene.options.imageAngle, values);
      const bright = values.filter(value => value > 250).length;
      if (condition === 'saturated') expect(bright).toBeGreaterThan(0.15 * values.length);
      else expect(bright).toBeLessThan(0.01 * values.length);
      expect(Math.max(...rowGain) > 2).toBe(condition === 'saturated');
      const fromEdge = Math.min(positions[i], roi.size[1] - 1 - positions[i]);
      expect(fromEdge < 2 * width).toBe(condition === 'edge');
    });
    const dark = createScene(simulatorOptions('small', { ...single, exposure: 0.09 }));
    expect(dark.resonances.every(({ condition }) => condition === 'low_signal')).toBe(true);
    expect(() => createScene(simulatorOptions('small', { ...single, dust: 3 }))).toThrow(/ask for 3 ROIs; there are 2/);
  });

  it('Fano lines have their maximum at γ/q beyond the position', () => {
    const scene = createScene(simulatorOptions('small', { ...quiet, ...single, lineShape: 'fano', imageAngle: 0 }));
    const { pixels, positions } = renderFrame(scene, time);
    scene.resonances.forEach(({ roi, rowOffset, width, q }, i) => {
      const values = new Float64Array(roi.size[0] * roi.size[1]);
      sampleRoi(pixels, roi, 0, values);
      const row = values.subarray(20 * roi.size[1], 21 * roi.size[1]);
      const top = Math.max(...row);
      const peak = mean([...row.keys()].filter(x => row[x] === top));
      expect(Math.abs(peak - positions[i] - rowOffset[20] - width / q)).toBeLessThan(1.5);
    });
  });

  it('are drawn in steps short enough to do other things in between', () => {
    const scene = createScene(simulatorOptions('microscope'));
    const steps = [...renderSteps(scene, time)];
    expect(steps).toHaveLength(Math.ceil(1460 / Math.floor(2 ** 16 / 1920)) - 1);
  });
});

describe('noise of the simulator', () => {
  /** Counts of light in the overlap of many frames: a bright grating without a line. */
  const flat: Partial<SimulatorOptions> = {
    ...single,
    depth: 16,
    fullScale: 65535,
    dark: 1000,
    background: 10_000,
    amplitude: 0,
    imageAngle: 0,
  };
  const patch = (given: Partial<SimulatorOptions>, at: number): number[] => {
    const scene = createScene(simulatorOptions('small', { ...flat, ...quiet, ...given }));
    const { roi } = scene.resonances[1];
    const values = new Float64Array(roi.size[0] * roi.size[1]);
    sampleRoi(renderFrame(scene, at).pixels, roi, 0, values);
    return [...values].map(value => value - 1000);
  };
  const correlation = (a: readonly number[], b: readonly number[]): number => {
    const [ma, mb] = [mean(a), mean(b)];
    return mean(a.map((value, i) => (value - ma) * (b[i] - mb))) / (deviation(a) * deviation(b));
  };

  it('speckle has its contrast, is correlated over 2 to 3 pixels, and half of it stays', () => {
    const speckled = { speckleContrast: 0.17 };
    const first = patch(speckled, time);
    expect(mean(first) / 10_000).toBeCloseTo(1, 1);
    expect(deviation(first) / mean(first)).toBeGreaterThan(0.9 * 0.17);
    expect(deviation(first) / mean(first)).toBeLessThan(1.1 * 0.17);
    const lag = (pixels: number): number => correlation(first.slice(0, -pixels), first.slice(pixels));
    // The autocorrelation of a Gaussian kernel of σ is exp(−d²/4σ²).
    for (const d of [1, 2, 3]) expect(Math.abs(lag(d) - Math.exp(-(d * d) / (4 * 0.81)))).toBeLessThan(0.08);
    expect(Math.abs(lag(8))).toBeLessThan(0.1);
    const second = patch(speckled, time + 5000);
    expect(correlation(first, second)).toBeGreaterThan(0.4);
    expect(correlation(first, second)).toBeLessThan(0.6);
    expect(patch({ ...speckled, speckleStaticFraction: 1 }, time)).toEqual(
      patch({ ...speckled, speckleStaticFraction: 1 }, time + 1),
    );
  });

  it('the pattern multiplies the light, has its contrast over its lengths, and stays', () => {
    const given = { patternContrast: [0.12, 0.3, 0.21], patternLength: [1, 6, 15], width: 640, height: 480 };
    const scene = createScene(simulatorOptions('small', { ...flat, ...quiet, ...given, background: 4000 }));
    const { values, width } = scene.pattern!.fixed!;
    const logs = [...values.map(Math.log)];
    expect(deviation(logs)).toBeCloseTo(Math.hypot(0.12, 0.3, 0.21), 1);
    const correlationAt = (d: number): number => {
      const pairs = [...logs.keys()].filter(i => (i % width) + d < width);
      return correlation(
        pairs.map(i => logs[i]),
        pairs.map(i => logs[i + d]),
      );
    };
    for (const d of [2, 8, 12, 20]) {
      const parts = given.patternContrast.map(
        (c, i) => c ** 2 * Math.exp(-(d * d) / (4 * given.patternLength[i] ** 2)),
      );
      const wanted = parts.reduce((sum, part) => sum + part) / Math.hypot(0.12, 0.3, 0.21) ** 2;
      expect(Math.abs(correlationAt(d) - wanted)).toBeLessThan(0.08);
    }
    const { pixels } = renderFrame(scene, time);
    const { coords } = scene.resonances[1].roi;
    const at = (coords[0] + 3) * 640 + coords[1] + 50;
    expect(pixels.data[at]).toBe(
      Math.round(1000 + 4000 * Math.fround(values[(coords[0] + 3) * width + coords[1] + 50])),
    );
    expect(renderFrame(scene, time + 5000).pixels).toEqual(pixels);
  });

  it('the part of the pattern that is not static is new in each frame', () => {
    const pattern = { patternContrast: [0.17], patternLength: [1] };
    const share = (patternStaticShare: number): number =>
      correlation(
        patch({ ...pattern, patternStaticShare }, time),
        patch({ ...pattern, patternStaticShare }, time + 5000),
      );
    expect(share(1)).toBeGreaterThan(0.999);
    expect(share(0.5)).toBeGreaterThan(0.4);
    expect(share(0.5)).toBeLessThan(0.6);
    expect(Math.abs(share(0))).toBeLessThan(0.1);
  });

  it('a chip that moves takes its pattern along, by parts of a pixel', () => {
    const options = simulatorOptions('small', { ...flat, ...quiet, patternContrast: [0.3], patternLength: [4] });
    const scene = createScene(options);
    const still = renderFrame(scene, time).pixels.data;
    const moved = renderFrame(scene, time, [{ kind: 'moved', pixels: [2.5, -1] }]).pixels.data;
    const { coords, size } = scene.resonances[1].roi;
    for (let y = coords[0] + 5; y < coords[0] + size[0] - 5; y++) {
      for (let x = coords[1] + 5; x < coords[1] + size[1] - 5; x++) {
        const wanted = (still[(y + 1) * 320 + x - 2] + still[(y + 1) * 320 + x - 3]) / 2;
        expect(Math.abs(moved[y * 320 + x] - wanted)).toBeLessThan(1.01);
      }
    }
  });

  it('a chip that jitters lies elsewhere in each frame, by as much as asked for', () => {
    const scene = createScene(simulatorOptions('small', { ...single, roiRows: 20, height: 120, chipJitter: 0.2 }));
    const movements = Array.from({ length: 200 }, (_, i) => renderFrame(scene, time + i).moved);
    for (const axis of [0, 1]) {
      expect(deviation(movements.map(moved => moved[axis]))).toBeGreaterThan(0.17);
      expect(deviation(movements.map(moved => moved[axis]))).toBeLessThan(0.23);
    }
  });

  it('read-out and shots are white and have their variances', () => {
    const read = patch({ readNoise: 40 }, time);
    expect(deviation(read)).toBeGreaterThan(38);
    expect(deviation(read)).toBeLessThan(42);
    expect(Math.abs(correlation(read.slice(0, -1), read.slice(1)))).toBeLessThan(0.06);
    const shots = patch({ shotGain: 0.25 }, time);
    expect(deviation(shots)).toBeGreaterThan(0.95 * 50);
    expect(deviation(shots)).toBeLessThan(1.05 * 50);
  });

  it('tiles continue where they are wrapped around', () => {
    const { values, width, height } = noiseTile(64, 32, 2, randomStream(1, 'tile'));
    const edge = Array.from({ length: height }, (_, y) => [values[y * width + width - 1], values[y * width]]);
    expect(
      correlation(
        edge.map(([a]) => a),
        edge.map(([, b]) => b),
      ),
    ).toBeGreaterThan(0.75);
    expect(mean([...values])).toBeCloseTo(0, 5);
    expect(deviation([...values])).toBeCloseTo(1, 5);
  });

  it('random numbers are uniform and normal, and streams are their own', () => {
    const random = randomStream(7, 'a');
    const uniform = Array.from({ length: 20_000 }, () => random.uniform());
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.01);
    expect(deviation(uniform)).toBeCloseTo(Math.sqrt(1 / 12), 2);
    const normal = Array.from({ length: 20_000 }, () => random.normal());
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(Math.abs(deviation(normal) - 1)).toBeLessThan(0.03);
    const others = [randomStream(7, 'b'), randomStream(8, 'a')].map(stream =>
      Array.from({ length: 20_000 }, () => stream.uniform()),
    );
    for (const other of others) expect(Math.abs(correlation(uniform, other))).toBeLessThan(0.03);
  });
});

describe('movement of the resonance', () => {
  const options = simulatorOptions('small', {
    driftPixels: 2,
    stepPixels: 5,
    stepPeriodSeconds: 240,
    stepRiseSeconds: 3,
  });
  const { resonances } = createScene(options);
  const start = 1_753_364_640;

  it('steps where the period says, and else drifts smoothly', () => {
    for (const resonance of resonances.slice(0, 4)) {
      const at = (seconds: number): number => positionAt(resonance, start + seconds, options);
      const half = start % 240 === 0 ? 120 : 120 - (start % 120);
      const step = Math.abs(at(half + 30) - at(half - 1));
      expect(step).toBeGreaterThan(5 * 0.7 - 1);
      expect(step).toBeLessThan(5 * 1.3 + 1);
      for (let s = half + 30; s < half + 115; s++) expect(Math.abs(at(s + 1) - at(s))).toBeLessThan(0.05);
    }
  });

  it('stays within the ROI for years', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e9 }), fc.nat(resonances.length - 1), (seconds, i) => {
        const position = positionAt(resonances[i], seconds, options);
        expect(position).toBeGreaterThan(20);
        expect(position).toBeLessThan(100);
      }),
    );
  });
});

describe('the layout', () => {
  it.each(simulatorPresets)('of preset %s keeps every ROI within the frame and apart from the others', preset => {
    const options = simulatorOptions(preset);
    const { rois, width, height, imageAngle, marks } = chipLayout(options);
    expect(rois).toHaveLength({ realistic: 32, small: 32, microscope: 80, large: 644 }[preset]);
    const turn = (-imageAngle * Math.PI) / 180;
    const inFrame = (x: number, y: number): boolean => {
      const dx = x - Math.floor(width / 2);
      const dy = y - Math.floor(height / 2);
      const rawX = Math.floor(width / 2) + Math.cos(turn) * dx - Math.sin(turn) * dy;
      const rawY = Math.floor(height / 2) + Math.sin(turn) * dx + Math.cos(turn) * dy;
      return rawX > 2 && rawX < width - 3 && rawY > 2 && rawY < height - 3;
    };
    const boxes = rois.map(({ coords: [y, x], size: [h, w] }) => ({ left: x, top: y, width: w, height: h }));
    for (const { left, top, width: w, height: h } of [...boxes, ...marks])
      for (const [x, y] of [
        [left, top],
        [left + w - 1, top],
        [left, top + h - 1],
        [left + w - 1, top + h - 1],
      ])
        expect(inFrame(x, y)).toBe(true);
    const first = boxes[0];
    for (const box of [...boxes.slice(1), ...marks]) {
      const isApart =
        box.left >= first.left + first.width ||
        box.left + box.width <= first.left ||
        box.top >= first.top + first.height ||
        box.top + box.height <= first.top;
      expect(isApart).toBe(true);
    }
  });

  it('gives the ROI manifest of FORMATS.md: the lower half _N mirrored, the upper _S', () => {
    const layout = chipLayout(simulatorOptions('small'));
    const manifest = JSON.parse(simulatorRoiManifest(layout)) as Record<string, { coords: [number, number] }>;
    expect(Object.keys(manifest)).toHaveLength(33);
    expect(manifest.image_angle).toBe(0.6);
    expect(manifest.ROI_001A_N).toMatchObject({ label: '001A_N', flip: true, size: [40, 120] });
    expect(manifest.ROI_001A_S).toMatchObject({ label: '001A_S', flip: false, size: [40, 120] });
    expect(manifest.ROI_001A_N.coords[0]).toBe(manifest.ROI_001A_S.coords[0] + 44);
    expect(manifest.ROI_016B_S).toBeDefined();
  });

  it('has a glyph for every label that a preset needs', () => {
    expect(glyphRuns('A1')).toContainEqual({ x: 0, y: 3, length: 5 });
    expect(() => glyphRuns('é')).toThrow(/no glyph/);
  });

  it.each([
    [{ columns: 9 }, /9 × 4 gratings of 120 × 84 pixels don't fit into a frame of 640 × 480; 4 × 4 would/],
    [{ width: 0 }, /width is 0; it must be a whole number from 1 up/],
    [{ depth: 12 as 8 }, /depth is 12; it must be 8 or 16/],
    [{ fullScale: 300 }, /fullScale is 300; it must be between 1 and 255/],
    [{ speckleSigma: Number.NaN }, /speckleSigma is NaN; it must be a number/],
  ])('refuses %j', (given, message) => {
    expect(() => chipLayout(simulatorOptions('small', given))).toThrow(message);
  });
});
