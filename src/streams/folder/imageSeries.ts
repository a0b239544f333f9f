/**
 * Which images of a folder belong together in time: a folder may hold several series (channels, positions, slices, cameras), whose
 * frames must not be taken for one. Told by the names alone, as people's programs write them.
 */

import { counted } from '../../model/quantity.ts';
import { SourceError } from './sourceError.ts';

/** What is known of an image's name. */
export interface NamedImage {
  name: string;
  /** The name without the time in it; the whole name where it has none. */
  rest: string;
  /** Milliseconds on whatever clock the folder has, where a time is known without a look at the file. */
  time: number | null;
}

/** Label of each series → the places of its images; one series with an empty label when the folder holds just one. */
export type ImageSeries = ReadonlyMap<string, readonly number[]>;

/** What all names have in common that differ in their numbers only. */
interface Shape {
  /** What may tell series apart, by what it is: the words of the name, or a tag with the place of its number. */
  axes: ReadonlyMap<string, string | { label: string; field: number }>;
  /** Place of the counter among the numbers. */
  counter: number;
}

interface Parsed {
  time: number | null;
  shape: Shape;
  numbers: readonly string[];
}

/** Micro-Manager 1.4 and 2.0. */
const microManager14 = /^img_(?<time>\d{9})_(?<channel>.*)_(?<z>\d{3})\.tiff?/iu;
const microManager20 = /^img_(?<channel>channel\d+)_(?<position>position\d+)_time(?<time>\d+)_(?<z>z\d+)\./iu;
/** In shapes, a number is `#`. */
const copySuffix = /(?:[ _-]*\(#\)|[ _-]+(?:copy|kopie|copie|copia)(?: ?\(#\)| #)?)+$/i;
const tagged =
  /(?<!\p{L})(cam|camera|ch|chan|channel|c|w|wl|wavelength|pos|position|p|s|xy|site|series|well|field|fov|tile|z|slice|plane|focus|view|lane|chip|sensor|device|detector)([ _=-]?)#(?![\p{L}#])/giu;
const axisOfWords = 'words';
/** Cameras write previews beside their images. */
const axisOfKind = 'kind';
/** Fewer images than these of one series are strays. */
const leastImages = 2;

/** @param strays gets the names of single images that are named in other words than nearly all others. */
export function findSeries(images: readonly NamedImage[], strays: string[] = []): ImageSeries {
  const shapes = new Map<string, Shape>();
  const parsed = images.map(image => parse(image, shapes));
  const axes = [...seriesAxes(parsed, [...shapes.values()])];
  if (axes.length === 0) {
    if (shapes.size > 1) strays.push(...straysAmong(images, parsed));
    return new Map([['', [...images.keys()]]]);
  }
  const series = new Map<string, number[]>();
  for (const [i, image] of parsed.entries()) {
    const label = axes
      .map(axis => axisValue(image, axis))
      .filter(part => part !== '')
      .join('_');
    const members = series.get(label);
    if (members) members.push(i);
    else series.set(label, [i]);
  }
  return shortened(series, axes.includes(axisOfWords));
}

function parse({ name, rest, time }: NamedImage, shapes: Map<string, Shape>): Parsed {
  const known = name.startsWith('img_')
    ? (name.startsWith('img_channel') ? microManager20 : microManager14).exec(name)?.groups
    : undefined;
  if (known) {
    const { channel = '', position = '', z = '' } = known;
    const key = `${channel}/${position}/${z}`;
    const slice = z.startsWith('z') ? z : `z${z}`;
    const axes = new Map(Object.entries({ '*channel': channel, '*position': position, '*z': slice }));
    return { time, shape: remember(shapes, key, () => ({ axes, counter: 0 })), numbers: [known.time as string] };
  }
  const skeleton = rest.replaceAll(/\d+/g, '#');
  return { time, shape: remember(shapes, skeleton, () => shapeOf(skeleton)), numbers: rest.match(/\d+/g) ?? [] };
}

function remember(shapes: Map<string, Shape>, key: string, make: () => Shape): Shape {
  let shape = shapes.get(key);
  if (!shape) shapes.set(key, (shape = make()));
  return shape;
}

function shapeOf(skeleton: string): Shape {
  const [, stem = skeleton, extension = ''] = /^(.*)\.(png|jpe?g|tiff?)(?:\.\w+)?$/i.exec(skeleton) ?? [];
  const text = stem.replace(copySuffix, '');
  const axes = new Map<string, string | { label: string; field: number }>();
  const fields = new Set<number>();
  const words = text.replaceAll(tagged, (all: string, tag: string, gap: string, at: number) => {
    const field = text.slice(0, at).split('#').length - 1;
    fields.add(field);
    axes.set(tag.toLowerCase(), { label: tag + gap, field });
    return ' '.repeat(all.length);
  });
  axes.set(axisOfWords, (words.match(/\p{L}+/gu) ?? []).join(' ').toLowerCase());
  axes.set(axisOfKind, extension.toLowerCase().replace('jpeg', 'jpg').replace('tiff', 'tif'));
  const numbers = text.split('#').length - 1;
  return { axes, counter: [...Array(numbers).keys()].findLast(field => !fields.has(field)) ?? -1 };
}

function axisValue({ shape, numbers }: Parsed, axis: string): string {
  const value = shape.axes.get(axis) ?? '';
  return typeof value === 'string' ? value : `${value.label}${numbers[value.field]}`;
}

/** What tells several series apart; nothing when there is one. */
function seriesAxes(images: readonly Parsed[], shapes: readonly Shape[]): Set<string> {
  const axes = new Set<string>();
  for (const axis of new Set(shapes.flatMap(shape => [...shape.axes.keys()]))) {
    // Words are the same in all images of a shape: no need to look at each.
    const inShapes = new Set(shapes.map(shape => shape.axes.get(axis)));
    if (inShapes.size < 2 && [...inShapes].every(value => typeof value === 'string')) continue;
    const groups = grouped(images, image => axisValue(image, axis));
    if (groups.size < 2) continue;
    if (axis.startsWith('*')) axes.add(axis);
    else if (2 * groups.size > images.length) continue;
    else if (
      axis === axisOfKind
        ? isEachTwice(images)
        : axis === axisOfWords
          ? overlap([...groups.values()])
          : multiplies(images, axis)
    )
      axes.add(axis);
  }
  return axes;
}

function grouped(images: readonly Parsed[], keyOf: (image: Parsed) => string): Map<string, Parsed[]> {
  const groups = new Map<string, Parsed[]>();
  for (const image of images) {
    const key = keyOf(image);
    const group = groups.get(key);
    if (group) group.push(image);
    else groups.set(key, [image]);
  }
  return groups;
}

/** Whether most images are there in more than one kind of file. */
function isEachTwice(images: readonly Parsed[]): boolean {
  const others = grouped(images, image =>
    [...image.shape.axes.keys()]
      .flatMap(name => (name === axisOfKind ? [] : [axisValue(image, name)]))
      .concat(image.numbers, String(image.time))
      .join(' '),
  );
  return 3 * others.size <= 2 * images.length;
}

/** Nearly all: so many in a hundred. */
const nearlyAll = 80;

function straysAmong(images: readonly NamedImage[], parsed: readonly Parsed[]): string[] {
  const groups = grouped(parsed, image => axisValue(image, axisOfWords));
  const most = [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a));
  if (100 * most.length < nearlyAll * images.length) return [];
  return images.flatMap(({ name }, i) =>
    groups.get(axisValue(parsed[i] as Parsed, axisOfWords))?.length === 1 ? [name] : [],
  );
}

/** A tag counts where frames have something else that tells them apart: a time, or a counter that comes again with each tag. */
function multiplies(images: readonly Parsed[], axis: string): boolean {
  if (images.every(({ time }) => time !== null)) return true;
  const others = grouped(images, image =>
    [...image.shape.axes.keys()]
      .flatMap(name => (name === axis ? [] : [axisValue(image, name)]))
      .concat(image.numbers[image.shape.counter] ?? '')
      .join(' '),
  );
  return others.size > 1 && 3 * others.size <= 2 * images.length;
}

/** Whether two groups lie in each other's time (or count). Groups that follow each other are one series under two names. */
function overlap(groups: readonly (readonly Parsed[])[]): boolean {
  const ranges = groups
    .filter(group => group.length >= leastImages)
    .map(group => {
      const places = group
        .map(({ time, shape, numbers }) => time ?? Number(numbers[shape.counter] ?? Number.NaN))
        .filter(Number.isFinite);
      return { from: least(places), to: -least(places.map(place => -place)) };
    })
    .filter(({ from }) => Number.isFinite(from))
    .sort((a, b) => a.from - b.from);
  return ranges.some(({ to }, i) => ranges.slice(i + 1).some(({ from }) => from <= to));
}

const least = (numbers: readonly number[]): number =>
  numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** Words that all labels have say nothing. */
function shortened(series: Map<string, number[]>, ofWords: boolean): ImageSeries {
  if (series.size < 2 || !ofWords) return series;
  const labels = [...series.keys()].map(label => label.split(' '));
  const common = new Set(labels[0]?.filter(word => labels.every(words => words.includes(word))));
  const short = labels.map(words => words.filter(word => !common.has(word)).join('-'));
  if (new Set(short).size < series.size) return series;
  return new Map([...series.values()].map((members, i) => [short[i] || (labels[i] as string[]).join('-'), members]));
}

/** The word that stands for all series, one among the other. */
const everything = 'all';

/**
 * The images of the series that was asked for. With one series, nothing needs to be asked for.
 *
 * @param asked label of a series, a part of one (`Laser` of `Laser_z001`), or `all`
 * @throws SourceError `several_series` when there are several and none was asked for, or the one that was asked for is not there
 */
export function chooseSeries(series: ImageSeries, asked: string | undefined, folder: string): readonly number[] {
  const labels = [...series.keys()];
  const every = [...series.values()].flat().sort((a, b) => a - b);
  if (asked === everything) return every;
  if (asked === undefined && labels.length < 2) return every;
  const same = (label: string): boolean => folded(label) === folded(asked ?? '');
  const partly = labels.filter(label => label.split('_').some(same));
  const [chosen, ...more] = labels.some(same) ? labels.filter(same) : partly;
  if (asked !== undefined && chosen !== undefined && more.length === 0) return series.get(chosen) as readonly number[];
  const shown = more.length > 0 ? [chosen as string, ...more] : labels;
  const list = shown
    .slice(0, 12)
    .map(label => `${label || '(no name)'} (${counted(series.get(label)?.length ?? 0, 'image')})`);
  const what =
    asked === undefined
      ? `holds ${labels.length} series of images`
      : more.length > 0
        ? `holds ${more.length + 1} series that --series ${asked} may mean`
        : `has no series ${asked}; it holds`;
  throw new SourceError(
    'several_series',
    `${folder}: ${what}: ${list.join(', ')}${shown.length > 12 ? ', …' : ''}; replay one at a time with --series ` +
      `${JSON.stringify(shown[0] || everything)}, or --series ${everything} when they are one`,
  );
}

const folded = (text: string): string => text.normalize('NFC').toLowerCase();
