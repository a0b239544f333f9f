import { type ChipPose, fitPose, onImage, type Point, pointSightings, type Sighting } from '../analysis/chipPose.ts';
import { fitRobustly, type Outlines, refinePose } from '../analysis/refinePose.ts';
import type { Pixels } from '../model/frame.ts';
import { counted } from '../model/quantity.ts';
import type { Roi } from '../model/roi.ts';
import { oneLine } from '../model/shownText.ts';
import { CalibrationError } from './calibrationError.ts';
import type { Chip } from './chipMap.ts';
import type { LabelClick } from './featureLocations.ts';
import { type LabelMatch, type LabelTemplate, matchLabel, middleInImage, middleOf } from './matchLabel.ts';
import { type Cv, openCv } from './openCv.ts';
import { placeRois } from './placeRois.ts';

/** A label as it was looked for, and what was found. */
export interface LocatedLabel {
  readonly label: string;
  /** Where somebody has clicked; null for a label that was found without. */
  readonly click: Point | null;
  /** Where it was found in the image; null where it was not. */
  readonly centre: Point | null;
  /** Normalised cross-correlation with its picture, at most 1. */
  readonly quality: number;
  /** Pixels from where the pose has it. */
  readonly residual: number | null;
  /** What is odd about it; null when nothing is. */
  readonly remark: string | null;
}

export interface Calibration {
  readonly chip: Chip;
  readonly pose: ChipPose;
  readonly labels: readonly LocatedLabel[];
  readonly outlines: Outlines;
  readonly rois: readonly Roi[];
}

/** Below it, what was found is no label. */
const minQuality = 0.5;
/** So many of the outlines in the image must be seen. */
const minOutlines = 0.5;
/** A label that is further from where the others have it is a mistake, px a unit of its size. */
const maxMiss = 0.06;

/**
 * Finds the chip in an image from rough positions of two labels or more, and says how sure that is.
 *
 * Every two of the positions give angle and scale; the labels are looked for there, and that pair counts with which most labels are
 * found, those that nobody has clicked on included. So a wrong one is outvoted. The pose is then refined by all labels and by the
 * gratings' outlines.
 *
 * @param templates pictures of labels, of those that were clicked on and of any others
 * @throws CalibrationError that says why there is no answer that can be trusted
 */
export async function locateChip(
  image: Pixels,
  chip: Chip,
  clicks: readonly LabelClick[],
  templates: readonly LabelTemplate[],
): Promise<Calibration> {
  const known = clicks.flatMap(click => {
    const template = templates.find(({ label }) => label.label === click.label);
    return template === undefined ? [] : [{ click, template }];
  });
  if (known.length < 2) {
    const count = known.length === 0 ? 'none is' : 'one is';
    throw new CalibrationError(`two labels or more must be given, each roughly where it is; ${count}`);
  }
  const cv = await openCv();
  const start = bestStart(cv, image, known, templates);
  const calibration = measure(cv, image, chip, start, clicks, templates);
  refuseDoubtful(calibration, image, templates, cv);
  return calibration;
}

interface Known {
  readonly click: LabelClick;
  readonly template: LabelTemplate;
}

/** The pose with which most labels are found. */
function bestStart(cv: Cv, image: Pixels, known: readonly Known[], templates: readonly LabelTemplate[]): ChipPose {
  let best: { pose: ChipPose; score: number } | null = null;
  for (const pair of pairsOf(known)) {
    const pose = poseOfPair(cv, image, pair);
    if (pose === null) continue;
    const score = scoreOf(cv, image, pose, templates);
    if (best === null || score > best.score) best = { pose, score };
  }
  if (best === null)
    throw new CalibrationError(
      `none of the labels is to be seen where it was given (${known.map(({ click }) => oneLine(click.label)).join(', ')}): ` +
        'are the positions those of this image, in pixels [x, y] from its upper left corner?',
    );
  return best.pose;
}

/** Far from each other first: they tell more. */
function pairsOf(known: readonly Known[]): [Known, Known][] {
  const pairs = known.flatMap((a, i) => known.slice(i + 1).map((b): [Known, Known] => [a, b]));
  const distance = ([a, b]: [Known, Known]): number => {
    const [ax, ay] = middleOf(a.template.label);
    const [bx, by] = middleOf(b.template.label);
    return Math.hypot(ax - bx, ay - by);
  };
  return pairs.toSorted((a, b) => distance(b) - distance(a)).slice(0, maxPairs);
}

const maxPairs = 40;
/** Rough positions may give an angle and a scale that are wrong by so much, degrees and parts. */
const angles = [0, -3.5, 3.5];
const scales = [1, 0.93, 1.075];

/** Null when two labels are not to be seen near where they were given. */
function poseOfPair(cv: Cv, image: Pixels, pair: readonly [Known, Known]): ChipPose | null {
  const rough = fitPose(
    pair.flatMap(({ click, template }) => pointSightings(middleOf(template.label), [click.x, click.y], 1)),
    image,
  );
  // A label of few pixels is none any more, and one that fills the image neither.
  const sizes = pair.map(({ template: { label } }) => Math.min(label.width, label.height) * (rough?.scale ?? 0));
  if (rough === null || sizes.some(size => size < 6 || size > Math.min(image.width, image.height))) return null;
  let best: { matches: LabelMatch[]; quality: number } | null = null;
  for (const turn of angles) {
    for (const zoom of scales) {
      const pose = { ...rough, angle: rough.angle + turn, scale: rough.scale * zoom };
      const matches = pair.map(({ click, template }) =>
        matchLabel(cv, image, template, pose, [click.x, click.y], roughReach(template)),
      );
      if (!matches.every(match => match !== null)) continue;
      const quality = Math.min(...matches.map(match => match.quality));
      if (best === null || quality > best.quality) best = { matches, quality };
    }
  }
  if (best === null || best.quality < 0.3) return null;
  return fitPose(
    best.matches.flatMap(({ centre }, i) => pointSightings(middleOf(pair[i].template.label), centre, 1)),
    image,
  );
}

/** Half a label to any side, and a little. */
const roughReach = ({ label }: LabelTemplate): number => 0.62 * Math.max(label.width, label.height);

/** How many labels are found where a pose has them, each by how well. */
function scoreOf(cv: Cv, image: Pixels, pose: ChipPose, templates: readonly LabelTemplate[]): number {
  let score = 0;
  for (const template of templates) {
    const found = seeLabel(cv, image, template, pose, 0.3);
    if (found !== null && found.quality >= minQuality) score += found.quality;
  }
  return score;
}

/** Looks for a label where a pose has it. @param part how far from there it may be, of its size */
function seeLabel(cv: Cv, image: Pixels, template: LabelTemplate, pose: ChipPose, part: number): LabelMatch | null {
  const near = middleInImage(template.label, pose, image);
  const reach = part * Math.min(template.label.width, template.label.height);
  return matchLabel(cv, image, template, pose, near, reach);
}

/** From a pose that is about right to what the labels and outlines there say; whether that can be trusted is another question. */
export function measure(
  cv: Cv,
  image: Pixels,
  chip: Chip,
  start: ChipPose,
  clicks: readonly LabelClick[],
  templates: readonly LabelTemplate[],
): Calibration {
  let pose = start;
  let matches: (LabelMatch | null)[] = [];
  let sightings: Sighting[] = [];
  for (const part of [0.3, 0.15]) {
    matches = templates.map(template => seeLabel(cv, image, template, pose, part));
    sightings = labelSightings(templates, matches);
    pose = fitRobustly(sightings, pose, image) ?? pose;
  }
  const refined = refinePose(image, chip.gratings, pose, sightings, outlineReach);
  const { outlines } = refined;
  if (isTrusted(outlines)) pose = refined.pose;
  const labels = templates.map((template, i) => located(template, matches[i], pose, clicks, image));
  return { chip, pose, labels, outlines, rois: placeRois(chip, pose, image) };
}

/** Labels alone leave the far side of the chip uncertain by so much, px. */
const outlineReach = 4;

export const isTrusted = ({ seen, expected }: Outlines): boolean =>
  expected > 0 && seen.length >= minOutlines * expected;

function labelSightings(templates: readonly LabelTemplate[], matches: readonly (LabelMatch | null)[]): Sighting[] {
  return matches.flatMap((match, i) =>
    match === null || match.quality < minQuality
      ? []
      : pointSightings(middleOf(templates[i].label), match.centre, (match.quality / 0.3) ** 2),
  );
}

/** What became of each label: of those that were given, and of those that were found without. */
function located(
  template: LabelTemplate,
  match: LabelMatch | null,
  pose: ChipPose,
  clicks: readonly LabelClick[],
  image: Pixels,
): LocatedLabel {
  const { label } = template;
  const clicked = clicks.find(click => click.label === label.label);
  const quality = match?.quality ?? 0;
  const place = onImage(middleOf(label), pose, image);
  const miss = match === null ? null : distance(match.centre, place);
  const isFound = miss !== null && quality >= minQuality && miss <= allowedMiss(template, pose);
  const size = Math.max(label.width, label.height) * pose.scale;
  const wrongClick = clicked !== undefined && distance([clicked.x, clicked.y], place) > size;
  return {
    label: label.label,
    click: clicked === undefined ? null : [clicked.x, clicked.y],
    centre: isFound ? (match?.centre ?? null) : null,
    quality,
    residual: isFound ? miss : null,
    remark: wrongClick
      ? `it was given ${Math.round(distance([clicked.x, clicked.y], place))} px from where it is`
      : isFound
        ? null
        : 'it is not to be seen',
  };
}

const allowedMiss = ({ label }: LabelTemplate, { scale }: ChipPose): number =>
  Math.max(1.5, maxMiss * Math.min(label.width, label.height) * scale);

const distance = ([ax, ay]: Point, [bx, by]: Point): number => Math.hypot(ax - bx, ay - by);

/** @throws CalibrationError when the answer could be wrong */
function refuseDoubtful(
  { labels, outlines, rois, pose }: Calibration,
  image: Pixels,
  templates: readonly LabelTemplate[],
  cv: Cv,
): void {
  const found = labels.filter(({ centre }) => centre !== null);
  const qualities = labels
    .filter(({ click, centre }) => click !== null || centre !== null)
    .map(({ label, quality }) => `${oneLine(label)} ${quality.toFixed(2)}`)
    .join(', ');
  if (found.length < 2)
    throw new CalibrationError(
      `${found.length === 0 ? 'no label is' : 'only one label is'} where the positions have it (likeness, 1 at most: ${qualities}); ` +
        'one of the positions may be wrong, or the picture too dark or out of focus',
    );
  if (rois.length === 0)
    throw new CalibrationError(
      'no grating lies wholly in the image: is it the right chip_type, and the right image, or were two labels exchanged?',
    );
  const seen = outlines.seen.length;
  if (found.length < enoughAlone && !isTrusted(outlines))
    throw new CalibrationError(
      `the gratings are not where the labels have them: ${seen} of ${counted(outlines.expected, 'side')} of gratings are seen there ` +
        `(likeness of the labels, 1 at most: ${qualities}). One of the positions may be wrong; give three labels or more`,
    );
  refuseRival(found, pose, image, templates, cv);
}

/** @throws CalibrationError when another label stands where one should be */
export function refuseRival(
  found: readonly LocatedLabel[],
  pose: ChipPose,
  image: Pixels,
  templates: readonly LabelTemplate[],
  cv: Cv,
): void {
  const rival = rivalOf(found, pose, image, templates, cv);
  if (rival !== null)
    throw new CalibrationError(
      `what stands where "${oneLine(rival.label)}" should be looks like "${oneLine(rival.rival)}" ` +
        `(likeness ${rival.rivalQuality.toFixed(2)} against ${rival.quality.toFixed(2)}): were the labels given the right names?`,
    );
}

/** So many labels at their places can't all be mistakes, also when no outlines are to be seen. */
const enoughAlone = 3;
/** A picture must be so much more alike to be taken for the right one. */
const clearlyMore = 0.08;

/** A label in whose place another one stands. */
function rivalOf(
  found: readonly LocatedLabel[],
  pose: ChipPose,
  image: Pixels,
  templates: readonly LabelTemplate[],
  cv: Cv,
): { label: string; quality: number; rival: string; rivalQuality: number } | null {
  for (const { label, quality, centre } of found) {
    const own = templates.find(template => template.label.label === label) as LabelTemplate;
    for (const other of templates) {
      const isAlike =
        Math.abs(other.label.width / own.label.width - 1) < 0.15 && other.label.height === own.label.height;
      if (other === own || !isAlike) continue;
      const posed = { label: own.label, picture: other.picture };
      const match = matchLabel(cv, image, posed, pose, centre as Point, 0.1 * own.label.width);
      if (match !== null && match.quality > quality + clearlyMore)
        return { label, quality, rival: other.label.label, rivalQuality: match.quality };
    }
  }
  return null;
}
