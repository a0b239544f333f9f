import type { StageName } from '../../model/stageName.ts';
import type { PipelineStatus, Throughput } from '../../model/status.ts';
import { isHeld, percent, type ThroughputWords, throughputWords, wholeOf } from '../../model/throughputWords.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { largeThroughput, type Rect, rowsForGraph } from '../layout.ts';
import { bar } from '../views/bars.ts';
import { blank, clip, exactly, type Line, lineWidth, type Segment, seg, type Tone, titleRule } from '../views/line.ts';
import type { PanelView, Widget } from '../views/panelView.ts';
import { type RateCurves, rateCurves } from './rateCurves.ts';
import { rateGraph } from './rateGraph.ts';

export const throughputPanel: PanelView = {
  depends: state => [state.reading, Math.floor(state.now / 1000), state.selected],
  content: (state, rect) => ({
    lines: throughputLines(state, rect),
    widgets: throughputWidgets(state, rect),
  }),
};

/** Columns of the facts beside the graph. */
const factColumns = 54;
/** Below this share of what is asked for, it does not keep up. */
const enough = 0.8;
/** From this share on the disk is nearly full. */
const nearlyFull = 0.9;

/** How fast the pipeline is: as many facts as there is room for, and the last five minutes as a graph. */
function throughputLines(state: ConsoleState, { width, height }: Rect): Line[] {
  const { reading, drawing, now } = state;
  const status = reading?.status;
  const title = titleRule('Throughput', width, drawing);
  if (!status || reading.connection !== 'running') {
    return [title, [seg(reading ? ' no pipeline runs' : ' reading the status', 'dim')]].slice(0, height);
  }
  const throughput = status.throughput && wholeOf(status.throughput, status);
  if (!throughput) return [title, [seg(' not told: no stage takes frames or makes results', 'dim')]].slice(0, height);
  const words = throughputWords(throughput, status, now);
  if (height < rowsForGraph) {
    return [title, ...packed(throughput, status, words, width, height - 1, drawing)].map(each =>
      clip(each, width, drawing),
    );
  }
  const shown = stageInFront(state, throughput);
  const left = graphColumns(width);
  const graph = rateGraph(status.stages[shown] ?? emptyStage, status, left, height - 1, drawing);
  const isLarge = hasWidgets(drawing, height);
  const curves = isLarge ? rateCurves(status, shown) : null;
  const facts = factRows(throughput, status, words, drawing, !isLarge);
  if (isLarge) {
    while (facts.length < height - 1 - donutRows) facts.push(blank);
    facts.push(...shareRows(status, throughput, drawing));
  }
  const rows = Math.max(graph.length, facts.length);
  const named = titleRule('Throughput', width, drawing, curves ? legend(curves) : [seg(`graph: ${shown}`, 'accent')]);
  return [
    named,
    ...Array.from(
      { length: rows },
      (_, i): Line => [...exactly(graph[i] ?? blank, left, drawing), seg('  '), ...(facts[i] ?? blank)],
    ),
  ]
    .slice(0, height)
    .map(each => clip(each, width, drawing));
}

/** The stage whose graph is shown, or whose curve lies on top. */
const stageInFront = ({ selected, reading }: ConsoleState, { stage }: Throughput): StageName =>
  selected !== null && reading?.status?.stages[selected] ? selected : stage;

const graphColumns = (width: number): number => Math.max(0, width - factColumns - 2);

/** Rows of the rings, from the bottom up. */
const donutRows = 6;

/**
 * Whether blessed-contrib draws the rates of all stages and the shares of a whole: where the panel is as high as on the largest windows, and there are braille
 * and many colours, without which curves and rings can't be told from each other.
 */
const hasWidgets = ({ unicode, colours, theme }: Drawing, height: number): boolean =>
  height >= largeThroughput && unicode && colours === 256 && theme.background !== null;

function throughputWidgets(state: ConsoleState, { width, height }: Rect): Widget[] {
  const { reading, drawing } = state;
  const status = reading?.status;
  if (!status?.throughput || reading?.connection !== 'running' || !hasWidgets(drawing, height)) return [];
  const left = graphColumns(width);
  const curves = rateCurves(status, stageInFront(state, status.throughput));
  const shares = sharesOf(wholeOf(status.throughput, status), status);
  return [
    ...(curves
      ? [{ kind: 'line' as const, rect: { left: 0, top: 1, width: left, height: height - 1 }, ...curves }]
      : []),
    {
      kind: 'donuts',
      rect: { left: left + 2, top: height - donutRows, width: factColumns, height: donutRows },
      donuts: shares.map(({ name, share, tone }) => ({
        name,
        // What is finer would be drawn again and again, and not be seen.
        share: Number(Math.min(1, share).toFixed(2)),
        text: percent(Math.min(1, share)).replace(' ', ''),
        tone,
      })),
    },
  ];
}

/** The names of the curves in their colours: the widget's own legend would lie over the newest values. */
const legend = ({ unit, curves }: RateCurves): Segment[] => [
  seg(`per ${unit.per}:`, 'dim'),
  ...curves.map(({ name, colour }) => seg(` ${name}`, { fg: colour })),
];

interface Share {
  name: string;
  share: number;
  tone: Tone;
}

/** What is a share of a whole: of what is asked or of a folder, of the time of the busiest stage, of the disk. */
export function sharesOf(throughput: Throughput, { disk, replay }: Pick<PipelineStatus, 'disk' | 'replay'>): Share[] {
  const full = fullness(throughput);
  const { busiest, expected } = throughput;
  const used = disk && disk.size > 0 ? 1 - disk.free / disk.size : null;
  return [
    ...(full ? [{ name: expected === null ? 'of asked' : replay ? 'replay' : 'folder', ...full }] : []),
    ...(busiest ? [{ name: 'busiest', share: busiest.busy, tone: busyTone(busiest) }] : []),
    ...(used === null ? [] : [{ name: 'disk used', share: used, tone: tone(used < nearlyFull, 'accent') }]),
  ];
}

/** The same shares as bars, at the bottom of the facts: what lies below the rings. */
function shareRows(status: PipelineStatus, throughput: Throughput, drawing: Drawing): Line[] {
  return sharesOf(throughput, status).map(({ name, share, tone: of }) =>
    factRow(name.padEnd(nameColumns + 1), ...barOf(share, of, drawing, nameColumns + 1)),
  );
}

const emptyStage = { history: [], target_per_minute: null };

interface Fullness {
  share: number;
  tone: Tone;
}

/** Of what is asked; of a folder, how much of it is done. */
function fullness({ per_second, target_per_minute: target, finished, expected }: Throughput): Fullness | null {
  if (expected !== null && expected > 0) return { share: finished / expected, tone: 'good' };
  if (target === null || target <= 0 || per_second === null) return null;
  const share = (per_second * 60) / target;
  return { share, tone: share >= enough ? 'good' : 'warning' };
}

/** The facts in few rows, the most important ones first. */
function packed(
  throughput: Throughput,
  status: PipelineStatus,
  words: ThroughputWords,
  width: number,
  rows: number,
  drawing: Drawing,
): Line[] {
  const full = fullness(throughput);
  const first: Line = [
    seg(' now ', 'dim'),
    seg(words.now, nowTone(throughput, status, full)),
    ...(full
      ? [
          seg(' '),
          seg(bar(full.share, width >= 80 ? 16 : 8, drawing), full.tone),
          seg(` ${percent(Math.min(1, full.share))}`),
        ]
      : []),
  ];
  const facts: Line[] = [
    fact('', words.folder),
    fact('peak ', words.peak),
    waitingFact(throughput, words),
    fact('result after ', words.latency),
    fact('rows ', words.rows),
    fact('disk ', words.disk),
    fact('share ', words.share),
    fact('busiest ', words.busiest),
  ].filter(each => each.length > 0);
  const lines: Line[] = [first];
  for (const each of facts) {
    const last = lines.at(-1) as Line;
    if (lineWidth(last) + lineWidth(each) + 3 <= width)
      lines[lines.length - 1] = [...last, seg(` ${drawing.dot} `, 'dim'), ...each];
    else lines.push([seg(' '), ...each]);
  }
  return lines.slice(0, rows);
}

const fact = (name: string, value: string | null): Line => (value === null ? [] : [seg(name, 'dim'), seg(value)]);

const waitingFact = ({ clears_in_ms: clears }: Throughput, { waiting }: ThroughputWords): Line => [
  seg('waiting ', 'dim'),
  seg(waiting, clears === 'never' ? 'warning' : 'plain'),
];

const nowTone = (throughput: Throughput, status: PipelineStatus, full: Fullness | null): Tone => {
  if (isHeld(throughput, status)) return 'warning';
  if (throughput.per_second === 0 && throughput.target_per_minute !== null) return 'bad';
  return full?.tone === 'warning' ? 'warning' : 'strong';
};

const busyTone = ({ busy }: { busy: number }): Tone => tone(busy < 0.9, 'accent');
const tone = (isWell: boolean, well: Tone): Tone => (isWell ? well : 'warning');

const nameColumns = 9;
const factRow = (name: string, ...value: Line): Line => [seg(name.padEnd(nameColumns), 'dim'), ...value];
const barOf = (share: number, of: Tone, drawing: Drawing, beside = nameColumns): Line => [
  seg(bar(share, factColumns - beside - 6, drawing), of),
  seg(percent(Math.min(1, share)).padStart(6)),
];

/** A fact a row. @param withBars shares of a whole as bars among them */
function factRows(
  throughput: Throughput,
  status: PipelineStatus,
  words: ThroughputWords,
  drawing: Drawing,
  withBars: boolean,
): Line[] {
  const full = withBars ? fullness(throughput) : null;
  const { busiest } = throughput;
  return [
    factRow(
      'now',
      seg(words.now, nowTone(throughput, status, fullness(throughput))),
      ...(words.peak ? [seg(`, peak ${words.peak}`)] : []),
    ),
    ...(full
      ? [factRow(throughput.expected === null ? 'of asked' : 'folder', ...barOf(full.share, full.tone, drawing))]
      : []),
    ...(words.folder ? [factRow(withBars ? '' : 'folder', seg(words.folder))] : []),
    factRow('waiting', ...waitingFact(throughput, words).slice(1)),
    ...(words.latency ? [factRow('result', seg(`after ${words.latency}`))] : []),
    ...(busiest
      ? [
          factRow('busiest', seg(words.busiest as string, busiest.busy >= 0.9 ? 'warning' : 'plain')),
          ...(withBars ? [factRow('', ...barOf(busiest.busy, busyTone(busiest), drawing))] : []),
        ]
      : []),
    factRow(
      'writes',
      seg(
        [
          words.rows && `${words.rows.replace('/', ' rows/')}`,
          `disk ${words.disk}`,
          words.share && `share ${words.share}`,
        ]
          .filter(Boolean)
          .join(', '),
      ),
    ),
  ];
}
