/** A region of interest: one half of a grating, a rectangle in the derotated frame. */
export interface Roi {
  label: string;
  /** Mirror left to right before anything else. */
  flip: boolean;
  /** Row and column of the top left pixel in the derotated frame. */
  coords: readonly [row: number, col: number];
  /** Rows and columns. */
  size: readonly [rows: number, cols: number];
}

export interface RoiManifest {
  rois: readonly Roi[];
  /** Degrees; the frame is turned by the negative of it (OpenCV's sign) to derotate it. */
  imageAngle: number;
  /** What calibration has said about it; absent in a manifest of another origin. */
  madeFor?: MadeFor;
}

/** A rectangle of the chip in its design units, y down. */
export interface ChipArea {
  /** The corner at its upper left. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A label or a grating of the chip map. */
export interface ChipRectangle extends ChipArea {
  readonly label: string;
}

/** Where the gratings of one kind of chip are. */
export interface ChipDesign {
  readonly type: string;
  readonly gratings: readonly ChipRectangle[];
}

/** What a ROI manifest was made for, and how the chip lies in these frames. */
export interface MadeFor {
  /** Pixels of a frame. */
  width: number;
  height: number;
  chipType: string;
  /** Pixels a design unit of the chip map. */
  scale: number;
  /** Where the design's origin lies in the turned frame, pixels from its upper left corner. */
  offset: readonly [x: number, y: number];
  /** The gratings in the image, by whose outlines movements of the chip are seen; none in a manifest of an earlier version. */
  gratings: readonly ChipArea[];
}
