import type { Config } from '../../../config/schema.ts';

/** What the simulated camera shows. Everything has a default; the `Simulator` section of the configuration maps to this. */
export interface SimulatorOptions {
  /** Same seed, same chip and same noise. */
  seed: number;
  /** Pixels. */
  width: number;
  height: number;
  /** Bits of the stored values. */
  depth: 8 | 16;
  /** Largest count of the sensor: 255, or 4095 for 12 bits in a 16-bit frame. */
  fullScale: number;
  /** Degrees that the chip is turned in the frame (`image_angle` of the ROI manifest). */
  imageAngle: number;
  /** Gratings across and down; each gives two ROIs, `_N` and `_S`. */
  columns: number;
  rows: number;
  /** Rows and columns of pixels of one ROI. */
  roiRows: number;
  roiColumns: number;
  lineShape: 'gauss' | 'fano';

  /** Counts without light. */
  dark: number;
  /** Counts of light on a grating away from its resonance. */
  background: number;
  /** Counts of light that the resonance adds at its maximum, about; each ROI has its own. */
  amplitude: number;
  /** Standard deviation of the speckle as a fraction of the light. */
  speckleContrast: number;
  /** Pixels: width of the Gaussian kernel that correlates the speckle. */
  speckleSigma: number;
  /** Fraction of the speckle's variance that is the same in all frames. */
  speckleStaticFraction: number;
  /** Standard deviation of the read-out, counts. */
  readNoise: number;
  /** Counts per photo-electron: the shot noise has a variance of this times the light. 0: none. */
  shotGain: number;

  /** Standard deviations of the logarithm of the light, one for each length of the pattern that chip and optics have. */
  patternContrast: readonly number[];
  /** Pixels: widths of the Gaussian kernels that correlate the pattern. */
  patternLength: readonly number[];
  /** Fraction of the pattern's variance that is the same in all frames. */
  patternStaticShare: number;
  /** Standard deviation, pixels, of the chip's place in each frame, to the right and down. */
  chipJitter: number;
  /** Part of the light that comes and goes in `driftPeriodSeconds`. */
  lightDrift: number;

  /** Least and greatest width of the lines (σ or γ), and of their mean positions at rest, as parts of a ROI's columns. */
  lineWidth: readonly [number, number];
  restPosition: readonly [number, number];
  /** How far the rows' positions differ within a ROI as a part of its columns, and their heights as a part of the mean one. */
  rowOffset: number;
  rowGain: number;

  /** Pixels that the resonance drifts to either side. */
  driftPixels: number;
  driftPeriodSeconds: number;
  /** Pixels of the step that comes and goes once a period, as of an analyte that is let in and washed out. */
  stepPixels: number;
  /** From one step up to the next step up; the step down is half of it later. */
  stepPeriodSeconds: number;
  /** Time constant of a step's onset, seconds; 0 jumps. */
  stepRiseSeconds: number;

  /** Factor on all light: 0.09 makes frames of low signal. */
  exposure: number;
  /** Factor on what the light and the read-out give, noise and all. */
  gain: number;
  /** Counts that each pixel has more than `dark`, or fewer. */
  offset: number;
  /** Specks of dust, each on a ROI. */
  dust: number;
  /** ROIs of which a third of the rows is far too bright. */
  saturatedRois: number;
  /** ROIs whose resonance lies at an edge. */
  edgeRois: number;
  /** Pixels that are always at full scale. */
  hotPixels: number;
}

export const simulatorPresets = ['realistic', 'small', 'microscope', 'large'] as const;
export type SimulatorPreset = (typeof simulatorPresets)[number];

const well = {
  seed: 1,
  imageAngle: 0.6,
  lineShape: 'gauss',
  speckleContrast: 0.17,
  speckleSigma: 0.9,
  speckleStaticFraction: 0.5,
  patternContrast: [],
  patternLength: [],
  patternStaticShare: 1,
  chipJitter: 0,
  lightDrift: 0,
  lineWidth: [0.105, 0.135],
  restPosition: [0.36, 0.64],
  rowOffset: 0.007,
  rowGain: 0.05,
  driftPeriodSeconds: 1200,
  stepPeriodSeconds: 240,
  stepRiseSeconds: 3,
  exposure: 1,
  gain: 1,
  offset: 0,
  dust: 0,
  saturatedRois: 0,
  edgeRois: 0,
  hotPixels: 0,
} as const;

const eightBit = { depth: 8, fullScale: 255, dark: 8, background: 14, amplitude: 105, readNoise: 1.5, shotGain: 0.05 };
const twelveBit = {
  depth: 16,
  fullScale: 4095,
  dark: 100,
  background: 15,
  amplitude: 100,
  readNoise: 4.2,
  shotGain: 0.1,
};

const presets: Readonly<Record<SimulatorPreset, Omit<SimulatorOptions, 'driftPixels' | 'stepPixels'>>> = {
  // What real chips show: a pattern under the lines that stays, and little noise in time.
  realistic: {
    ...well,
    ...twelveBit,
    depth: 16,
    width: 1000,
    height: 640,
    columns: 4,
    rows: 4,
    roiRows: 45,
    roiColumns: 176,
    background: 120,
    amplitude: 800,
    shotGain: 1,
    speckleContrast: 0.02,
    speckleStaticFraction: 0,
    patternContrast: [0.12, 0.3, 0.21],
    patternLength: [1, 6, 15],
    lightDrift: 0.05,
    lineWidth: [0.119, 0.165],
    restPosition: [0.34, 0.62],
    rowOffset: 0.015,
    rowGain: 0.12,
  },
  // A Raspberry Pi renders and analyses one in well under a second.
  small: { ...well, ...eightBit, depth: 8, width: 640, height: 480, columns: 4, rows: 4, roiRows: 40, roiColumns: 120 },
  // As the microscope of the reference data.
  microscope: {
    ...well,
    ...twelveBit,
    depth: 16,
    width: 1920,
    height: 1460,
    columns: 8,
    rows: 5,
    roiRows: 45,
    roiColumns: 176,
  },
  // The large camera: 644 ROIs.
  large: {
    ...well,
    ...eightBit,
    depth: 8,
    width: 9152,
    height: 6944,
    columns: 23,
    rows: 14,
    roiRows: 145,
    roiColumns: 354,
  },
};

/**
 * A preset with what is asked for put in its place. Drift and step are 2 % and 4 % of a ROI's width unless given.
 *
 * @throws RangeError naming the option that makes no picture
 */
export function simulatorOptions(
  preset: SimulatorPreset = 'small',
  given: { readonly [K in keyof SimulatorOptions]?: SimulatorOptions[K] | undefined } = {},
): SimulatorOptions {
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { ...presets[preset], ...asked } as SimulatorOptions;
  if (given.depth !== undefined && given.fullScale === undefined) options.fullScale = given.depth === 8 ? 255 : 4095;
  options.driftPixels ??= 0.02 * options.roiColumns;
  options.stepPixels ??= 0.04 * options.roiColumns;
  validate(options);
  return options;
}

/** The settings of the camera at which a frame is as its preset says: what they mean when they are absent. */
const asPreset = { exposure: 150, gain: 32, brightness: 128 };

/**
 * What the settings of the camera do to light and counts: twice the exposure is twice the light, with its noise; twice the gain is
 * twice the counts above dark, noise and all; one more of brightness is a 255th of the full scale more, everywhere.
 */
export function lightAndCounts(
  { preset, light }: Pick<Config['Simulator'], 'preset' | 'light'>,
  camera: Pick<Config['Camera'], 'camera_exposure' | 'camera_gain' | 'camera_brightness'>,
): Pick<SimulatorOptions, 'exposure' | 'gain' | 'offset'> {
  const atLeast0 = (value: number): number => Math.max(0, value);
  return {
    exposure: light * (atLeast0(camera.camera_exposure) / asPreset.exposure),
    gain: atLeast0(camera.camera_gain) / asPreset.gain,
    offset: ((camera.camera_brightness - asPreset.brightness) * presets[preset].fullScale) / 255,
  };
}

/** What the chip's pattern and the sensor are asked to be; what is left to the preset is absent. */
export function patternAndSensor(
  simulator: Pick<
    Config['Simulator'],
    | 'preset'
    | 'pattern_contrast'
    | 'pattern_length_pixels'
    | 'pattern_static_share'
    | 'chip_jitter_pixels'
    | 'saturation'
  >,
): Partial<SimulatorOptions> {
  const { preset, pattern_contrast: contrast, pattern_length_pixels: length, saturation } = simulator;
  const patternContrast = contrast === 'auto' ? presets[preset].patternContrast : contrast;
  // One contrast, or none, where the preset has another number of lengths.
  const ownLength = presets[preset].patternLength;
  const usual = ownLength.length === patternContrast.length ? ownLength : patternContrast.map(() => usualLength);
  return {
    patternContrast,
    patternLength: length === 'auto' ? usual : length,
    patternStaticShare: simulator.pattern_static_share,
    chipJitter: simulator.chip_jitter_pixels,
    ...(saturation !== 'auto' && { fullScale: saturation }),
  };
}

const usualLength = 6;

function validate(options: SimulatorOptions): void {
  const demand = (name: keyof SimulatorOptions, is: boolean, wanted: string): void => {
    if (!is) throw new RangeError(`simulator: ${name} is ${options[name]}; it must be ${wanted}`);
  };
  for (const [name, value] of Object.entries(options) as [keyof SimulatorOptions, unknown][]) {
    if (name === 'lineShape') continue;
    const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
    demand(name, numbers.every(Number.isFinite), Array.isArray(value) ? 'numbers' : 'a number');
  }
  for (const name of ['width', 'height', 'columns', 'rows', 'roiRows', 'roiColumns'] as const)
    demand(name, Number.isSafeInteger(options[name]) && options[name] >= 1, 'a whole number from 1 up');
  for (const name of ['dust', 'saturatedRois', 'edgeRois', 'hotPixels'] as const)
    demand(name, Number.isSafeInteger(options[name]) && options[name] >= 0, 'a whole number from 0 up');
  for (const name of ['speckleContrast', 'readNoise', 'shotGain', 'stepRiseSeconds', 'exposure', 'gain'] as const)
    demand(name, options[name] >= 0, '0 or more');
  for (const name of ['driftPeriodSeconds', 'stepPeriodSeconds'] as const) demand(name, options[name] > 0, 'above 0');
  demand('speckleSigma', options.speckleSigma > 0 && options.speckleSigma <= 8, 'above 0 and at most 8');
  demand(
    'speckleStaticFraction',
    options.speckleStaticFraction >= 0 && options.speckleStaticFraction <= 1,
    'between 0 and 1',
  );
  const { patternContrast, patternLength } = options;
  demand(
    'patternContrast',
    patternContrast.every(contrast => contrast >= 0 && contrast <= 1),
    'between 0 and 1',
  );
  demand(
    'patternLength',
    patternLength.every(length => length >= 0.3 && length <= 40),
    'between 0.3 and 40',
  );
  demand(
    'patternLength',
    patternLength.length === patternContrast.length,
    `${patternContrast.length} numbers, as many as there are contrasts (Simulator.pattern_length_pixels and pattern_contrast)`,
  );
  demand('patternStaticShare', options.patternStaticShare >= 0 && options.patternStaticShare <= 1, 'between 0 and 1');
  demand('chipJitter', options.chipJitter >= 0, '0 or more');
  demand('lightDrift', options.lightDrift >= 0 && options.lightDrift < 1, 'between 0 and 1');
  demand('depth', options.depth === 8 || options.depth === 16, '8 or 16');
  demand(
    'fullScale',
    options.fullScale >= 1 && options.fullScale <= 2 ** options.depth - 1,
    `between 1 and ${2 ** options.depth - 1} (Simulator.saturation)`,
  );
  demand('imageAngle', Math.abs(options.imageAngle) <= 10, 'between -10 and 10');
  demand('roiColumns', options.roiColumns >= 16, 'at least 16');
  demand('roiRows', options.roiRows >= 4, 'at least 4');
}
