import type { AnalysisMethod, Estimator } from '../../model/method.ts';
import { amount } from '../kinds/amount.ts';
import { flag } from '../kinds/flag.ts';
import { number } from '../kinds/number.ts';
import { word } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const methods = {
  max_intensity: 'column of the brightest pixel',
  centre: 'middle of the part of the row that is above half of its maximum',
  gaussian: 'fit of a Gaussian line (amplitude, mu, sigma, offset)',
  fano: 'fit of a Fano line (amplitude, assymetry, resonance, gamma, offset)',
} satisfies Record<AnalysisMethod, string>;

/** A thread that analyses frames takes so much in any case: with less it could not even start, MiB. */
export const leastThreadMebibytes = 128;

const estimators = {
  rows: 'each row is fitted by itself, and the position is the median over the rows',
  roi: 'one fit to all pixels, weighted by their noise (gaussian, fano); other methods go by rows',
} satisfies Record<Estimator, string>;

/** `[Data_Analysis]`: how frames become positions. */
export const dataAnalysis = section(
  { doc: 'How the position of the resonance is found in each region of interest (ROI).' },
  {
    method: setting(word(methods), {
      absent: 'gaussian',
      doc: 'What is looked for in each row of a ROI.',
      effect: 'live',
      shapesResults: true,
    }),
    number_of_subROIs: setting(number({ unit: 'rows', whole: true, min: 0 }), {
      absent: 1,
      shipped: 0,
      doc: 'Rows that each ROI is averaged to before the fits; 0 fits every row. With the estimator roi it has no part.',
      effect: 'live',
      shapesResults: true,
    }),
    estimator: setting(word(estimators), {
      absent: 'rows',
      shipped: 'roi',
      doc: 'How the rows of a ROI are joined to one position.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    reference_frames: setting(number({ unit: 'frames', whole: true, min: 0, max: 1000 }), {
      absent: 5,
      doc: 'Good frames at the beginning of a run that the reference of the shifts is made from; 0 makes none, and there are no shifts.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    follow_chip: setting(flag(), {
      absent: false,
      doc: 'The regions of interest follow the chip where it has moved, by parts of a pixel. For ROI manifests that `phorest locate` has made.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    chip_shift_limit: setting(number({ unit: 'pixels', min: 0, max: 1000 }), {
      absent: 2,
      doc: 'A chip that has moved further since its reference image is an alarm; 0: never.',
      effect: 'live',
      new: true,
    }),
    lost_frames_limit: setting(number({ unit: 'frames', whole: true, min: 0, max: 1_000_000 }), {
      absent: 10,
      doc: 'So many frames, one after the other, in which most ROIs that had a resonance before are lost or have too little light are an alarm: the light is out, or the camera sees nothing; 0: never.',
      effect: 'live',
      new: true,
    }),
    workers: setting(number({ unit: 'threads', whole: true, min: 0, max: 256 }), {
      absent: 0,
      doc: 'Threads that analyse frames; 0 takes as many as the machine has cores.',
      effect: 'live',
      new: true,
    }),
    memory_limit: setting(amount(), {
      absent: '50%',
      doc: "Memory that these threads may take together, for their objects and for the images that they decode; an image that needs more than one thread's part fails by its header. A share is one of the machine's memory.",
      effect: 'live',
      new: true,
    }),
  },
);
