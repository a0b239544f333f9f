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
}
