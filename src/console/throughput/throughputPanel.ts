import type { PipelineStatus, Throughput } from '../../model/status.ts';
import { isHeld, percent, type ThroughputWords, throughputWords } from '../../model/throughputWords.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { rowsForGraph } from '../layout.ts';
import { bar } from '../views/bars.ts';
import { blank, clip, exactly, type Line, lineWidth, seg, type Tone, titleRule } from '../views/line.ts';
import type { PanelView } from '../views/panelView.ts';
import { text } from '../views/panelView.ts';
import { rateGraph } from './rateGraph.ts';

export const throughputPanel: PanelView = {
  depends: state => [state.reading, Math.floor(state.now / 1000), state.selected],
  content: text(throughputLines),
};

/** Columns of the facts beside the graph. */
const factColumns = 54;
/** Below this share of what is asked for, it does not keep up. */
const enough = 0.8;

/** How fast the pipeline is: as many facts as there is room for, and the last five minutes as a graph. */
export function throughputLines(state: ConsoleState, width: number, height: number): Line[] {
  const { reading, drawing, now, selected } = state;
  const status = reading?.status;
  const title = titleRule('Throughput', width, drawing);
  if (!status || reading.connection !== 'running') {
    return [title, [seg(reading ? ' no pipeline runs' : ' reading the status', 'dim')]].slice(0, height);
  }
  const { throughput } = status;
  if (!throughput) return [title, [seg(' not told: no stage takes frames or makes results', 'dim')]].slice(0, height);
  const words = throughputWords(withTimeLeft(throughput, status), status, now);
  if (height < rowsForGraph) {
    return [title, ...packed(throughput, status, words, width, height - 1, drawing)].map(each =>
      clip(each, width, drawing),
    );
  }
  const shown = selected !== null && status.stages[selected] ? selected : throughput.stage;
  const left = Math.max(0, width - factColumns - 2);
  const graph = rateGraph(status.stages[shown] ?? emptyStage, status, left, height - 1, drawing);
  const facts = factRows(throughput, status, words, drawing);
  const rows = Math.max(graph.length, facts.length);
  const named = titleRule('Throughput', width, drawing, [seg(`graph: ${shown}`, 'accent')]);
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

/** A replay knows better how long it will take: it has a speed. */
function withTimeLeft(throughput: Throughput, { replay }: PipelineStatus): Throughput {
  if (!replay) return throughput;
  const { left_seconds: left } = replay;
  return { ...throughput, clears_in_ms: left === null ? null : left * 1000 };
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

const nameColumns = 9;

/** A fact a row. */
function factRows(throughput: Throughput, status: PipelineStatus, words: ThroughputWords, drawing: Drawing): Line[] {
  const full = fullness(throughput);
  const row = (name: string, ...value: Line): Line => [seg(name.padEnd(nameColumns), 'dim'), ...value];
  const bars = (share: number, tone: Tone): Line => [
    seg(bar(share, factColumns - nameColumns - 6, drawing), tone),
    seg(percent(Math.min(1, share)).padStart(6)),
  ];
  const { busiest } = throughput;
  return [
    row('now', seg(words.now, nowTone(throughput, status, full)), ...(words.peak ? [seg(`, peak ${words.peak}`)] : [])),
    ...(full ? [row(throughput.expected === null ? 'of asked' : 'folder', ...bars(full.share, full.tone))] : []),
    ...(words.folder ? [row('', seg(words.folder))] : []),
    row('waiting', ...waitingFact(throughput, words).slice(1)),
    ...(words.latency ? [row('result', seg(`after ${words.latency}`))] : []),
    ...(busiest
      ? [
          row('busiest', seg(words.busiest as string, busiest.busy >= 0.9 ? 'warning' : 'plain')),
          row('', ...bars(busiest.busy, busiest.busy >= 0.9 ? 'warning' : 'accent')),
        ]
      : []),
    row(
      'writes',
      seg(
        [
          words.rows && `${words.rows.replace('/', ' rows/')}`,
          `${words.disk} to disk`,
          words.share && `${words.share} to share`,
        ]
          .filter(Boolean)
          .join(', '),
      ),
    ),
  ];
}
