/** Calibration declines: it says what it found, and what to do. Nothing was written. */
export class CalibrationError extends Error {
  override name = 'CalibrationError';
}
