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
  /** What may tell series apart, by what it is: the words of the name, or a number with its place. */
  axes: ReadonlyMap<string, string | NumberAxis>;
  /** Place of the counter among the numbers; -1 where there is none. */
  counter: number;
}

interface NumberAxis {
  field: number;
  /** The word before the number. */
  tag: string;
  /** What stands around the number: `exp` and `ms`. */
  before: string;
  after: string;
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
/** A number, or one with decimals before its unit: `0.5ms`. */
const decimalWithUnit = /\d+(?:[.,]\d+(?=(?:[nuµm]?s|[nuµm]m|min|deg|[mk]?[VWA])(?![a-zA-Z])))?/g;
const digits = /\d+/g;
/** What counts series and seldom frames. */
const tagOfSeries =
  /^(?:cam|camera|ch|chan|channel|c|w|wl|wavelength|pos|position|p|s|xy|site|series|well|field|fov|tile|z|slice|plane|focus|view|lane|chip|sensor|device|detector|exp|exposure|gain|pol|polari[sz]er|polari[sz]ation|led|lambda|filter)$/i;
/** Units of what is set for a frame. */
const unit = /^(?:nm|ms|us|µs)$/i;
/** What counts frames, or is a part of a time. */
const tagOfFrames = /^(?:t|time|f|frame|img|image|n|nr|no|idx|index|dsc|count|step)$/i;
const tagOfTime = /^(?:day|d|hour|hours|hr|h|week)$/i;
const axisOfWords = 'words';
/** Cameras write previews beside their images. */
const axisOfKind = 'kind';
/** Fewer images than these of one series are strays. */
const minImages = 2;
/** A time of day without a date, and a date: parts of one number that advances. */
const timeOfDay = /(?<!\d)([01]\d|2[0-3])([-.:])([0-5]\d)\2([0-5]\d)(?![\d])/g;
const dateInParts = /(?<!\d)((?:19|20)\d\d)([-_.])(0[1-9]|1[0-2])\2([0-2]\d|3[01])(?!\d)/g;
const secondsOfDay = (_: string, hour: string, _gap: string, minute: string, second: string): string =>
  String(Number(hour) * 3600 + Number(minute) * 60 + Number(second));
const isDate = (text: string): boolean => /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$/.test(text);
/** Words for kinds of light and of image: whoever writes two of them has two series, also when one follows the other. */
const kindOfFrame =
  /^(?:laser|led|white|whitelight|dark|bright|brightfield|darkfield|bf|df|flat|flatfield|fluo|fluorescence|dapi|gfp|rfp|yfp|cfp|cy\d?|fitc|tritc|red|green|blue|uv|ir|nir|phase|dic|ref|reference|background|bg|blank|raw|left|right|te|tm)$/i;

/** @param strays gets the names of single images that are named in other words than nearly all others. */
export function findSeries(images: readonly NamedImage[], strays: string[] = []): ImageSeries {
  const shapes = new Map<string, Shape>();
  const parsed = images.map(image => parse(image, shapes));
  // Times tell frames apart: then no number needs to.
  if (!images.every(({ time }) => time !== null))
    for (const alike of grouped([...shapes.values()], ({ axes }) => String(numbersIn(axes).length)).values())
      chooseCounter(alike, parsed);
  const axes = [...seriesAxes(parsed, [...shapes.values()])];
  if (axes.length === 0) {
    if (shapes.size > 1) strays.push(...straysAmong(images, parsed));
    return new Map([['', [...images.keys()]]]);
  }
  const common = commonWords([...shapes.values()]);
  const series = new Map<string, number[]>();
  for (const [i, image] of parsed.entries()) {
    const label = labelOf(image, axes, common);
    const members = series.get(label);
    if (members) members.push(i);
    else series.set(label, [i]);
  }
  // One image beside a series, named as none of it: it is told, and has its place in time.
  const [odd, ...more] = series.get('') ?? [];
  if (odd !== undefined && more.length === 0 && series.size === 2) {
    strays.push(images[odd]!.name);
    return new Map([['', [...images.keys()]]]);
  }
  return shortened(series, axes.includes(axisOfWords));
}

/** Where numbers name the series, only words that say more are said: `A01`, not `a_A01`. */
function labelOf(image: Parsed, axes: readonly string[], common: ReadonlySet<string>): string {
  const values = new Map(axes.map(axis => [axis, axisValue(image, axis)]));
  const words = values.get(axisOfWords);
  const said = [...values].filter(([axis]) => axis.startsWith('#')).map(([, value]) => value.toLowerCase());
  if (words !== undefined && said.some(value => value !== '')) {
    const known = new Set([...common, ...said.flatMap(value => value.match(/\p{L}+/gu) ?? [])]);
    values.set(
      axisOfWords,
      words
        .split(' ')
        .filter(word => !known.has(word))
        .join('-'),
    );
  }
  return [...values.values()].filter(value => value !== '').join('_');
}

/** Words that are in all names. */
function commonWords(shapes: readonly Shape[]): Set<string> {
  const words = shapes.map(shape => String(shape.axes.get(axisOfWords) ?? '').split(' '));
  return new Set(words[0]?.filter(word => words.every(others => others.includes(word))));
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
  // Most names have no such parts, and there may be 100,000.
  const whole = /\d[-_.:]\d/.test(rest) ? rest.replace(dateInParts, '$1$3$4').replace(timeOfDay, secondsOfDay) : rest;
  const number = /\d[.,]\d/.test(whole) ? decimalWithUnit : digits;
  const skeleton = whole.replaceAll(number, '#');
  return { time, shape: remember(shapes, skeleton, () => shapeOf(skeleton)), numbers: whole.match(number) ?? [] };
}

function remember(shapes: Map<string, Shape>, key: string, make: () => Shape): Shape {
  let shape = shapes.get(key);
  if (!shape) shapes.set(key, (shape = make()));
  return shape;
}

function shapeOf(skeleton: string): Shape {
  const [, stem = skeleton, extension = ''] = /^(.*)\.(png|jpe?g|tiff?)(?:\.\w+)?$/i.exec(skeleton) ?? [];
  const text = stem.replace(copySuffix, '');
  const axes = new Map<string, string | NumberAxis>();
  const fields = [...text.matchAll(/((?:\p{L}+[ _=-]?)?)#((?:\p{L}+(?!\p{L}|[ _=-]?#))?)/gu)];
  let words = text;
  for (const [field, [all, before = '', after = '']] of fields.entries()) {
    const tag = tagIn(before);
    axes.set(`#${fields.length}:${field}`, {
      field,
      tag,
      before: /[ _=-]$/.test(before) && !tagOfSeries.test(tag) ? '' : before,
      after,
    });
    if (tagOfSeries.test(tag) && after === '') words = words.replace(all, ' ');
    else words = words.replace('#', ' ');
  }
  axes.set(axisOfWords, (words.match(/\p{L}+/gu) ?? []).join(' ').toLowerCase());
  axes.set(axisOfKind, extension.toLowerCase().replace('jpeg', 'jpg').replace('tiff', 'tif'));
  return { axes, counter: -1 };
}

const tagIn = (before: string): string => before.replace(/[^\p{L}]+$/u, '');
const isTagged = ({ tag, after }: NumberAxis): boolean => tagOfSeries.test(tag) || unit.test(after);
const numbersIn = (axes: Shape['axes']): NumberAxis[] => [...axes.values()].filter(axis => typeof axis !== 'string');

/** Which of the numbers counts the frames: what names, values and digits say of each. The last one where nothing tells. */
function chooseCounter(shapes: readonly Shape[], images: readonly Parsed[]): void {
  const first = shapes[0] as Shape;
  const fields = numbersIn(first.axes);
  if (fields.length === 0) return;
  const counter =
    fields.length === 1
      ? 0
      : fields
          .map(axis => ({ field: axis.field, score: scoreAsCounter(axis, shapes, images) }))
          .reduce((best, next) => (compare(next.score, best.score) >= 0 ? next : best)).field;
  for (const shape of shapes) shape.counter = counter;
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const i = a.findIndex((value, place) => value !== b[place]);
  return i < 0 ? 0 : (a[i] as number) - (b[i] as number);
};

function scoreAsCounter(
  { field, tag, before, after }: NumberAxis,
  shapes: readonly Shape[],
  images: readonly Parsed[],
): number[] {
  const own = new Set(shapes);
  const values = new Set<string>();
  for (const { shape, numbers } of images) if (own.has(shape)) values.add(numbers[field] ?? '');
  if (values.size < 2 || [...values].every(isDate)) return [-100];
  const sorted = Float64Array.from(values, Number).sort();
  const isDense = (sorted.at(-1) as number) - (sorted[0] as number) < 2 * values.size;
  const isWell = /^[A-P]$/.test(before) && [...values].every(({ length }) => length <= 2);
  const word = tagOfFrames.test(tag)
    ? 4
    : tagOfSeries.test(tag) || unit.test(after) || isWell
      ? -(tag.length > 1 || after !== '' ? 4 : 3)
      : 0;
  return [word + (isDense ? 2 : 0), values.size, Math.max(...[...values].slice(0, 9).map(({ length }) => length))];
}

function axisValue({ shape, numbers }: Parsed, axis: string): string {
  const value = shape.axes.get(axis) ?? '';
  if (typeof value === 'string') return value;
  return value.field === shape.counter ? '' : `${value.before}${numbers[value.field]}${value.after}`;
}

/** What tells several series apart; nothing when there is one. */
function seriesAxes(images: readonly Parsed[], shapes: readonly Shape[]): Set<string> {
  const axes = new Set<string>();
  for (const axis of new Set(shapes.flatMap(shape => [...shape.axes.keys()]))) {
    // Words are the same in all images of a shape: no need to look at each.
    const inShapes = new Set(shapes.map(shape => shape.axes.get(axis)));
    if (inShapes.size < 2 && [...inShapes].every(value => typeof value === 'string')) continue;
    const groups = grouped(images, image => axisValue(image, axis));
    if (axis.startsWith('#')) groups.delete('');
    if (groups.size < 2) continue;
    if (axis.startsWith('*')) axes.add(axis);
    else if (2 * groups.size > images.length) continue;
    else if (
      axis === axisOfKind
        ? isEachTwice(images)
        : axis === axisOfWords
          ? overlap([...groups.values()]) || areKindsOfFrames(groups)
          : multiplies(images, axis, groups)
    )
      axes.add(axis);
  }
  return axes;
}

function areKindsOfFrames(groups: ReadonlyMap<string, readonly Parsed[]>): boolean {
  const kinds = [...groups]
    .filter(([, { length }]) => length >= minImages)
    .map(([words]) =>
      words
        .split(' ')
        .filter(word => kindOfFrame.test(word))
        .join(' '),
    );
  return new Set(kinds).size > 1;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
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

/**
 * Whether the same few values of a number come again at every place in time, among images of the same words. A number that says what
 * it is (`cam0`, `10ms`) multiplies also where frames of its values alternate. A date, or a day, never does.
 */
function multiplies(images: readonly Parsed[], axis: string, groups: ReadonlyMap<string, readonly Parsed[]>): boolean {
  const numbers = images.flatMap(({ shape }) => shape.axes.get(axis) ?? []) as NumberAxis[];
  const { field, tag, after } = numbers[0] as NumberAxis;
  if (tagOfTime.test(tag) || tagOfTime.test(after)) return false;
  if ([...groups.values()].every(group => isDate(group[0]?.numbers[field] ?? ''))) return false;
  if (numbers.every(isTagged) && (images.every(({ time }) => time !== null) || overlap([...groups.values()])))
    return true;
  const have = images.filter(({ shape }) => shape.axes.has(axis));
  return [...grouped(have, ({ shape }) => String(shape.axes.get(axisOfWords))).values()].some(alike => {
    const places = new Set(
      alike.map(
        image => `${image.time} ${axisValue(image, axisOfKind)} ${image.numbers.toSpliced(field, 1).join(' ')}`,
      ),
    );
    // A run's start and a counter: more values than times.
    if (alike.every(({ time }) => time !== null) && groups.size > places.size) return false;
    return places.size > 1 && 3 * places.size <= 2 * alike.length;
  });
}

/** Whether two groups lie in each other's time (or count). Groups that follow each other are one series under two names. */
function overlap(groups: readonly (readonly Parsed[])[]): boolean {
  const ranges = groups
    .filter(group => group.length >= minImages)
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
  if (labels.length === 1 && labels[0] === '')
    throw new SourceError(
      'several_series',
      `${folder}: all ${counted(every.length, 'image')} are one series, which has no name: leave --series ${JSON.stringify(asked)} away`,
    );
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
