/** A rectangle, in pixels of the derotated frame. */
export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What is told of each ROI; its unit and title are in `mapQuantities`. */
export type RoiQuantity = 'shift' | 'transition' | 'step' | 'sensitivity' | 'noise' | 'flagged';

export interface ReportRoi {
  label: string;
  place: Place;
  /** px; NaN where there is none, or a flag that makes it the value of another thing. */
  shifts: Float32Array;
  /** Standard errors, px. */
  sigmas: Float32Array;
  /** What such a flag has taken out of `shifts`. */
  distrusted: Float32Array;
  /** Bits. */
  flags: Uint16Array;
  /** Why the ROI is to be distrusted; null: nothing speaks against it. */
  warning: string | null;
  /** Null: not known. */
  figures: Readonly<Partial<Record<RoiQuantity, number | null>>>;
  sigmaOf: Readonly<Partial<Record<RoiQuantity, number | null>>>;
}

export interface ReportGroup {
  name: string;
  /** Places in the list of ROIs. */
  members: readonly number[];
  /** Of its trusted shifts in each image, and the quantiles that hold the middle 68 %, px. */
  median: Float32Array;
  low: Float32Array;
  high: Float32Array;
}

export interface ReportMark {
  /** ms, as the images' times. */
  time: number;
  text: string;
}

/** A change of level; times in ms as the images', errors in s. */
export interface ReportChange {
  name: string;
  isGroup: boolean;
  time: number;
  timeSigma: number;
  height: number;
  heightSigma: number;
}

/** Frame intervals, counted in bins of one width. */
export interface IntervalCounts {
  /** Seconds. */
  from: number;
  width: number;
  counts: readonly number[];
  median: number;
  longest: number;
  /** Intervals outside the bins. */
  beyond: number;
  total: number;
}

/** What the pictures show. */
export interface PictureData {
  /** When the drawn images were taken, ms as the clock at the camera showed it, as if in UTC; in order. */
  times: Float64Array;
  /** `UTC+1`, of the first image and of all times here; empty where it is not known. */
  zone: string;
  /** Of all images of the span. */
  first: number;
  last: number;
  /** Images of the span, of which one in so many is drawn. */
  images: number;
  every: number;
  /** Names of the bits of flags; those bits that make a value that of another thing. */
  flagNames: readonly string[];
  distrustedBits: number;
  rois: readonly ReportRoi[];
  groups: readonly ReportGroup[];
  /** Of the images that were looked at, those in which more than half of the ROIs have a flag; these mark no ROI. */
  badFrames: { count: number; of: number; flags: readonly string[] };
  /** Of `transition`, as the span asks for. */
  transitionUnit: 's' | 'min' | 'h';
  /** Whether places are those in the frame, or only an order. */
  isLaidOut: boolean;
  /** Gratings of the chip. */
  outlines: readonly Place[];
  marks: readonly ReportMark[];
  changes: readonly ReportChange[];
  /** Mean of each frame, counts; share of ROIs with saturated pixels, %. */
  brightness: Float32Array;
  saturated: Float32Array;
  /** °C. */
  sensors: readonly { name: string; values: Float32Array }[];
  intervals: IntervalCounts | null;
}
