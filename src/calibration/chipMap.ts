import { z } from 'zod';
import { jsonFault } from '../model/jsonFault.ts';
import type { ChipDesign, ChipRectangle } from '../model/roi.ts';
import { oneLine } from '../model/shownText.ts';
import { CalibrationError } from './calibrationError.ts';

/** One kind of chip: where its labels and its gratings are. */
export interface Chip extends ChipDesign {
  readonly labels: readonly ChipRectangle[];
  /** How the halves of a grating lie: above each other, or side by side. */
  readonly halves: 'stacked' | 'side_by_side';
}

/** Design units. What is more is a slip, and leaves no digits for parts of a unit. */
const maxUnits = 1e7;
const units = z.number('must be a number of design units').min(-maxUnits).max(maxUnits);
const length = units.gt(0, 'must be more than 0');
const origin = z.tuple([units, units], 'must be two numbers, [x, y]');
const name = z.string('must be a name in quotes').min(1, 'must not be empty');
const size = { 'x-size': length, 'y-size': length, label: name };
const chipSchema = z.object({
  chip_type: name,
  labels: z.array(z.object({ ...size, label_origin: origin }), 'must be a list').default([]),
  gratings: z.array(z.object({ ...size, grating_origin: origin }), 'must be a list').default([]),
  halves: z.enum(['stacked', 'side_by_side'], 'must be "stacked" or "side_by_side"').optional(),
});
const mapSchema = z.object(
  { chip: z.array(chipSchema, 'must be a list of chips') },
  'must be an object with the list "chip"',
);

/**
 * Reads the text of a `Chip_map.json`, as the Python system has it. Keys that are not known are passed over. A chip without labels or
 * gratings stays in the list, and can't be located.
 *
 * @param file what messages call it
 * @throws CalibrationError that names file and key
 */
export function parseChipMap(text: string, file: string): Chip[] {
  const json = text.replace(/^\ufeff/, '');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new CalibrationError(`${file}: not valid JSON: ${jsonFault(json)}`);
  }
  const parsed = mapSchema.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
    throw new CalibrationError(`${file}: ${placeOf(path, value)}${message}`);
  }
  const chips = parsed.data.chip.map(
    ({ chip_type, labels, gratings, halves }): Chip => ({
      type: chip_type,
      labels: labels.map(one => rectangle(one, one.label_origin)),
      gratings: numbered(gratings.map(one => rectangle(one, one.grating_origin))),
      // Files of the Python system do not say it.
      halves: halves ?? (chip_type === 'IMECII_2' ? 'stacked' : 'side_by_side'),
    }),
  );
  const types = chips.map(({ type }) => type);
  const twice = types.find((type, i) => types.indexOf(type) !== i);
  if (twice !== undefined)
    throw new CalibrationError(`${file}: chip_type "${oneLine(twice)}" is there twice; each chip needs its own`);
  return chips;
}

/** @throws CalibrationError that lists the chips there are, when this one is not among them or has nothing to locate it by */
export function chipOfType(chips: readonly Chip[], type: string, file: string): Chip {
  const chip = chips.find(one => one.type === type);
  const usable = chips.filter(isLocatable).map(one => one.type);
  if (chip === undefined)
    throw new CalibrationError(
      `${file}: there is no chip_type "${oneLine(type)}"; there are ${oneLine(usable.join(', '))}`,
    );
  if (!isLocatable(chip))
    throw new CalibrationError(
      `${file}: the chip "${oneLine(type)}" has no labels or no gratings, so nothing of it can be located`,
    );
  return chip;
}

export const isLocatable = ({ labels, gratings }: Chip): boolean => labels.length > 0 && gratings.length > 0;

function rectangle(one: { label: string; 'x-size': number; 'y-size': number }, [left, top]: [number, number]) {
  return { label: one.label, left, top, width: one['x-size'], height: one['y-size'] };
}

/**
 * ROIs are known by their labels, so that two gratings of one name must be told apart: `1`, `1` become `1_1`, `1_2` in the order of
 * the file.
 */
function numbered(gratings: readonly ChipRectangle[]): ChipRectangle[] {
  const seen = new Map<string, number>();
  return gratings.map(grating => {
    if (gratings.filter(({ label }) => label === grating.label).length === 1) return grating;
    const number = (seen.get(grating.label) ?? 0) + 1;
    seen.set(grating.label, number);
    return { ...grating, label: `${grating.label}_${number}` };
  });
}

/** `chip 2 (IMECII_2), gratings 17, x-size: `; counted from 1. */
function placeOf(path: readonly PropertyKey[], value: unknown): string {
  if (path.length === 0) return 'the file ';
  const chip = (value as { chip?: { chip_type?: unknown }[] }).chip;
  const parts = path.map((part, i) => {
    if (typeof part !== 'number') return String(part);
    const type = i === 1 ? chip?.[part]?.chip_type : undefined;
    return `${part + 1}${typeof type === 'string' ? ` (${oneLine(type)})` : ''}`;
  });
  return `${parts.join(' ')}: `;
}
