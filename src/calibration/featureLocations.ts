import { parse, stringify, TomlError } from 'smol-toml';
import { z } from 'zod';
import { oneLine } from '../model/shownText.ts';
import { CalibrationError } from './calibrationError.ts';

/** Where somebody has clicked on a label: pixels of the image as it is, not turned. */
export interface LabelClick {
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

/** What `Feature_locations.toml` says: which chip it is, and roughly where some of its labels are. */
export interface FeatureLocations {
  readonly chipType: string;
  readonly clicks: readonly LabelClick[];
}

const pixel = z.number('must be a number of pixels').min(-1e6).max(1e6);
const schema = z.object({
  chip_type: z
    .string('must be the name of a chip in quotes, as the chip map has it')
    .min(1, 'must not be empty: which chip is it?'),
  features: z
    .array(
      z.object({
        label: z.string('must be the name of a label in quotes').min(1, 'must not be empty'),
        feature_location: z.tuple([pixel, pixel], 'must be two numbers of pixels, [x, y]'),
      }),
      'must be tables, each under a line [[features]]',
    )
    .default([]),
});

/**
 * Reads the text of a `Feature_locations.toml`, as the Python system has it.
 *
 * @param file what messages call it
 * @throws CalibrationError that names file and key
 */
export function parseFeatureLocations(text: string, file: string): FeatureLocations {
  let value: unknown;
  try {
    value = parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [said = ''] = error.message.split('\n');
    throw new CalibrationError(`${file}:${error.line}:${error.column}: ${said}`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    const key = path.map(part => (typeof part === 'number' ? String(part + 1) : String(part))).join(' ');
    throw new CalibrationError(`${file}: ${key}: ${message}`);
  }
  const clicks = parsed.data.features.map(({ label, feature_location: [x, y] }) => ({ label, x, y }));
  const twice = clicks.find(({ label }, i) => clicks.findIndex(other => other.label === label) !== i);
  if (twice !== undefined)
    throw new CalibrationError(
      `${file}: features: the label "${oneLine(twice.label)}" is there twice; keep the right one`,
    );
  return { chipType: parsed.data.chip_type, clicks };
}

/** The text of a file that {@link parseFeatureLocations} reads. */
export function featureLocationsToml({ chipType, clicks }: FeatureLocations): string {
  const features = clicks.map(({ label, x, y }) => ({ label, feature_location: [Math.round(x), Math.round(y)] }));
  return stringify({ chip_type: chipType, features });
}
