import { nodeFiles } from '../files/files.ts';
import { counted, withError } from '../model/quantity.ts';
import type { SeriesFigures, ShiftChange } from '../quantities/quantities.ts';
import type { Measured } from '../quantities/robustSlope.ts';
import { type Span, type StepFigures, stepsBetween } from '../sinks/quantities/stepsBetween.ts';
import { chooseFrames } from '../sinks/series/chosenFrames.ts';
import { SeriesReader, seriesFolder } from '../sinks/series/seriesReader.ts';
import { chosenRois } from './chosenRois.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { frameSpan } from './frameSpan.ts';
import { loadExperiment } from './loadSteered.ts';
import { quantitySettings, readFigures } from './readFigures.ts';
import { textTable } from './textTable.ts';

export interface QuantitiesOptions {
  rois?: readonly string[];
  changes?: true;
  from?: string;
  to?: string;
  zero?: readonly string[];
  step?: readonly string[];
  json?: true;
}

/** Changes that are listed on a terminal. */
const mostChanges = 200;

/** Prints the figures of an experiment. @throws ExitError `failed` where there is nothing to tell, `usage` for times that are none */
export async function showQuantities(context: CommandContext, options: QuantitiesOptions): Promise<number> {
  const { output } = context;
  const { config, paths } = await loadExperiment(context);
  const zero = options.zero && spansOf('--zero', options.zero, 1)[0]!;
  const spans = options.step && spansOf('--step', options.step, 2);
  const settings = { ...quantitySettings(config), ...(zero && { zero }) };
  const series = await SeriesReader.look(nodeFiles, seriesFolder(paths.results), {
    damaged: ({ message }) => output.error(`left out: ${message}`),
  });
  const { figures, changes } = await readFigures(paths.results, settings, frameSpan(options), series);
  if (figures.frames === 0)
    throw new ExitError(exitCodes.failed, `there is no result in ${paths.results} in that time`);
  const isChosen = chosenRois(
    options.rois ?? [],
    figures.rois.map(({ name }) => name),
    context,
  );
  const rois = figures.rois.filter(({ name }) => isChosen(name));
  const pairs = figures.pairs.filter(({ name }) =>
    figures.rois.some(roi => roi.name.startsWith(`${name}_`) && isChosen(roi.name)),
  );
  const other =
    spans && figures.references.slice(1).find(({ since }) => since > spans[0]!.from && since < spans[1]!.end);
  const steps: StepFigures[] =
    spans && !other
      ? (
          await stepsBetween(
            await chooseFrames(series, { from: spans[0]!.from, end: spans[1]!.end }),
            spans as [Span, Span],
            figures.rois,
            figures.interval,
          )
        ).filter(({ name }) => isChosen(name))
      : (spans ? rois : []).map(({ name }) => ({ name, step: null }));
  const shown = changes.filter(({ kind, name }) =>
    kind === 'roi' ? isChosen(name) : kind === 'group' || pairs.some(pair => pair.name === name),
  );
  if (options.json) {
    output.json(JSON.stringify({ ...figures, rois, pairs, changes: shown, steps }));
    return exitCodes.done;
  }
  const isAsked = options.rois !== undefined;
  const rows = [
    ...figures.groups,
    ...(isAsked ? [...pairs.flatMap(({ resonance, movement }) => [resonance, movement]), ...rois] : []),
  ];
  output.text(`${textTable(figureRows(rows, figures.zero !== null)).join('\n')}\n`);
  if (!isAsked) output.text(`\n${textTable(qualityRows(rois)).join('\n')}\n`);
  if (other)
    output.text(
      `\nno step between these times: from ${clockText(other.since)} on, shifts are measured from another reference\n`,
    );
  else if (spans) output.text(`\n${textTable(stepRows(steps)).join('\n')}\n`);
  if (options.changes) output.text(`\n${textTable(changeRows(shown.slice(-mostChanges))).join('\n')}\n`);
  if (figures.zero)
    output.line(
      `from zero: from the mean between ${clockText(figures.zero.from)} and ${clockText(figures.zero.end - 1)}`,
    );
  for (const { reference, since } of figures.references.slice(1)) {
    output.line(
      `from ${clockText(since)} on, shifts are measured from a new reference, ${reference}: levels before it have another zero`,
    );
  }
  output.line(
    `${figures.frames} images from ${clockText(figures.first)} to ${clockText(figures.last)}, ${changes.length} changes of level of ROIs, pairs and groups${options.changes ? '' : ' (--changes lists them)'}`,
  );
  return exitCodes.done;
}

/** Pairs of times; an end takes in the whole of what it names, as `--to` does. @throws ExitError `usage` */
export function spansOf(option: string, texts: readonly string[], count: number): Span[] {
  const wrong = (why: string): ExitError =>
    new ExitError(
      exitCodes.usage,
      `${option}: ${texts.join(' ')}: ${why}; it takes ${2 * count} times in their order, as 2026-11-28T14:00 or 2026-11-28T14:00:30`,
    );
  if (texts.length !== 2 * count) throw wrong(`${counted(texts.length, 'time is', 'times are')} given`);
  const spans: Span[] = [];
  for (let i = 0; i < texts.length; i += 2) {
    const [from, to] = [texts[i]!, texts[i + 1]!];
    let span: Span;
    try {
      span = frameSpan({ from, to });
    } catch (error) {
      throw wrong((error as Error).message);
    }
    const before = spans.at(-1);
    if (before && span.from < before.end)
      throw wrong(`${from} is not later than ${texts[i - 1]}, whose whole day, minute or second counts`);
    spans.push(span);
  }
  return spans;
}

const number = (value: number | null, digits = 4): string => (value === null ? '' : value.toFixed(digits));
const pm = (measured: Measured | null): string => (measured ? withError(measured.value, measured.sigma) : '');

const nameOf = ({ kind, name }: Pick<SeriesFigures, 'kind' | 'name'>): string =>
  kind === 'roi' || kind === 'group' ? name : `${name} ${kind}`;

function figureRows(shown: readonly SeriesFigures[], isZeroed: boolean): string[][] {
  return [
    [
      '',
      'median, px',
      ...(isZeroed ? ['from zero, px'] : []),
      'slope, px/h',
      'noise, px',
      'drift, px/h',
      'temperature, px/K',
      'changes',
      'flips',
      'quality',
    ],
    ...shown.map(each => [
      nameOf(each),
      number(each.median),
      ...(isZeroed ? [number(each.rezeroed)] : []),
      pm(each.slope),
      number(each.noise),
      pm(each.drift),
      pm(each.temperature),
      String(each.changeCount),
      String(each.flips),
      each.quality.reason === '' ? each.quality.word : `${each.quality.word}: ${each.quality.reason}`,
    ]),
  ];
}

/** How many ROIs are of each quality, with the first few of those that are not good. */
function qualityRows(rois: readonly SeriesFigures[]): string[][] {
  const byWord = Object.entries(Object.groupBy(rois, ({ quality }) => quality.word));
  return [
    ['quality', 'ROIs', ''],
    ...byWord.map(([word, of]) => [
      word,
      String(of.length),
      word === 'good'
        ? ''
        : `${of
            .slice(0, 6)
            .map(({ name }) => name)
            .join(' ')}${of.length > 6 ? ' …' : ''}`,
    ]),
  ];
}

const changeRows = (changes: readonly ShiftChange[]): string[][] => [
  ['time', '± s', 'height, px', 'of'],
  ...changes.map(change => [
    clockText(change.time),
    change.timeSigma.toFixed(1),
    withError(change.height, change.heightSigma),
    `${nameOf(change)}${change.settled ? '' : ' (goes on)'}`,
  ]),
];

const stepRows = (steps: readonly StepFigures[]): string[][] => [
  ['', 'step, px', 'drift taken out, px', 'values'],
  ...steps.map(({ name, step }) => [
    name,
    step ? withError(step.height, step.sigma) : '',
    step ? step.drift.toFixed(4) : '',
    step ? `${step.before.count} and ${step.after.count}` : 'too few',
  ]),
];

const clockText = (local: number): string => new Date(local).toISOString().slice(0, 19).replace('T', ' ');
