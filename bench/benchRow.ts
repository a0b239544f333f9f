/** One line of the benchmark's table. */
export interface BenchRow {
  /** Dotted, for example `fits.gaussian`. */
  name: string;
  value: number;
  /** Of `value`. */
  unit: string;
  /** What `ratio` relates the value to: a limit that was measured in the same run. */
  against: string;
  /** The value over that limit, in the same unit; it tells more than the value, since machines differ. */
  ratio: number;
}
