import { z } from 'zod';
import type { Kind } from '../kinds/kind.ts';
import { automatic, number, seconds } from '../kinds/number.ts';
import { word } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const presets = {
  realistic: '1000 × 640 pixels, 12 of 16 bit, 32 ROIs, with the static pattern of real chips',
  small: '640 × 480 pixels, 8 bit, 32 ROIs, no pattern',
  microscope: '1920 × 1460 pixels, 12 of 16 bit, 80 ROIs',
  large: '9152 × 6944 pixels, 8 bit, 644 ROIs',
};

const shapes = {
  gauss: { meaning: 'a symmetric line', also: ['gaussian'] },
  fano: 'an asymmetric line',
};

/** Which frames: a part of all, drawn by lot, or their numbers. */
function frames(): Kind<number | readonly number[]> {
  const allowed =
    'a part of all frames from 0 to 1, such as 0.02, or a list of their numbers from 1, such as [10, 250]';
  const error = { error: allowed };
  const part = z.number(error).min(0, error).max(1, error);
  const numbers = z.array(z.number(error).int(error).min(1, error), error).readonly();
  const schema = z.union([part, numbers], error);
  return { schema, allowed, brief: 'a part of all, or a list of numbers' };
}

/** Of one kernel, or of several that are added up; `auto`: as the preset has it. */
function ofKernels(limits: { min: number; max: number }, example: string): Kind<'auto' | readonly number[]> {
  const allowed = `auto, a number from ${limits.min} to ${limits.max}, or a list of them, such as ${example}`;
  const error = { error: allowed };
  const one = z.number(error).min(limits.min, error).max(limits.max, error);
  const schema = z.union(
    [z.literal('auto', error), one.transform(value => [value]), z.array(one, error).readonly()],
    error,
  );
  return { schema, allowed, brief: 'auto, a number, or a list of numbers' };
}

const faulty = (doc: string) => setting(frames(), { absent: 0, doc, effect: 'live', new: true });

const count = { whole: true, min: 0 } as const;

/** `[Simulator]`: what the simulated camera shows. */
export const simulator = section(
  { doc: 'What the simulated camera shows.', new: true },
  {
    preset: setting(word(presets), {
      absent: 'small',
      shipped: 'realistic',
      doc: 'Size and kind of the frames.',
      effect: 'live',
      new: true,
    }),
    seed: setting(number(count), {
      absent: 1,
      doc: 'The same seed gives the same chip and the same noise.',
      effect: 'live',
      new: true,
    }),
    line_shape: setting(word(shapes), {
      absent: 'gauss',
      doc: 'Shape of the resonance.',
      effect: 'live',
      new: true,
    }),
    image_angle: setting(number({ min: -10, max: 10 }), {
      absent: 0.6,
      doc: 'Degrees that the chip is turned in the frame.',
      effect: 'live',
      new: true,
    }),
    drift_pixels: setting(number({ min: 0, max: 50 }), {
      absent: 3,
      doc: 'Pixels that the resonance drifts to either side.',
      effect: 'live',
      new: true,
    }),
    drift_period_seconds: setting(seconds(), {
      absent: 1200,
      doc: 'Time that the drift takes to come back.',
      effect: 'live',
      new: true,
    }),
    step_pixels: setting(number({ min: -50, max: 50 }), {
      absent: 5,
      doc: 'Pixels of the step that comes and goes, as when an analyte is let in and washed out.',
      effect: 'live',
      new: true,
    }),
    step_period_seconds: setting(seconds(), {
      absent: 240,
      doc: 'Time from one step up to the next step up; the step down is half of it later.',
      effect: 'live',
      new: true,
    }),
    light: setting(number({ above: 0, max: 10 }), {
      absent: 1,
      doc: 'Factor on all light; 0.09 gives frames of low signal.',
      effect: 'live',
      new: true,
    }),
    pattern_contrast: setting(ofKernels({ min: 0, max: 1 }, '[0.12, 0.3, 0.21]'), {
      absent: 'auto',
      doc:
        'Static pattern under the lines: standard deviations of the logarithm of the light, one for each length; auto: as the preset has it. ' +
        '0 takes the pattern away.',
      effect: 'live',
      new: true,
    }),
    pattern_length_pixels: setting(ofKernels({ min: 0.3, max: 40 }, '[1, 6, 15]'), {
      absent: 'auto',
      doc: 'Widths of the Gaussian kernels that correlate the pattern, pixels; auto: as the preset has it, or 6 for one contrast.',
      effect: 'live',
      new: true,
    }),
    pattern_static_share: setting(number({ min: 0, max: 1 }), {
      absent: 1,
      doc: "Share of the pattern's variance that is the same in all frames.",
      effect: 'live',
      new: true,
    }),
    chip_jitter_pixels: setting(number({ min: 0, max: 10 }), {
      absent: 0,
      doc: 'Standard deviation of the place of the whole chip in each frame, to the right and down. The truth file has the movement.',
      effect: 'live',
      new: true,
    }),
    saturation: setting(automatic({ unit: 'counts', min: 1, max: 65_535 }), {
      absent: 'auto',
      doc: 'Counts at which the sensor is full; auto: 255 or 4095. The analysis knows 255, 1023, 4095, 16383 and 65535 for saturated.',
      effect: 'live',
      new: true,
    }),
    dust: setting(number({ ...count, max: 1000 }), {
      absent: 0,
      doc: 'Specks of dust, each on a ROI.',
      effect: 'live',
      new: true,
    }),
    black_frames: faulty(
      'Frames without light. The same seed gives the same faults; frames are counted from 1 since the program began, brightfield frames have none. The truth file says which have one.',
    ),
    saturated_frames: faulty('Frames with more light than the sensor holds.'),
    torn_frames: faulty('Frames whose lower rows have never come: they are 0.'),
    late_frames: faulty('Frames that come late_seconds after they were taken.'),
    absent_frames: faulty('Frames that never come: the camera says so, and is opened anew.'),
    moved_frames: faulty('Frames in which the whole chip has moved, by up to moved_pixels to either side, up or down.'),
    late_seconds: setting(seconds(), { absent: 10, doc: 'How late a late frame is.', effect: 'live', new: true }),
    moved_pixels: setting(number({ min: 0, max: 500 }), {
      absent: 10,
      doc: 'Pixels that a moved frame has moved at most.',
      effect: 'live',
      new: true,
    }),
  },
);
