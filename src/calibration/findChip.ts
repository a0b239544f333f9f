import { type ChipPose, onImage, type Point } from '../analysis/chipPose.ts';
import { outlinesAt } from '../analysis/refinePose.ts';
import type { Pixels } from '../model/frame.ts';
import { CalibrationError } from './calibrationError.ts';
import { type Chip, isLocatable } from './chipMap.ts';
import { type Calibration, isTrusted, measure, refuseRival } from './locateChip.ts';
import { type LabelTemplate, middleOf } from './matchLabel.ts';
import { openCv } from './openCv.ts';
import { type RoughPose, roughAngle, roughPoses, type SmallImage, smallImage, straightened } from './roughPose.ts';

/** A chip that may be in the image, with the pictures of its labels. */
export interface ChipChoice {
  readonly chip: Chip;
  readonly templates: readonly LabelTemplate[];
}

/** So many rough poses of a chip are looked at for labels, and so many of all chips in full. */
const maxRough = 300;
const maxMeasured = 6;

/**
 * Finds the chip without any rough positions: turned by up to ±10°, at 0.5 to 1.5 pixels a design unit.
 *
 * The lattice of the gratings gives angle and scale, and places that fit nearly as well one row or column further on; the labels tell which of
 * them is right. Where no label is in the image, the rim of the chip must tell.
 *
 * @throws CalibrationError when no chip is found, or two answers are as good
 */
export async function findChip(image: Pixels, choices: readonly ChipChoice[]): Promise<Calibration> {
  const cv = await openCv();
  const small = smallImage(image);
  const angle = roughAngle(small);
  const straight = straightened(small, angle);
  const lattices = choices
    .filter(({ chip }) => isLocatable(chip))
    .map(choice => ({ choice, poses: roughPoses(straight, angle, choice.chip) }));
  const least = lattices.reduce((most, { poses: [best] }) => Math.max(most, best?.score ?? 0), 0) * 0.6;
  const rough = lattices
    .flatMap(({ choice, poses }) => {
      const likely = poses.slice(0, maxRough).filter(({ score }) => score >= least);
      return ranked(straight, likely, choice).map(one => ({ ...one, choice }));
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, maxMeasured);
  const answers = rough
    .map(({ pose, choice: { chip, templates } }) => ({
      calibration: measure(cv, image, chip, pose, [], templates),
      templates,
    }))
    .filter(({ calibration: { outlines, rois } }) => isTrusted(outlines) && rois.length > 0)
    .sort((a, b) => worth(b.calibration, image) - worth(a.calibration, image));
  if (answers.length === 0)
    throw new CalibrationError(
      `no chip of the chip map is found in the image (${choices.map(({ chip }) => chip.type).join(', ')}): is it in focus, lit, ` +
        'turned by less than 10°, and at 0.5 to 1.5 pixels a unit? Else give rough positions of two labels',
    );
  const [{ calibration, templates }] = answers;
  refuseDoubtful(
    calibration,
    image,
    answers.slice(1).map(answer => answer.calibration),
  );
  const found = calibration.labels.filter(({ centre }) => centre !== null);
  refuseRival(found, calibration.pose, image, templates, cv);
  return calibration;
}

/** Rough poses with what their labels add. */
function ranked(straight: SmallImage, poses: readonly RoughPose[], { templates }: ChipChoice): RoughPose[] {
  const pictures = new Map<string, Float32Array>();
  // A large one takes as long as all others, and lies over gratings.
  const area = ({ label }: LabelTemplate): number => label.width * label.height;
  const smallest = Math.min(...templates.map(area));
  const handy = templates.filter(template => area(template) < 4 * smallest);
  return poses.map(({ pose, score }) => ({ pose, score: score + labelScore(straight, pose, handy, pictures) }));
}

/** A correlation below it is nothing, and each above is worth so much, in the standard deviations of the lattice. */
const noLikeness = 0.35;
const likenessWorth = 14;

/** How many labels are to be seen in the straightened small image where a pose has them, each by how well. */
function labelScore(
  straight: SmallImage,
  pose: ChipPose,
  templates: readonly LabelTemplate[],
  pictures: Map<string, Float32Array>,
): number {
  const scale = pose.scale / straight.factor;
  let score = 0;
  for (const template of templates) {
    const { label } = template;
    const columns = Math.round(label.width * scale) + 2 * rim;
    const rows = Math.round(label.height * scale) + 2 * rim;
    const left = Math.round(label.left * scale + pose.offset[0] / straight.factor) - rim;
    const top = Math.round(label.top * scale + pose.offset[1] / straight.factor) - rim;
    const key = `${label.label} ${columns} ${rows}`;
    let picture = pictures.get(key);
    if (picture === undefined) {
      picture = smallPicture(template.picture, columns, rows);
      pictures.set(key, picture);
    }
    const likeness = bestLikeness(straight, picture, columns, rows, left, top);
    if (likeness > noLikeness) score += likenessWorth * (likeness - noLikeness);
  }
  return score;
}

/** Samples of dark around a label. */
const rim = 2;
/** Samples that a label may be off. */
const slack = 4;

/** A label's picture in so many samples, its rim included; of mean 0 and length 1. */
function smallPicture({ width, height, data }: Pixels, columns: number, rows: number): Float32Array {
  const parts = 4;
  const values = new Float32Array(columns * rows);
  for (let row = rim; row < rows - rim; row++) {
    for (let column = rim; column < columns - rim; column++) {
      let sum = 0;
      for (let i = 0; i < parts * parts; i++) {
        const x = ((column - rim + ((i % parts) + 0.5) / parts) / (columns - 2 * rim)) * width;
        const y = ((row - rim + (Math.floor(i / parts) + 0.5) / parts) / (rows - 2 * rim)) * height;
        sum += data[Math.floor(y) * width + Math.floor(x)];
      }
      values[row * columns + column] = sum;
    }
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const length = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) || 1;
  return values.map(value => (value - mean) / length);
}

/** Highest correlation around a place; 0 where that is not wholly in the image. */
function bestLikeness(
  { width, height, values }: SmallImage,
  picture: Float32Array,
  columns: number,
  rows: number,
  left: number,
  top: number,
): number {
  if (left < slack || top < slack || left + columns + slack > width || top + rows + slack > height) return 0;
  const likenessAt = (dx: number, dy: number): number => {
    let sum = 0;
    let squares = 0;
    let product = 0;
    for (let row = 0, k = 0; row < rows; row++) {
      for (let i = (top + dy + row) * width + left + dx, end = i + columns; i < end; i++, k++) {
        const value = values[i];
        sum += value;
        squares += value * value;
        product += value * picture[k];
      }
    }
    return product / Math.sqrt(squares - (sum * sum) / picture.length);
  };
  // Every second place, and then around the best of them. What is NaN, outside of the image, is never better.
  let best = { value: 0, dx: 0, dy: 0 };
  const look = (x: number, y: number, reach: number, by: number): void => {
    for (let dy = Math.max(-slack, y - reach); dy <= Math.min(slack, y + reach); dy += by) {
      for (let dx = Math.max(-slack, x - reach); dx <= Math.min(slack, x + reach); dx += by) {
        const value = likenessAt(dx, dy);
        if (value > best.value) best = { value, dx, dy };
      }
    }
  };
  look(0, 0, slack, 2);
  if (best.value > noLikeness / 2) look(best.dx, best.dy, 1, 1);
  return best.value;
}

/** Labels that are wholly in the image. */
function inView({ labels, chip, pose }: Calibration, image: Pixels): Calibration['labels'] {
  return labels.filter(({ label }) => {
    const { left, top, width, height } = chip.labels.find(one => one.label === label)!;
    return [
      [left, top],
      [left + width, top],
      [left, top + height],
      [left + width, top + height],
    ].every(corner => isIn(onImage(corner as [number, number], pose, image), image));
  });
}

const isIn = ([x, y]: Point, { width, height }: Pixels): boolean => x > 3 && y > 3 && x < width - 4 && y < height - 4;

/** What speaks for an answer less what speaks against it: sides of gratings, and labels, that are seen where it has them or not. */
function worth(calibration: Calibration, image: Pixels): number {
  const { outlines } = calibration;
  const labels = inView(calibration, image);
  const found = labels.filter(({ centre }) => centre !== null);
  const likeness = found.reduce((sum, { quality }) => sum + quality, 0);
  return sidesWorth(outlines) + 30 * likeness - 15 * (labels.length - found.length);
}

const sidesWorth = ({ seen, expected }: Calibration['outlines']): number => seen.length - 2 * (expected - seen.length);

/** @throws CalibrationError when another place on the chip could be meant as well */
function refuseDoubtful(best: Calibration, image: Pixels, others: readonly Calibration[]): void {
  const labels = inView(best, image);
  const found = labels.filter(({ centre }) => centre !== null).length;
  const isContradicted = labels.length >= 2 && found < 0.4 * labels.length;
  if (found >= 2 && !isContradicted) return;
  const own = outlinesAt(image, best.chip.gratings, best.pose);
  const near = neighbours(best).map(pose => sidesWorth(outlinesAt(image, best.chip.gratings, pose)));
  const far = others.filter(other => isElsewhere(other, best, image)).map(({ outlines }) => sidesWorth(outlines));
  const lead = sidesWorth(own) - Math.max(Number.NEGATIVE_INFINITY, ...near, ...far);
  // Labels that should be there and are not speak against it.
  const enough = Math.max(5, 0.03 * own.seen.length) * (isContradicted ? 2 : 1);
  if (own.seen.length >= 0.75 * own.expected && lead >= enough) return;
  const missing = isContradicted
    ? `, and ${found} of the ${labels.length} labels that should be in the image are seen`
    : '';
  throw new CalibrationError(
    `gratings are found, but neither labels nor the rim of the chip tell which ones they are${missing}: give rough positions of two labels, ` +
      'or take an image that shows some',
  );
}

/** The same pose some gratings further, in every direction in which the lattice goes on like before. */
function neighbours({ chip: { gratings }, pose }: Calibration): ChipPose[] {
  const counts = new Map<string, { step: Point; count: number }>();
  const far = 2.2 * Math.max(...gratings.map(({ width, height }) => Math.max(width, height)));
  for (const a of gratings) {
    for (const b of gratings) {
      const step: Point = [b.left - a.left, b.top - a.top];
      if (a === b || Math.hypot(...step) > far) continue;
      const known = counts.get(String(step)) ?? { step, count: 0 };
      known.count++;
      counts.set(String(step), known);
    }
  }
  return [...counts.values()]
    .filter(({ count }) => count >= 0.3 * gratings.length)
    .map(({ step: [x, y] }) => ({
      ...pose,
      offset: [pose.offset[0] + x * pose.scale, pose.offset[1] + y * pose.scale],
    }));
}

/** Whether two answers say different things of the image, and not the same within some pixels. */
function isElsewhere(one: Calibration, other: Calibration, image: Pixels): boolean {
  if (one.chip !== other.chip) return true;
  const { gratings } = other.chip;
  const nearest = gratings
    .map(grating => ({ grating, at: onImage(middleOf(grating), other.pose, image) }))
    .filter(({ at }) => isIn(at, image));
  return nearest.some(({ grating, at: [x, y] }) => {
    const [ox, oy] = onImage(middleOf(grating), one.pose, image);
    return Math.hypot(ox - x, oy - y) > 0.2 * Math.min(grating.width, grating.height) * other.pose.scale;
  });
}
