import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BehaviorSubject, Subject } from 'rxjs';
import { openConsole } from '../src/console/openConsole.ts';
import type { LogLine } from '../src/model/logLine.ts';
import type { RoiHistory } from '../src/model/roiHistory.ts';
import type { StatusReading } from '../src/model/status.ts';
import {
  noon,
  sampleHistory,
  sampleLines,
  sampleRois,
  sampleStage,
  sampleStatus,
} from '../test/console/sampleConsole.ts';
import { sampleHost, sampleSources } from '../test/console/sampleSurroundings.ts';
import { sampleTerminal } from '../test/console/sampleTerminal.ts';
import type { BenchRow } from './benchRow.ts';

const events = 1_000_000;
/** Log lines that come between two looks at the screen, with a status and a result each time. */
const linesARound = 1_000;
const rounds = events / linesARound;
/** By then everything is loaded and compiled, and what is bounded is full. */
const warmRounds = rounds / 2;
/** Samples that the history's stream keeps. */
const samples = 600;

/** Memory of the console after a million events, against what it was after half of them. */
export async function consoleBench(): Promise<BenchRow[]> {
  const collect = collector();
  const status$ = new BehaviorSubject<StatusReading>({ connection: 'running', status: sampleStatus() });
  const log$ = new Subject<readonly LogLine[]>();
  const rois = sampleRois(644);
  let history = sampleHistory(
    rois.rois.map(({ label }) => label),
    samples,
  );
  const history$ = new BehaviorSubject<RoiHistory>(history);
  const { terminal, pass, settle } = sampleTerminal(120, 40, {}, false);
  const ending = new AbortController();
  const sources = sampleSources({
    status$,
    log$,
    history$: () => history$,
    rois$: new BehaviorSubject(rois),
    chips$: new BehaviorSubject([]),
  });
  const end = openConsole(sources, sampleHost(), terminal, { until: ending.signal });
  await settle();

  let warm = 0;
  for (let round = 0; round < rounds; round++) {
    log$.next(sampleLines(linesARound, { text: `line of round ${round}` }));
    status$.next({
      connection: 'running',
      status: sampleStatus({ stages: { collector: sampleStage({ done: round }), processor: sampleStage() } }),
    });
    const [first, ...others] = history.samples;
    history = {
      ...history,
      samples: [...others, { ...first!, positions: first!.positions.slice(), at: noon + round * 1000 }],
    };
    history$.next(history);
    await pass(500);
    if (round === warmRounds) warm = collect();
  }
  const after = collect();
  ending.abort();
  await end;
  const megabytes = after / 1e6;
  return [
    {
      name: 'console.memory',
      value: megabytes,
      unit: 'MB',
      against: 'the console after 500,000 of 1,000,000 events',
      ratio: after / warm,
    },
  ];
}

/** Collects garbage, and code that waits to be used again, and tells what is left, bytes. What V8 lets lie would be a tenth of it, or not. */
function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (what: object) => void;
  return () => {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
}
