/** A region of interest does not lie inside the frame: the ROI manifest belongs to images of another size. */
export class RoiOutsideFrameError extends Error {
  readonly kind = 'roi_outside_frame';
  readonly label: string;

  constructor(label: string, message: string) {
    super(message);
    this.name = 'RoiOutsideFrameError';
    this.label = label;
  }
}
